import SagaCore

/// What one log entry changed in the steps of a saga, as lines of a timeline.
///
/// Derived from the states before and after, so whatever the machine does to a step is told.
struct SagaChanges {
    /// What can make a saga turn back.
    private(set) var causes: [TimelineLine] = []
    /// What follows where it did.
    private(set) var consequences: [TimelineLine] = []

    private let saga: Saga
    private let now: Milliseconds

    init(from before: [Part], to saga: Saga, at instant: Milliseconds) {
        self.saga = saga
        now = instant
        let untouched = StepState()
        for part in saga.parts {
            let old = before.first { $0.branch == part.branch }
            let step = saga.definition.steps[part.branch.step]
            for phase in Phase.allCases {
                let was = (old?[phase] ?? (phase == .action ? untouched.action : untouched.compensation)).status
                guard was != part[phase].status, let (kind, text) = tell(step, part, phase) else { continue }
                let attempts = part[phase].attempts
                let line = TimelineLine(
                    at: now, kind, step: step.name, item: part.branch.item, phase: phase,
                    attempt: attempts > 0 ? attempts : nil, text)
                let isCause = kind != .unknown && kind != .waiting && (kind != .failed || step.isExecutedElsewhere)
                if isCause { causes.append(line) } else { consequences.append(line) }
            }
        }
    }

    private func tell(_ step: Step, _ part: Part, _ phase: Phase) -> (TimelineLine.Kind, String)? {
        let state = part[phase]
        let error = state.error ?? "no reason given"
        switch state.status {
        case .none, .pending: return nil
        case .running:
            guard let forEach = step.forEach, part.branch.item == nil, phase == .action else {
                return step.isExecutedElsewhere ? nil : (.waiting, step.summary)
            }
            let count = saga.steps[part.branch.step].items.count
            return (.waiting, "one command for each of its \(count) items, at most \(forEach.parallel) at once")
        case .waiting:
            let span = Timeline.duration(max(0, state.due - now))
            return (.retrying, "\(phase.rawValue) attempt \(state.attempts): \(error); again in \(span)")
        case .succeeded:
            guard phase == .action else { return (.succeeded, "compensated") }
            return (.succeeded, "succeeded" + (part.result.map { ": \(shortened($0))" } ?? ""))
        case .failed: return (.failed, step.isExecutedElsewhere ? "refused: \(error)" : "ends: \(error)")
        case .unknown: return (.unknown, "effect unknown: \(error)")
        case .stuck: return (.stuck, "\(phase.rawValue) is stuck: \(error)")
        case .omitted: return (.skipped, "skipped: its condition is not met")
        case .skipped: return (.skipped, phase == .action ? "skipped" : "compensation skipped")
        }
    }

    private func shortened(_ payload: [UInt8]) -> String {
        let text = String(decoding: payload, as: UTF8.self)
        return text.count > 60 ? text.prefix(60) + "…" : text
    }
}
