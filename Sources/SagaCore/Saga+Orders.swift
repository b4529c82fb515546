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
            for index in targets(of: order) {
                skip(index, result: order.result, at: instant)
                if !isCompensating, index == definition.pivot { holdSkip(at: instant) }
            }
        }
    }

    private func cancellation(_ order: Order) -> String {
        let by = order.by.map { " by \($0)" } ?? ""
        return "cancelled\(by)" + (order.reason.map { ": \($0)" } ?? "")
    }

    /// A fresh set of attempts, the first of them at once (or with the end of a pause or of the verify round).
    private mutating func grantAttempts(_ index: Int, at instant: Milliseconds, _ directives: inout [Directive]) {
        let phase: Phase = isCompensating ? .compensation : .action
        let isSentWhole = steps[index].items.isEmpty
        for branch in branches(of: index) where isRetriable(branch) {
            self[branch, phase].budget = 0
            self[branch, phase].finishedAt = nil
            if isCompensating {
                // Sent by `advance`, which keeps the order among several that are granted attempts together.
                self[branch, phase].status = .pending
            } else if self[branch, phase].attempts == 0 {
                // It could not even begin.
                self[branch, phase].status = .none
            } else if branch.item != nil {
                // Sent by `advance`, which keeps the bound of what is under way at once.
                self[branch, phase].status = .waiting
                self[branch, phase].due = .max
            } else {
                self[branch, phase].status = .waiting
                self[branch, phase].due = instant
                if !isPaused, !isVerifying { dispatch(branch, phase, at: instant, &directives) }
            }
        }
        if isSentWhole, isCompensating, definition.steps[index].forEach != nil {
            // Which items there are was not known; it may be by now.
            steps[index].compensation.status = .none
            planCompensation(index, at: instant)
        } else if !isSentWhole, steps[index][phase].status == .stuck {
            steps[index][phase].finishedAt = nil
            steps[index][phase].status = isCompensating ? .pending : .running
            if !isCompensating { settleItems(index, phase, at: instant) }
        }
    }

    private mutating func skip(_ index: Int, result: [UInt8]?, at instant: Milliseconds) {
        let phase: Phase = isCompensating ? .compensation : .action
        for branch in branches(of: index) {
            if phase == .action, verification(of: branch) != nil {
                // An operator's word stands, whatever the answer is.
                setVerification(nil, of: branch)
                unverified -= 1
            }
            switch self[branch, phase].status {
            case .running, .waiting, .stuck: self[branch, phase].finish(.skipped, at: instant)
            case .none where !isCompensating, .pending: self[branch, phase].finish(.skipped, at: instant)
            default: break
            }
        }
        steps[index][phase].finish(.skipped, at: instant)
        if !isCompensating { steps[index].result = result }
    }
}
