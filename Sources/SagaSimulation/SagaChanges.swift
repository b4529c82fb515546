import SagaCore

/// What one log entry changed in the steps of a saga, as lines of a timeline.
///
/// Derived from the states before and after, so whatever the machine does to a step is told.
struct SagaChanges {
    /// What can make a saga turn back.
    private(set) var causes: [TimelineLine] = []
    /// What follows where it did.
    private(set) var consequences: [TimelineLine] = []

    init(from before: [StepState], to saga: Saga, at instant: Milliseconds) {
        for (index, step) in saga.definition.steps.enumerated() {
            for phase in Phase.allCases {
                let (old, new) = (before[index][phase], saga.steps[index][phase])
                guard old.status != new.status,
                    let (kind, text) = Self.tell(step, phase, saga.steps[index], at: instant)
                else { continue }
                let line = TimelineLine(
                    at: instant, kind, step: step.name, phase: phase, attempt: new.attempts > 0 ? new.attempts : nil,
                    text)
                let isCause = kind != .unknown && kind != .waiting && (kind != .failed || step.isExecutedElsewhere)
                if isCause { causes.append(line) } else { consequences.append(line) }
            }
        }
    }

    private static func tell(
        _ step: Step, _ phase: Phase, _ state: StepState, at instant: Milliseconds
    ) -> (TimelineLine.Kind, String)? {
        let it = state[phase]
        let error = it.error ?? "no reason given"
        switch it.status {
        case .none, .pending: return nil
        case .running: return step.isExecutedElsewhere ? nil : (.waiting, step.summary)
        case .waiting:
            let span = DurationText.format(max(0, it.due - instant))
            return (.retrying, "\(phase.rawValue) attempt \(it.attempts): \(error); again in \(span)")
        case .succeeded:
            guard phase == .action else { return (.succeeded, "compensated") }
            return (.succeeded, "succeeded" + (state.result.map { ": \(shortened($0))" } ?? ""))
        case .failed: return (.failed, step.isExecutedElsewhere ? "refused: \(error)" : "ends: \(error)")
        case .unknown: return (.unknown, "effect unknown: \(error)")
        case .stuck: return (.stuck, "\(phase.rawValue) is stuck: \(error)")
        case .skipped: return (.skipped, phase == .action ? "skipped" : "compensation skipped")
        }
    }

    private static func shortened(_ payload: [UInt8]) -> String {
        let text = String(decoding: payload, as: UTF8.self)
        return text.count > 60 ? text.prefix(60) + "…" : text
    }
}
