extension Saga {
    /// Applies an answer that ``decide(_:at:)`` let count.
    mutating func apply(_ reply: Reply, at instant: Milliseconds) {
        guard let index = definition.step(named: reply.step) else { return }
        if reply.phase == .action, steps[index].verification != nil {
            return applyVerification(of: index, reply, at: instant)
        }
        switch reply.outcome {
        case .succeeded: succeed(index, reply.phase, result: reply.result, at: instant)
        case .failed: fail(index, reply.phase, error: reply.failure, at: instant)
        case .retry:
            endAttempt(index, reply.phase, error: reply.failure, retryAfter: reply.retryAfter ?? 0, at: instant)
        }
    }

    mutating func succeed(_ index: Int, _ phase: Phase, result: [UInt8]?, at instant: Milliseconds) {
        steps[index][phase].finish(.succeeded, at: instant)
        if phase == .action { steps[index].result = result }
    }

    /// A refusal: final for an action, which then has left no effect; a compensation is stuck at once.
    mutating func fail(_ index: Int, _ phase: Phase, error: String, at instant: Milliseconds) {
        switch phase {
        case .compensation:
            steps[index].compensation.finish(.stuck, at: instant, error: error)
        case .action where definition.steps[index].isAfterPivot:
            steps[index].action.finish(.stuck, at: instant, error: error)
        case .action:
            steps[index].action.finish(.failed, at: instant, error: error)
            beginCompensating(because: "\(definition.steps[index].name) failed: \(error)", at: instant)
        }
    }

    /// Ends an attempt whose effect is unknown: the next one comes after the backoff, or the policy is out of attempts.
    mutating func endAttempt(
        _ index: Int, _ phase: Phase, error: String, retryAfter: Milliseconds, at instant: Milliseconds
    ) {
        let step = definition.steps[index]
        let policy = phase == .action ? step.retry : step.compensationRetry
        var state = steps[index][phase]
        state.error = error
        if policy.isExhausted(after: state.budget) {
            let reason = "no attempt of \(policy.attempts) succeeded; the last: \(error)"
            if phase == .compensation || step.isAfterPivot {
                state.finish(.stuck, at: instant, error: reason)
            } else {
                state.finish(.unknown, at: instant, error: reason)
            }
        } else {
            let seed = jitterSeed(saga: id, step: index, phase: phase, attempt: state.attempts)
            state.status = .waiting
            state.due = instant.adding(max(policy.delay(after: state.budget, seed: seed), retryAfter))
        }
        steps[index][phase] = state
        if state.status == .unknown {
            beginCompensating(because: "\(step.name) gave up: \(state.error ?? error)", at: instant)
        }
    }

    mutating func applyBeat(of name: String, _ phase: Phase, at instant: Milliseconds) {
        guard let index = definition.step(named: name) else { return }
        steps[index][phase].due = instant.adding(timeout(of: index))
        steps[index][phase].seenAt = instant
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
