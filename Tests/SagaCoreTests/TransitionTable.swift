import SagaCore

/// A phase of the step under test.
struct Place: Hashable, CustomStringConvertible {
    var phase: Phase
    var status: PhaseState.Status

    init(_ phase: Phase, _ status: PhaseState.Status) {
        self.phase = phase
        self.status = status
    }

    var description: String { "\(phase.rawValue) \(status.rawValue)" }

    static let all = Phase.allCases.flatMap { phase in PhaseState.Status.allCases.map { Place(phase, $0) } }
}

/// Everything that can happen to a step, by the names that the tables use.
enum Happening: String, CaseIterable {
    case succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier
    case beat, beatEarly, beatEarlier
    case tickEarly, tickLate
    case cancel, pause, resume, orderRetry, skip
    case signal, rewind, recall
    case childCompleted, childCompensated, childRefused, childRunning

    /// The event about a step in a phase that had this many attempts, and how much later it happens.
    func event(_ step: String, _ phase: Phase, attempts: Int) -> (Event, after: Milliseconds) {
        func reply(_ outcome: Reply.Outcome, _ attempt: Int) -> Event {
            .reply(Reply(step: step, phase: phase, attempt: attempt, outcome: outcome, error: "no"))
        }
        func beat(_ attempt: Int) -> Event { .heartbeat(step: step, phase: phase, attempt: attempt) }
        func child(_ outcome: ChildReport.Outcome) -> Event { .child(ChildReport(step: step, outcome: outcome)) }
        let (current, earlier) = (max(1, attempts), max(1, attempts - 1))
        return switch self {
        case .succeeded: (reply(.succeeded, current), 0)
        case .succeededEarlier: (reply(.succeeded, earlier), 0)
        case .failed: (reply(.failed, current), 0)
        case .failedEarlier: (reply(.failed, earlier), 0)
        case .retry: (reply(.retry, current), 0)
        case .retryEarlier: (reply(.retry, earlier), 0)
        case .beat: (beat(current), 10_000)
        case .beatEarly: (beat(current), 0)
        case .beatEarlier: (beat(earlier), 10_000)
        case .tickEarly: (.tick, 0)
        case .tickLate: (.tick, 3_600_000)
        case .cancel: (.order(Order(.cancel)), 0)
        case .pause: (.order(Order(.pause)), 0)
        case .resume: (.order(Order(.resume)), 0)
        case .orderRetry: (.order(Order(.retry, step: step)), 0)
        case .skip: (.order(Order(.skip, step: step)), 0)
        case .signal: (.signal(Signal("approved")), 0)
        case .rewind: (.rewind(era: 9), 0)
        case .recall: (.recall(reason: "parent"), 0)
        case .childCompleted: (child(.completed), 0)
        case .childCompensated: (child(.compensated), 0)
        case .childRefused: (child(.refused), 0)
        case .childRunning: (child(.running), 0)
        }
    }
}

/// What a table says of one state: a line for each outcome, `happening, happening: outcome`. An outcome is `ignored`,
/// `refused`, or the status that the phase has after the accepted event.
struct TransitionTable {
    struct Row {
        var place: Place
        var lines: String

        init(_ phase: Phase, _ status: PhaseState.Status, _ lines: String) {
            place = Place(phase, status)
            self.lines = lines
        }
    }

    private(set) var outcomes: [Place: [Happening: String]] = [:]
    /// What the table lacks, says twice, or says in words that mean nothing.
    private(set) var faults: [String] = []

    /// - Parameter impossible: statuses that the phase of such a step never has.
    init(_ rows: [Row], impossible: Set<Place>) {
        for row in rows {
            if outcomes[row.place] != nil { faults.append("\(row.place) has two rows") }
            if impossible.contains(row.place) { faults.append("\(row.place) has a row, and is impossible") }
            outcomes[row.place, default: [:]].merge(read(row)) { first, _ in first }
        }
        for place in Place.all where !impossible.contains(place) {
            guard let said = outcomes[place] else {
                faults.append("\(place) has no row")
                continue
            }
            for happening in Happening.allCases where said[happening] == nil {
                faults.append("\(place): nothing is said of \(happening)")
            }
        }
    }

    private mutating func read(_ row: Row) -> [Happening: String] {
        var said: [Happening: String] = [:]
        for line in row.lines.split(separator: "\n") {
            let parts = line.split(separator: ":").map(trimmed)
            guard parts.count == 2 else {
                faults.append("\(row.place): '\(line)' is no line")
                continue
            }
            if PhaseState.Status(rawValue: parts[1]) == nil, parts[1] != "ignored", parts[1] != "refused" {
                faults.append("\(row.place): '\(parts[1])' is no outcome")
            }
            for name in parts[0].split(separator: ",").map(trimmed) {
                guard let happening = Happening(rawValue: name) else {
                    faults.append("\(row.place): nothing is called '\(name)'")
                    continue
                }
                if said.updateValue(parts[1], forKey: happening) != nil {
                    faults.append("\(row.place): \(happening) is listed twice")
                }
            }
        }
        return said
    }

    private func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
