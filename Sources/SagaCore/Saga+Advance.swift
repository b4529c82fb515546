extension Saga {
    /// Sends whatever has become due, and notices the end. Idempotent: run after every fact.
    mutating func advance(at instant: Milliseconds, _ directives: inout [Directive]) {
        guard !status.isFinal, status != .scheduled, !isPaused, !isVerifying else { return }
        let isIdle =
            isCompensating ? advanceBackward(at: instant, &directives) : advanceForward(at: instant, &directives)
        guard isIdle else {
            if status == .stuck {
                status = isCompensating ? .compensating : .running
                finishedAt = nil
                directives.append(.reopen)
            }
            return
        }
        end(at: instant, &directives)
    }

    /// Returns whether nothing is under way any more.
    private mutating func advanceForward(at instant: Milliseconds, _ directives: inout [Directive]) -> Bool {
        // A step that succeeds as soon as it is due (its signal came early) may make others due, anywhere in the file.
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            for index in steps.indices where steps[index].action.status == .none && isDue(index) {
                dispatch(index, .action, at: instant, &directives)
                hasChanged = hasChanged || steps[index].action.status == .succeeded
            }
        }
        return !steps.contains { $0.action.isActive }
    }

    private func isDue(_ index: Int) -> Bool {
        definition.steps[index].after.allSatisfy {
            let status = steps[$0].action.status
            return status == .succeeded || status == .skipped
        }
    }

    /// Returns whether nothing is under way any more.
    private mutating func advanceBackward(at instant: Milliseconds, _ directives: inout [Directive]) -> Bool {
        var isIdle = true
        // Whether everything that depends on a step, near or far, has been dealt with.
        var isClear = Array(repeating: true, count: steps.count)
        for index in definition.reverseOrder {
            if definition.order == .reverse {
                isClear[index] = definition.dependents[index].allSatisfy { isClear[$0] && isSettled($0) }
            }
            if steps[index].compensation.status == .pending, isClear[index] {
                dispatch(index, .compensation, at: instant, &directives)
            }
            if steps[index].compensation.isActive { isIdle = false }
        }
        return isIdle
    }

    /// Whether those before this step in the order of dependency need not wait for it any longer.
    private func isSettled(_ index: Int) -> Bool {
        switch steps[index].compensation.status {
        case .none, .succeeded, .skipped: true
        case .stuck: definition.whenStuck == .continue
        default: false
        }
    }

    private mutating func end(at instant: Milliseconds, _ directives: inout [Directive]) {
        let isDone = steps.indices.allSatisfy { index in
            let phase = phase(of: index)
            return phase.status == .succeeded || phase.status == .skipped || isCompensating && phase.status == .none
        }
        let ending: Status = isDone ? (isCompensating ? .compensated : .completed) : .stuck
        guard ending != status else { return }
        status = ending
        finishedAt = ending.isFinal ? instant : nil
        if ending == .stuck, !isCompensating, let index = steps.firstIndex(where: { $0.action.status == .stuck }) {
            error = "\(definition.steps[index].name) is stuck: \(steps[index].action.error ?? "")"
        } else if ending == .completed {
            error = nil
        }
        directives.append(.finish(ending))
    }

    /// Turns the saga back. What was dispatched and not answered may have taken effect, so it is compensated too.
    mutating func beginCompensating(because reason: String, at instant: Milliseconds) {
        guard !isCompensating else { return }
        isCompensating = true
        status = .compensating
        error = reason
        for index in steps.indices {
            if steps[index].action.isActive {
                // What the coordinator waits for by itself has no effect that could be unknown.
                let isCommand = definition.steps[index].service != nil
                let error = isCommand ? "not answered when the saga turned back" : "the saga turned back"
                steps[index].action.finish(isCommand ? .unknown : .failed, at: instant, error: error)
            }
            if needsCompensation(index) { steps[index].compensation.status = .pending }
        }
    }

    /// Whether a saga that goes backward has to undo this step.
    func needsCompensation(_ index: Int) -> Bool {
        guard definition.steps[index].compensation != nil, !definition.steps[index].isAfterPivot else { return false }
        if compensatesAll { return true }
        switch steps[index].action.status {
        case .succeeded, .unknown, .skipped, .stuck: return true
        default: return false
        }
    }
}
