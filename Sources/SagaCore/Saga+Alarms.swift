extension Saga {
    /// Lets everything happen that was due by `instant`: the saga's deadline first, then step by step in the
    /// definition's order.
    mutating func applyTick(at instant: Milliseconds, _ directives: inout [Directive]) {
        guard !status.isFinal, !isPaused else { return }
        if let deadline, deadline <= instant, canTurnBack {
            beginCompensating(because: "the saga's deadline passed", at: instant)
        }
        if status == .scheduled, let notBefore = started.notBefore, notBefore <= instant { status = .running }
        if isVerifying { return repeatVerification(at: instant, &directives) }
        for index in steps.indices {
            let timeout = definition.steps[index].timeout
            if steps[index].action.status == .running, steps[index].action.due <= instant {
                endAttempt(index, .action, error: timedOut(timeout), retryAfter: 0, at: instant)
            } else if steps[index].action.status == .waiting, steps[index].action.due <= instant {
                dispatch(index, .action, at: instant, &directives)
            }
            if steps[index].compensation.status == .running, steps[index].compensation.due <= instant {
                endAttempt(index, .compensation, error: timedOut(timeout), retryAfter: 0, at: instant)
            } else if steps[index].compensation.status == .waiting, steps[index].compensation.due <= instant {
                dispatch(index, .compensation, at: instant, &directives)
            }
        }
    }

    private func timedOut(_ timeout: Milliseconds) -> String { "no answer within \(timeout) ms" }

    /// Sends the next attempt of a phase.
    mutating func dispatch(
        _ index: Int, _ phase: Phase, at instant: Milliseconds, _ directives: inout [Directive]
    ) {
        var state = phase == .action ? steps[index].action : steps[index].compensation
        state.status = .running
        state.attempts += 1
        state.budget += 1
        state.due = instant.adding(definition.steps[index].timeout)
        state.seenAt = instant
        state.startedAt = state.startedAt ?? instant
        state.finishedAt = nil
        var dispatch = Dispatch(step: index, phase: phase, attempt: state.attempts, deadline: state.due)
        switch phase {
        case .action: steps[index].action = state
        case .compensation:
            steps[index].compensation = state
            dispatch.isEffectKnown = steps[index].action.status == .succeeded
        }
        directives.append(.send(dispatch))
    }
}
