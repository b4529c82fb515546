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
        dispatch.phase == .action && after.steps[dispatch.step].verification != nil
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

    var hasTurnedBack: Bool { after.isCompensating && before?.isCompensating == false }
}
