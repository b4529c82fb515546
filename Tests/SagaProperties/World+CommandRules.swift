import SagaCore

/// Rules that every command keeps.
extension World {
    func checkCommands(_ transition: Transition, of index: Int) throws(Violation) {
        let (after, at) = (transition.after, transition.entry.at)
        try checkChildren(transition, of: index)
        for dispatch in transition.commands {
            let name = "\(dispatch.branch.label) \(dispatch.phase) \(dispatch.attempt)"
            if after.isPaused, !transition.isQuestion(dispatch) { throw Violation(rule: .pause, details: name) }
            if dispatch.phase == .action, let notBefore = after.started.notBefore, at < notBefore {
                throw Violation(rule: .timeout, details: "\(name) before the saga was to begin")
            }
            if let before = transition.before, before.status.isFinal,
                !before.started.isChild || before.status != .completed
            {
                throw Violation(rule: .finality, details: name)
            }
            if transition.isQuestion(dispatch) { continue }
            if after.isVerifying { throw Violation(rule: .verification, details: name) }
            // Another step that began at the same time may have been unable to.
            let isForward = dispatch.phase == .action
            if after.isCompensating == isForward, !isForward || !transition.hasFaulted {
                throw Violation(rule: .direction, details: name)
            }
            try checkAttempt(dispatch, name, transition)
            switch dispatch.phase {
            case .action: try checkActionOrder(dispatch.step, after, of: index)
            case .compensation:
                try checkNeed(dispatch.branch, after, of: index)
                try checkCompensationOrder(dispatch.step, attempt: dispatch.attempt, after, of: index)
            }
        }
    }

    /// A child saga is taken back, and begins, where a command would.
    private func checkChildren(_ transition: Transition, of index: Int) throws(Violation) {
        for directive in transition.directives {
            switch directive {
            case .startChild(let step):
                if transition.after.isCompensating, !transition.hasFaulted {
                    throw Violation(rule: .direction, details: "child saga s\(step) is started")
                }
                try checkActionOrder(step, transition.after, of: index)
            case .undoChild(let step):
                let attempts = transition.after.steps[step].compensation.attempts
                try checkCompensationOrder(step, attempt: attempts, transition.after, of: index)
            default: break
            }
        }
    }

    /// The attempt follows the one before, and neither overlaps it nor comes too early.
    private func checkAttempt(_ dispatch: Dispatch, _ name: String, _ transition: Transition) throws(Violation) {
        let previous = transition.before?.state(of: dispatch.branch, dispatch.phase) ?? StepState()[dispatch.phase]
        guard dispatch.attempt == previous.attempts + 1 else {
            throw Violation(rule: .attempts, details: "\(name) follows attempt \(previous.attempts)")
        }
        switch previous.status {
        case .none, .pending: break
        case .waiting:
            // A compensation under way begins anew after a rewind.
            let isAnew = transition.isRetryOrder || transition.isRewind && dispatch.phase == .compensation
            if transition.entry.at < previous.due, !isAnew, !previous.waitsForRoom {
                throw Violation(rule: .backoff, details: "\(name) is early")
            }
        case .stuck where transition.isRetryOrder: break
        case .running where transition.isRewind && dispatch.phase == .compensation: break
        case .running: throw Violation(rule: .oneAttempt, details: name)
        default: throw Violation(rule: .settled, details: "\(name) after \(previous.status)")
        }
    }

    private func checkActionOrder(_ step: Int, _ saga: Saga, of index: Int) throws(Violation) {
        for earlier in saga.definition.steps[step].after {
            let status = saga.steps[earlier].action.status
            guard [.succeeded, .skipped, .omitted].contains(status) else {
                throw Violation(rule: .actionOrder, details: "s\(step), and s\(earlier) is \(status)")
            }
            if status == .succeeded, saga.definition.steps[earlier].isChild,
                child(of: index, step: earlier).map({ runs[$0].saga.status }) != .completed
            {
                throw Violation(
                    rule: .actionOrder, details: "s\(step), and the child saga s\(earlier) is not completed")
            }
            // The books of the participant must bear it out.
            if status == .succeeded, saga.definition.steps[earlier].service != nil,
                saga.parts(of: earlier).contains(where: { effects(of: $0, index) != 1 && !isEmpty($0, saga) })
            {
                throw Violation(rule: .actionOrder, details: "s\(step), and s\(earlier) has no effect")
            }
        }
    }

    private func checkNeed(_ branch: Branch, _ saga: Saga, of index: Int) throws(Violation) {
        let step = saga.definition.steps[branch.step]
        if step.isAfterPivot || branch.step == saga.definition.pivot || step.compensation == nil {
            throw Violation(rule: .needlessCompensation, details: "\(branch.label) is not one to undo")
        }
        let hasNoEffect =
            runs[index].books.refused.contains(branch)
            || [.failed, .none, .omitted].contains(saga.state(of: branch, .action).status)
        if !saga.compensatesAll, hasNoEffect {
            throw Violation(rule: .needlessCompensation, details: branch.label)
        }
    }

    private func checkCompensationOrder(
        _ step: Int, attempt: Int, _ saga: Saga, of index: Int
    ) throws(Violation) {
        guard saga.definition.order == .reverse else { return }
        let isHolding = saga.definition.whenStuck == .hold
        // One that was begun while a later one was stuck goes on when that one is tried again.
        guard attempt == 1 || isHolding else { return }
        for later in runs[index].dependents[step] {
            let status = saga.steps[later].compensation.status
            let isPassed = status == .skipped || status == .stuck && !isHolding
            let canUndo = saga.definition.steps[later].hasCompensation
            // Where an operator gave another result in place of the one that was lost, no list tells the items.
            let isLost = isMeddled && saga.compensatesAll && saga.definition.steps[later].forEach != nil
            let isUndone = !canUndo || isLost || effects(of: later, index) == 0
            guard isPassed || isUndone && [.none, .succeeded].contains(status) else {
                throw Violation(
                    rule: .compensationOrder, details: "s\(step), and the undo of s\(later) is \(status)")
            }
        }
    }

    /// Whether a step went through a list without elements, or this item was done by hand.
    private func isEmpty(_ branch: Branch, _ saga: Saga) -> Bool {
        if branch.item == nil { return saga.definition.steps[branch.step].forEach != nil }
        return saga.state(of: branch, .action).status == .skipped
    }

    func effects(of branch: Branch, _ index: Int) -> Int {
        participants[Place(saga: index, step: branch.step, item: branch.item)]?.effects ?? 0
    }

    /// The effects of a step and of its items, also of those that the saga does not know of.
    func effects(of step: Int, _ index: Int) -> Int {
        if runs[index].saga.definition.steps[step].isChild { return hasEffect(childOf: index, step: step) ? 1 : 0 }
        guard runs[index].saga.definition.steps[step].forEach != nil else {
            return effects(of: Branch(step: step), index)
        }
        return (0..<SagaCase.mostItems).reduce(0) { $0 + effects(of: Branch(step: step, item: $1), index) }
    }
}
