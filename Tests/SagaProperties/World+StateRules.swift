import SagaCore

/// Rules about the states that a saga goes through.
extension World {
    func check(_ transition: Transition, of index: Int) throws(Violation) {
        if let before = transition.before {
            if before.status.isFinal, !isReopening(before, transition) {
                throw Violation(rule: .finality, details: "\(before.status), then \(transition.entry.fact.traceText)")
            }
            try checkSettled(before, transition)
            try checkTurn(before, transition, of: index)
            try checkSignal(transition, of: index)
            try checkCodes(before, transition, of: index)
        }
        try checkCommands(transition, of: index)
        try checkTimes(transition, of: index)
        try checkValues(transition)
        try checkParallel(transition)
        try checkStatus(transition)
    }

    /// Whether what happens may happen to a saga that has ended: a completed child, whose parent may still build on it.
    private func isReopening(_ before: Saga, _ transition: Transition) -> Bool {
        guard before.started.isChild, before.status == .completed else { return false }
        switch transition.entry.fact {
        case .recalled, .rewound: return true
        default: return before.isVerifying
        }
    }

    /// What a step has come to is final, but for what the verify round finds out.
    private func checkSettled(_ before: Saga, _ transition: Transition) throws(Violation) {
        for step in before.steps.indices {
            for branch in before.parts(of: step) { try checkSettled(branch, before, transition) }
            if !before.steps[step].items.isEmpty { try checkSettled(Branch(step: step), before, transition) }
        }
        if before.isCompensating, !transition.after.isCompensating {
            throw Violation(rule: .settled, details: "a saga that goes backward turned")
        }
    }

    private func checkSettled(_ branch: Branch, _ before: Saga, _ transition: Transition) throws(Violation) {
        let isWhole = branch.item == nil
        let isAsked = isWhole ? before.isAsked(branch.step) : before.question(to: branch) != nil
        let (was, now) = (before.state(of: branch, .action).status, transition.after.state(of: branch, .action).status)
        let actionStays: Bool
        switch was {
        // An operator's word stands, whatever the verify round's answer is.
        case .failed, .omitted: actionStays = true
        // But one of its items may have been done before, and undone in what was lost.
        case .skipped: actionStays = !(isWhole && isAsked)
        case .succeeded, .unknown: actionStays = !isAsked
        default: actionStays = false
        }
        if actionStays, now != was {
            throw Violation(rule: .settled, details: "\(branch.label) was \(was), is \(now)")
        }
        let undo = before.state(of: branch, .compensation).status
        guard undo == .succeeded || undo == .skipped else { return }
        // An undone step can have more items than it was known to have when its history was lost.
        let canGrow = isWhole && before.definition.steps[branch.step].forEach != nil && transition.after.compensatesAll
        if transition.after.state(of: branch, .compensation).status != undo, undo == .skipped || !canGrow {
            throw Violation(rule: .settled, details: "the undo of \(branch.label) was \(undo)")
        }
    }

    /// A saga turns back for a reason, and not once its pivot is due unless that was refused.
    private func checkTurn(_ before: Saga, _ transition: Transition, of index: Int) throws(Violation) {
        guard transition.hasTurnedBack else { return }
        if before.isPivotDue, let pivot = before.definition.pivot,
            participants[Place(saga: index, step: pivot)]?.action != .failed,
            !transition.isFailure(ofChild: before.definition.steps[pivot].name),
            // One that was due, and waited, and cannot begin.
            !(before.steps[pivot].action.status == .pending && transition.hasFaulted),
            // A pivot that is a saga of its own may have been undone in what was lost.
            !(before.definition.steps[pivot].isChild && before.compensatesAll)
        {
            throw Violation(rule: .noReturn, details: transition.entry.fact.traceText)
        }
        let hasReason: Bool
        switch transition.entry.fact {
        case .ordered(let order) where order.operation == .cancel: hasReason = !before.isPivotDue
        case .replied(let reply) where reply.outcome == .failed: hasReason = true
        case .childReported(let report) where transition.isFailure(ofChild: report.step): hasReason = true
        case .recalled: hasReason = before.started.isChild
        default: hasReason = isDeadlinePassed(before, transition) || hasGivenUp(before, transition, of: index)
        }
        guard hasReason else { throw Violation(rule: .direction, details: "back without a reason") }
    }

    private func isDeadlinePassed(_ before: Saga, _ transition: Transition) -> Bool {
        guard let deadline = before.deadline else { return false }
        return deadline <= transition.entry.at && !before.isPivotDue
    }

    /// Whether a step ran out of attempts or of the time for its signal, or could not begin.
    private func hasGivenUp(_ before: Saga, _ transition: Transition, of index: Int) -> Bool {
        if transition.hasFaulted { return true }
        return before.steps.indices.contains { step in
            before.parts(of: step).contains { hasGivenUp($0, before, transition, of: index) }
        }
    }

    private func hasGivenUp(_ branch: Branch, _ before: Saga, _ transition: Transition, of index: Int) -> Bool {
        let (was, now) = (before.state(of: branch, .action), transition.after.state(of: branch, .action))
        guard was.status == .running else { return false }
        let step = before.definition.steps[branch.step]
        switch step.kind {
        case .signal: return now.status == .failed && was.due <= transition.entry.at
        case .delay, .until, .child: return false
        case .command:
            let most = step.retry.attempts
            let isOver =
                step.codes.isHopeless(transition.code) || most != 0 && runs[index].books.count(branch, .action) >= most
            return now.status == .unknown && isOver && !step.codes.waits(on: transition.code)
        }
    }

    /// A signal that carries an id is taken once.
    private func checkSignal(_ transition: Transition, of index: Int) throws(Violation) {
        guard case .signaled(let signal) = transition.entry.fact, let id = signal.id else { return }
        let times = history.count { written in
            guard written.saga == index, case .signaled(let other) = written.entry.fact else { return false }
            return other.id == id
        }
        if times > 1 { throw Violation(rule: .signals, details: "id \(id) counts \(times) times") }
    }

    private func checkStatus(_ transition: Transition) throws(Violation) {
        let saga = transition.after
        let isAsking = saga.steps.indices.contains(where: saga.isAsked)
        if isAsking != saga.isVerifying { throw Violation(rule: .verification, details: "the count is off") }
        let endings = transition.directives.compactMap { if case .finish(let status) = $0 { status } else { nil } }
        let isEnd = saga.status.isFinal || saga.status == .stuck
        let isNew = transition.before?.status != saga.status
        if endings != (isEnd && isNew ? [saga.status] : []), !(transition.hasTurnedBack && endings == [saga.status]) {
            throw Violation(rule: .ending, details: "\(saga.status), told: \(endings)")
        }
        guard !saga.isPaused, !saga.isVerifying, !saga.status.isFinal else { return }
        let isActive = saga.steps.contains { $0.action.isActive || $0.compensation.isActive }
        if saga.status == .stuck {
            let isStuck = saga.steps.contains { (saga.isCompensating ? $0.compensation : $0.action).status == .stuck }
            guard isStuck, !isActive else { throw Violation(rule: .waiting, details: "stuck at nothing") }
        } else if saga.status != .scheduled, !isActive, !saga.isAwaitingConfirmation {
            throw Violation(rule: .waiting, details: "\(saga.status), and nothing is under way")
        }
    }
}
