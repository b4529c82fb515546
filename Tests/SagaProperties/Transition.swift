import SagaCore

/// One entry and what it made of a saga.
struct Transition {
    /// Nil at the start.
    var before: Saga?
    var after: Saga
    var entry: LogEntry
    var directives: [Directive]

    var commands: [Dispatch] {
        directives.compactMap { if case .send(let dispatch) = $0 { dispatch } else { nil } }
    }

    /// The commands that are attempts of their own, and not questions of the verify round.
    var attempts: [Dispatch] { commands.filter { !isQuestion($0) } }

    func isQuestion(_ dispatch: Dispatch) -> Bool {
        dispatch.phase == .action && after.question(to: dispatch.branch) != nil
    }

    var isRetryOrder: Bool {
        if case .ordered(let order) = entry.fact { order.operation == .retry } else { false }
    }

    var isRewind: Bool {
        if case .rewound = entry.fact { true } else { false }
    }

    /// Whether alarms rang.
    var isRinging: Bool {
        switch entry.fact {
        case .ticked: true
        case .ordered(let order): order.operation == .resume
        default: false
        }
    }

    /// Whether this step's child saga says that it left no effect.
    func isFailure(ofChild step: String) -> Bool {
        guard case .childReported(let report) = entry.fact, report.step == step else { return false }
        return report.outcome == .compensated || report.outcome == .refused
    }

    /// The code that an attempt ended with.
    var code: String? {
        if case .replied(let reply) = entry.fact { reply.code } else { isRinging ? "timeout" : nil }
    }

    var hasTurnedBack: Bool { after.isCompensating && before?.isCompensating != true }

    /// Whether the saga turned back as a step could not begin: a payload that it asks about is not what it must be.
    var hasFaulted: Bool {
        hasTurnedBack && after.steps.contains { $0.action.status == .failed && $0.action.attempts == 0 }
    }
}
