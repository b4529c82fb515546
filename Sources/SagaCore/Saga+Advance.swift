extension Saga {
    /// Sends whatever has become due, and notices the end. Idempotent: run after every fact.
    mutating func advance(at instant: Milliseconds, _ directives: inout [Directive]) {
        guard !status.isFinal, status != .scheduled, !isPaused, !isVerifying else { return }
        var isIdle = false
        if !isCompensating { isIdle = advanceForward(at: instant, &directives) }
        // A step that cannot begin (a payload that is no JSON) turns the saga back.
        if isCompensating { isIdle = advanceBackward(at: instant, &directives) }
        guard isIdle else {
            if status == .stuck {
                status = isCompensating ? .compensating : .running
                finishedAt = nil
            }
            return
        }
        end(at: instant, &directives)
    }

    /// Returns whether nothing is under way any more.
    private mutating func advanceForward(at instant: Milliseconds, _ directives: inout [Directive]) -> Bool {
        // A step that is done as soon as it is due (its signal came early, its condition is not met) may make others
        // due, anywhere in the file.
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            for index in steps.indices where steps[index].action.status == .none && isDue(index) {
                begin(index, at: instant, &directives)
                if isCompensating { return false }
                hasChanged = hasChanged || steps[index].action.isDone
            }
        }
        for index in steps.indices where !steps[index].items.isEmpty { fill(index, .action, at: instant, &directives) }
        return !steps.contains { $0.action.isActive }
    }

    private func isDue(_ index: Int) -> Bool {
        definition.steps[index].after.allSatisfy { steps[$0].action.isDone }
    }

    /// Lets a step that is due be skipped, make its items, or be sent.
    private mutating func begin(_ index: Int, at instant: Milliseconds, _ directives: inout [Directive]) {
        let step = definition.steps[index]
        do throws(PayloadFault) {
            if let condition = step.when, try !isMet(condition) {
                steps[index].action.finish(.omitted, at: instant)
            } else if let forEach = step.forEach {
                try expand(index, forEach, at: instant)
            } else {
                dispatch(Branch(step: index), .action, at: instant, &directives)
            }
        } catch {
            fail(Branch(step: index), .action, error: error.reason, at: instant)
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
                if steps[index].items.isEmpty {
                    dispatch(Branch(step: index), .compensation, at: instant, &directives)
                } else {
                    openAttempt(Branch(step: index), .compensation, due: .max, at: instant)
                }
            }
            if !steps[index].items.isEmpty { fill(index, .compensation, at: instant, &directives) }
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
            return phase.isDone || isCompensating && phase.status == .none
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
        finishedAt = nil
        for index in steps.indices { endActions(of: index, at: instant) }
        for index in steps.indices { planCompensation(index, at: instant) }
    }

    /// No action of a saga that goes backward waits for anything: neither for an answer nor for an operator.
    private mutating func endActions(of index: Int, at instant: Milliseconds) {
        // What the coordinator waits for by itself has no effect that could be unknown.
        let isUncertain = definition.steps[index].service != nil || definition.steps[index].isChild
        let error = isUncertain ? "not answered when the saga turned back" : "the saga turned back"
        let whole = Branch(step: index)
        for branch in steps[index].items.isEmpty ? [whole] : branches(of: index) + [whole] {
            let action = self[branch, .action]
            switch action.status {
            case .waiting where action.isRefused:
                // An operator's retry that had to wait for the end of a pause, or for room.
                self[branch, .action].finish(.failed, at: instant)
            case .running, .waiting:
                self[branch, .action].finish(isUncertain ? .unknown : .failed, at: instant, error: error)
            case .stuck:
                self[branch, .action].finish(action.isRefused ? .failed : .unknown, at: instant)
            default: break
            }
        }
    }

    /// Notes whether a saga that goes backward has to undo this step.
    mutating func planCompensation(_ index: Int, at instant: Milliseconds) {
        guard definition.steps[index].hasCompensation, !definition.steps[index].isAfterPivot else { return }
        if let forEach = definition.steps[index].forEach {
            planItemCompensations(index, forEach, at: instant)
        } else if steps[index].compensation.status == .none, needsCompensation(Branch(step: index)) {
            steps[index].compensation.status = .pending
        }
    }

    /// Whether this step, or item of one, took or may have taken effect.
    func needsCompensation(_ branch: Branch) -> Bool {
        if compensatesAll { return true }
        switch self[branch, .action].status {
        case .succeeded, .skipped: return true
        case .unknown: return safeguards.contains(.doubtCompensated)
        default: return false
        }
    }
}
