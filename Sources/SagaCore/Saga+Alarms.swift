extension Saga {
    /// Lets everything happen that was due by `instant`: the saga's deadline first, then step by step in the
    /// definition's order.
    mutating func applyTick(at instant: Milliseconds, _ directives: inout [Directive]) {
        guard !isAtRest, !isPaused else { return }
        if let deadline, deadline <= instant, canTurnBack {
            beginCompensating(because: "the saga's deadline passed", at: instant)
        }
        if status == .scheduled, let notBefore = started.notBefore, notBefore <= instant { status = .running }
        if isVerifying { return repeatVerification(at: instant, &directives) }
        // What ends comes before what begins: an end can turn the saga back, and then nothing is to be tried again.
        let (ending, beginning) = (due(.running, by: instant), due(.waiting, by: instant))
        for (branch, phase) in ending where self[branch, phase].status == .running {
            switch phase {
            case .action: ringAction(branch, at: instant)
            case .compensation: timeOut(branch, .compensation, at: instant)
            }
        }
        for (branch, phase) in beginning where self[branch, phase].status == .waiting {
            dispatch(branch, phase, at: instant, &directives)
        }
    }

    private func due(_ status: PhaseState.Status, by instant: Milliseconds) -> [(branch: Branch, phase: Phase)] {
        steps.indices.flatMap { index in
            branches(of: index).flatMap { branch in
                Phase.allCases.filter { self[branch, $0].status == status && self[branch, $0].due <= instant }
                    .map { (branch, $0) }
            }
        }
    }

    private mutating func ringAction(_ branch: Branch, at instant: Milliseconds) {
        switch (self[branch, .action].status, definition.steps[branch.step].kind) {
        case (.running, .command):
            timeOut(branch, .action, at: instant)
        case (.running, .delay), (.running, .until):
            succeed(branch, .action, result: nil, at: instant)
        case (.running, .signal(let name)):
            fail(branch, .action, error: "no signal '\(name)' within \(timeout(of: branch.step)) ms", at: instant)
        default: break
        }
    }

    private mutating func timeOut(_ branch: Branch, _ phase: Phase, at instant: Milliseconds) {
        let error = "no answer within \(timeout(of: branch.step)) ms"
        endAttempt(branch, phase, error: error, code: ErrorCodes.timeout, retryAfter: 0, at: instant)
    }

    /// Time for one attempt, or to wait for a signal.
    func timeout(of index: Int) -> Milliseconds { definition.steps[index].timeout ?? .max }

    /// Begins the next attempt of a phase: sends its command, sets its timer, waits for its signal, or starts its child.
    mutating func dispatch(
        _ branch: Branch, _ phase: Phase, at instant: Milliseconds, _ directives: inout [Directive]
    ) {
        switch definition.steps[branch.step].kind {
        case .command:
            openAttempt(branch, phase, due: instant.adding(timeout(of: branch.step)), at: instant)
            let isEffectKnown = phase == .compensation && self[branch, .action].status == .succeeded
            directives.append(
                .send(
                    Dispatch(
                        step: branch.step, item: branch.item, phase: phase, attempt: self[branch, phase].attempts,
                        deadline: self[branch, phase].due, isEffectKnown: isEffectKnown)))
        case .delay(let span):
            openAttempt(branch, phase, due: instant.adding(span), at: instant)
        case .until(let moment):
            wait(for: moment, branch, at: instant)
        case .signal(let name):
            openAttempt(branch, phase, due: instant.adding(timeout(of: branch.step)), at: instant)
            takeBuffered(name, for: branch.step, at: instant)
        case .child:
            openAttempt(branch, phase, due: .max, at: instant)
            directives.append(phase == .action ? .startChild(step: branch.step) : .undoChild(step: branch.step))
        }
    }

    private mutating func wait(for moment: Moment, _ branch: Branch, at instant: Milliseconds) {
        do throws(PayloadFault) {
            let due = try self.instant(of: moment)
            openAttempt(branch, .action, due: due, at: instant)
            if due <= instant { succeed(branch, .action, result: nil, at: instant) }
        } catch {
            fail(branch, .action, error: error.reason, at: instant)
        }
    }

    mutating func openAttempt(_ branch: Branch, _ phase: Phase, due: Milliseconds, at instant: Milliseconds) {
        var state = self[branch, phase]
        state.status = .running
        state.isRefused = false
        state.attempts += 1
        state.budget += 1
        state.seenAt = instant
        state.startedAt = state.startedAt ?? instant
        state.finishedAt = nil
        state.due = due
        self[branch, phase] = state
    }
}
