import SagaCore

/// Rules that every command keeps.
extension World {
    func checkCommands(_ transition: Transition, of index: Int) throws(Violation) {
        let (after, at) = (transition.after, transition.entry.at)
        for dispatch in transition.commands {
            let name = "s\(dispatch.step) \(dispatch.phase) \(dispatch.attempt)"
            if after.isPaused, !transition.isRewind { throw Violation(rule: .pause, details: name) }
            if dispatch.phase == .action, let notBefore = after.started.notBefore, at < notBefore {
                throw Violation(rule: .timeout, details: "\(name) before the saga was to begin")
            }
            if let before = transition.before, before.status.isFinal {
                throw Violation(rule: .finality, details: name)
            }
            if transition.isQuestion(dispatch) { continue }
            if after.isVerifying { throw Violation(rule: .verification, details: name) }
            // What rings in the same instant as what turns the saga back, but earlier in its definition, still goes out.
            let isLast = transition.hasTurnedBack && transition.isRinging
            if after.isCompensating != (dispatch.phase == .compensation), !isLast {
                throw Violation(rule: .direction, details: name)
            }
            try checkAttempt(dispatch, name, transition)
            switch dispatch.phase {
            case .action: try checkActionOrder(dispatch.step, after, of: index)
            case .compensation:
                try checkNeed(dispatch.step, after)
                try checkCompensationOrder(dispatch, after, of: index)
            }
        }
    }

    /// The attempt follows the one before, and neither overlaps it nor comes too early.
    private func checkAttempt(_ dispatch: Dispatch, _ name: String, _ transition: Transition) throws(Violation) {
        let previous = transition.before?.steps[dispatch.step][dispatch.phase] ?? StepState()[dispatch.phase]
        guard dispatch.attempt == previous.attempts + 1 else {
            throw Violation(rule: .attempts, details: "\(name) follows attempt \(previous.attempts)")
        }
        switch previous.status {
        case .none, .pending: break
        case .waiting:
            // A compensation under way begins anew after a rewind.
            let isAnew = transition.isRetryOrder || transition.isRewind && dispatch.phase == .compensation
            if transition.entry.at < previous.due, !isAnew {
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
            guard status == .succeeded || status == .skipped else {
                throw Violation(rule: .actionOrder, details: "s\(step), and s\(earlier) is \(status)")
            }
            // The books of the participant must bear it out.
            if status == .succeeded, saga.definition.steps[earlier].service != nil,
                effects(of: earlier, index) != 1
            {
                throw Violation(rule: .actionOrder, details: "s\(step), and s\(earlier) has no effect")
            }
        }
    }

    private func checkNeed(_ index: Int, _ saga: Saga) throws(Violation) {
        let step = saga.definition.steps[index]
        if step.isAfterPivot || index == saga.definition.pivot || step.compensation == nil {
            throw Violation(rule: .needlessCompensation, details: "s\(index) is not one to undo")
        }
        if !saga.compensatesAll, [.failed, .none].contains(saga.steps[index].action.status) {
            throw Violation(rule: .needlessCompensation, details: "s\(index)")
        }
    }

    private func checkCompensationOrder(_ dispatch: Dispatch, _ saga: Saga, of index: Int) throws(Violation) {
        guard saga.definition.order == .reverse else { return }
        let isHolding = saga.definition.whenStuck == .hold
        // One that was begun while a later one was stuck goes on when that one is tried again.
        guard dispatch.attempt == 1 || isHolding else { return }
        for later in runs[index].dependents[dispatch.step] {
            let status = saga.steps[later].compensation.status
            let isPassed = status == .skipped || status == .stuck && !isHolding
            let canUndo = saga.definition.steps[later].compensation != nil
            let isUndone = !canUndo || effects(of: later, index) == 0
            guard isPassed || isUndone && [.none, .succeeded].contains(status) else {
                throw Violation(
                    rule: .compensationOrder, details: "s\(dispatch.step), and the undo of s\(later) is \(status)")
            }
        }
    }

    func effects(of step: Int, _ index: Int) -> Int {
        participants[Place(saga: index, step: step)]?.effects ?? 0
    }
}
