extension Saga {
    /// Applies an order that ``decide(_:at:)`` accepted.
    mutating func apply(_ order: Order, at instant: Milliseconds, _ directives: inout [Directive]) {
        switch order.operation {
        case .cancel:
            beginCompensating(because: cancellation(order), at: instant)
        case .pause:
            isPaused = true
        case .resume:
            isPaused = false
            // Alarms that rang during the pause are heard now.
            applyTick(at: instant, &directives)
        case .retry:
            for index in targets(of: order) { grantAttempts(index, at: instant, &directives) }
        case .skip:
            for index in targets(of: order) { skip(index, result: order.result, at: instant) }
        }
    }

    private func cancellation(_ order: Order) -> String {
        let by = order.by.map { " by \($0)" } ?? ""
        return "cancelled\(by)" + (order.reason.map { ": \($0)" } ?? "")
    }

    /// A fresh set of attempts, the first of them at once (or with the end of a pause or of the verify round).
    private mutating func grantAttempts(_ index: Int, at instant: Milliseconds, _ directives: inout [Directive]) {
        let phase: Phase = isCompensating ? .compensation : .action
        steps[index][phase].budget = 0
        steps[index][phase].finishedAt = nil
        if isCompensating {
            // Sent by `advance`, which keeps the order among several that are granted attempts together.
            steps[index].compensation.status = .pending
            return
        }
        steps[index].action.status = .waiting
        steps[index].action.due = instant
        guard !isPaused, !isVerifying else { return }
        dispatch(index, .action, at: instant, &directives)
    }

    private mutating func skip(_ index: Int, result: [UInt8]?, at instant: Milliseconds) {
        steps[index][isCompensating ? .compensation : .action].finish(.skipped, at: instant)
        if !isCompensating { steps[index].result = result }
    }
}
