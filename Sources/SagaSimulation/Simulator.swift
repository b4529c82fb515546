import SagaCore

/// Drives the machine: what was asked of services comes back as answers, alarms ring at their instants.
struct Simulator {
    /// Log entries after which a simulation gives up.
    static let maxEntries = 20_000
    /// Attempts that came to nothing after which an endless policy is taken to be endless.
    static let attemptsTaken = 12
    /// A policy with more attempts to go than these is as good as endless.
    static let attemptsInSight = 500

    /// Something that reaches the saga at an instant.
    struct Arrival {
        var at: Milliseconds
        var event: Event
        /// Whether it answers what was sent; else it comes from outside.
        var isAnswer = false
    }

    let definition: Definition
    let script: SimulationScript
    private(set) var saga: Saga
    private(set) var now: Milliseconds
    var services: SimulatedServices
    /// By instant; at the same instant in the order of sending.
    var arrivals: [Arrival] = []
    /// Interventions whose moment is a step's.
    var pending: [Intervention] = []
    private var timeline: [TimelineLine] = []
    private var lastMove: Milliseconds

    init(_ definition: Definition, _ script: SimulationScript) {
        self.definition = definition
        self.script = script
        services = SimulatedServices(script: script)
        now = script.startedAt
        lastMove = now
        var directives: [Directive] = []
        let started = Started(
            definition: definition.name, version: definition.version, era: 1, deadline: script.deadline,
            input: script.input)
        saga = Saga(id: "simulation", definition: definition, started: started, at: now, directives: &directives)
        for intervention in script.interventions {
            switch intervention.moment {
            case .at(let offset): arrive(intervention.event, after: offset)
            case .whenBegan, .whenSucceeded: pending.append(intervention)
            }
        }
        var text = "\(definition.id) starts"
        if let deadline = saga.deadline { text += ", deadline in \(DurationText.format(deadline - now))" }
        write(.started, text)
        record(from: [], wasCompensating: false, directives)
    }

    mutating func run() -> SimulationRun {
        var endless: [String] = []
        while saga.entryCount < Self.maxEntries {
            let prospect = prospect
            endless = prospect.endless
            let alarm = endless.isEmpty ? saga.nextAlarm : prospect.next
            if let arrival = arrivals.first, arrival.at <= alarm ?? .max {
                writeAhead(to: arrival.at, endless)
                arrivals.removeFirst()
                feed(arrival.event, at: arrival.at)
            } else if let alarm {
                writeAhead(to: alarm, endless)
                feed(.tick, at: alarm)
            } else {
                break
            }
        }
        let end = end(endless)
        for intervention in pending { write(.note, "\(intervention.text) never happened: its moment did not come") }
        conclude(end)
        return SimulationRun(
            timeline: timeline, end: end, duration: lastMove - script.startedAt, saga: saga,
            effects: services.effects)
    }

    mutating func arrive(_ event: Event, after span: Milliseconds, isAnswer: Bool = false) {
        let arrival = Arrival(at: now.adding(span), event: event, isAnswer: isAnswer)
        let place = arrivals.firstIndex { $0.at > arrival.at } ?? arrivals.endIndex
        arrivals.insert(arrival, at: place)
    }

    mutating func feed(_ event: Event, at instant: Milliseconds) {
        now = max(now, instant)
        switch saga.decide(event, at: now) {
        case .ignore:
            if let text = event.text { write(.ignored, "\(text): changes nothing") }
        case .refuse(let reason):
            write(.refused, "\(event.text ?? "refused"): refused, \(reason)")
        case .accept(let fact):
            if let text = event.text, let kind = event.kind { write(kind, text) }
            let (parts, wasCompensating) = (saga.parts, saga.isCompensating)
            var directives: [Directive] = []
            saga.evolve(LogEntry(index: saga.entryCount, at: now, fact: fact), directives: &directives)
            lastMove = now
            record(from: parts, wasCompensating: wasCompensating, directives)
        }
    }

    // MARK: Lines

    mutating func write(
        _ kind: TimelineLine.Kind, _ text: String, step: String? = nil, item: Int? = nil, _ phase: Phase? = nil,
        attempt: Int? = nil
    ) {
        write(TimelineLine(at: now, kind, step: step, item: item, phase: phase, attempt: attempt, text))
    }

    mutating func write(_ line: TimelineLine) {
        var line = line
        line.at = now - script.startedAt
        timeline.append(line)
    }
}

extension Intervention {
    var event: Event {
        switch act {
        case .order(let order): .order(order)
        case .signal(let signal): .signal(signal)
        }
    }

    var text: String { event.text ?? "" }
}

extension Event {
    /// What people outside did; nil for what services and clocks do.
    fileprivate var text: String? {
        switch self {
        case .order(let order): "order to \(order.operation.rawValue)" + (order.step.map { " '\($0)'" } ?? "")
        case .signal(let signal): "signal '\(signal.name)'"
        default: nil
        }
    }

    fileprivate var kind: TimelineLine.Kind? {
        switch self {
        case .order: .order
        case .signal: .signal
        default: nil
        }
    }
}
