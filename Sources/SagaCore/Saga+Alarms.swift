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
            if steps[index].action.due <= instant { ringAction(index, at: instant, &directives) }
            if steps[index].compensation.due <= instant { ringCompensation(index, at: instant, &directives) }
        }
    }

    private mutating func ringAction(_ index: Int, at instant: Milliseconds, _ directives: inout [Directive]) {
        switch (steps[index].action.status, definition.steps[index].kind) {
        case (.waiting, _):
            dispatch(index, .action, at: instant, &directives)
        case (.running, .command):
            endAttempt(index, .action, error: timedOut(index), retryAfter: 0, at: instant)
        case (.running, .delay):
            succeed(index, .action, result: nil, at: instant)
        case (.running, .signal(let name)):
            fail(index, .action, error: "no signal '\(name)' within \(timeout(of: index)) ms", at: instant)
        default: break
        }
    }

    private mutating func ringCompensation(_ index: Int, at instant: Milliseconds, _ directives: inout [Directive]) {
        switch steps[index].compensation.status {
        case .waiting: dispatch(index, .compensation, at: instant, &directives)
        case .running: endAttempt(index, .compensation, error: timedOut(index), retryAfter: 0, at: instant)
        default: break
        }
    }

    private func timedOut(_ index: Int) -> String { "no answer within \(timeout(of: index)) ms" }

    /// Time for one attempt, or to wait for a signal.
    func timeout(of index: Int) -> Milliseconds { definition.steps[index].timeout ?? .max }

    /// Begins the next attempt of a phase: sends its command, sets its timer, or waits for its signal.
    mutating func dispatch(
        _ index: Int, _ phase: Phase, at instant: Milliseconds, _ directives: inout [Directive]
    ) {
        var state = steps[index][phase]
        state.status = .running
        state.attempts += 1
        state.budget += 1
        state.seenAt = instant
        state.startedAt = state.startedAt ?? instant
        state.finishedAt = nil
        if case .delay(let span) = definition.steps[index].kind {
            state.due = instant.adding(span)
        } else {
            state.due = instant.adding(timeout(of: index))
        }
        steps[index][phase] = state
        switch definition.steps[index].kind {
        case .command:
            directives.append(
                .send(
                    Dispatch(
                        step: index, phase: phase, attempt: state.attempts, deadline: state.due,
                        isEffectKnown: phase == .compensation && steps[index].action.status == .succeeded)))
        case .delay, .until, .child: break
        case .signal(let name): takeBuffered(name, for: index, at: instant)
        }
    }
}
