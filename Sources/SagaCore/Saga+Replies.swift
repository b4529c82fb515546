extension Saga {
    /// Applies an answer that ``decide(_:at:)`` let count.
    mutating func apply(_ reply: Reply, at instant: Milliseconds) {
        guard let branch = branch(of: reply.step, reply.item) else { return }
        if reply.phase == .action, verification(of: branch) != nil {
            return applyVerification(of: branch, reply, at: instant)
        }
        switch reply.outcome {
        case .succeeded: succeed(branch, reply.phase, result: reply.result, at: instant)
        case .failed: fail(branch, reply.phase, error: reply.failure, code: reply.code, at: instant)
        case .retry:
            endAttempt(
                branch, reply.phase, error: reply.failure, code: reply.code, retryAfter: reply.retryAfter ?? 0,
                at: instant)
        }
    }

    mutating func succeed(_ branch: Branch, _ phase: Phase, result: [UInt8]?, at instant: Milliseconds) {
        self[branch, phase].finish(.succeeded, at: instant)
        if phase == .action { setResult(result, of: branch) }
        if branch.item != nil { settleItems(branch.step, phase, at: instant) }
    }

    /// A refusal: final for an action, which then has left no effect; a compensation is stuck at once.
    mutating func fail(
        _ branch: Branch, _ phase: Phase, error: String, code: String? = nil, at instant: Milliseconds
    ) {
        let step = definition.steps[branch.step]
        if phase == .action, !step.isAfterPivot, !step.codes.stops(on: code) {
            return refuse(branch, error: error, at: instant)
        }
        self[branch, phase].finish(.stuck, at: instant, error: error)
        self[branch, phase].isRefused = phase == .action
        if branch.item != nil { settleItems(branch.step, phase, at: instant) }
    }

    /// An action left no effect, and turns the saga back.
    mutating func refuse(_ branch: Branch, error: String, at instant: Milliseconds) {
        guard !definition.steps[branch.step].isAfterPivot else {
            return fail(branch, .action, error: error, at: instant)
        }
        self[branch, .action].finish(.failed, at: instant, error: error)
        turnBack(branch, "\(name(of: branch)) failed: \(error)", .failed, error, at: instant)
    }

    /// Ends an attempt whose effect is unknown: the next one comes after the backoff, or the policy is out of attempts.
    mutating func endAttempt(
        _ branch: Branch, _ phase: Phase, error: String, code: String?, retryAfter: Milliseconds,
        at instant: Milliseconds
    ) {
        let step = definition.steps[branch.step]
        let policy = phase == .action ? step.retry : step.compensationRetry
        var state = self[branch, phase]
        state.error = error
        let isHopeless = phase == .action && step.codes.noRetry.contains { $0 == code }
        guard isHopeless || policy.isExhausted(after: state.budget) else {
            let seed = jitterSeed(saga: id, branch, phase: phase, attempt: state.attempts)
            state.status = .waiting
            // Short of `.max`, which says something else, whatever a participant asks for.
            state.due = min(instant.adding(max(policy.delay(after: state.budget, seed: seed), retryAfter)), .max - 1)
            self[branch, phase] = state
            return
        }
        let reason = isHopeless ? error : "no attempt of \(policy.attempts) succeeded; the last: \(error)"
        if phase == .compensation || step.isAfterPivot || step.codes.stops(on: code) {
            self[branch, phase].finish(.stuck, at: instant, error: reason)
            if branch.item != nil { settleItems(branch.step, phase, at: instant) }
        } else {
            self[branch, phase].finish(.unknown, at: instant, error: reason)
            turnBack(branch, "\(name(of: branch)) gave up: \(reason)", .unknown, reason, at: instant)
        }
    }

    /// Turns the saga back because of an action that has ended; where it was an item's, its step ends with it.
    private mutating func turnBack(
        _ branch: Branch, _ reason: String, _ status: PhaseState.Status, _ error: String, at instant: Milliseconds
    ) {
        if let item = branch.item {
            steps[branch.step].action.finish(status, at: instant, error: "item \(item): \(error)")
        }
        beginCompensating(because: reason, at: instant)
    }

    mutating func applyBeat(of name: String, _ item: Int?, _ phase: Phase, at instant: Milliseconds) {
        guard let branch = branch(of: name, item) else { return }
        self[branch, phase].due = instant.adding(timeout(of: branch.step))
        self[branch, phase].seenAt = instant
    }
}

extension Reply {
    /// The error and its code as one text.
    var failure: String {
        switch (code, error) {
        case (let code?, let error?): "\(error) (\(code))"
        case (let code?, nil): code
        case (nil, let error?): error
        case (nil, nil): outcome == .failed ? "refused" : "passing trouble"
        }
    }
}
