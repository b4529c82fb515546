import SagaCore

/// Rules about attempts and time.
extension World {
    func checkTimes(_ transition: Transition, of index: Int) throws(Violation) {
        guard let before = transition.before else { return }
        for step in before.steps.indices {
            for branch in before.parts(of: step) {
                for phase in Phase.allCases { try checkPhase(branch, phase, before, transition, of: index) }
                try checkQuestion(branch, before, transition)
            }
        }
        try checkLateRetry(before, transition)
        try checkDeadline(transition)
    }

    /// Only the attempt that is running can be in passing trouble. The verify round's questions have no numbers.
    private func checkLateRetry(_ before: Saga, _ transition: Transition) throws(Violation) {
        guard case .replied(let reply) = transition.entry.fact, reply.outcome == .retry,
            let branch = before.branch(of: reply)
        else { return }
        if reply.phase == .action, before.question(to: branch) != nil { return }
        guard reply.attempt == before.state(of: branch, reply.phase).attempts else {
            throw Violation(rule: .lateRetry, details: transition.entry.fact.traceText)
        }
    }

    private func checkPhase(
        _ branch: Branch, _ phase: Phase, _ before: Saga, _ transition: Transition, of index: Int
    ) throws(Violation) {
        let (was, now) = (before.state(of: branch, phase), transition.after.state(of: branch, phase))
        let step = branch.step
        let policy = policy(of: step, phase, before)
        let count = runs[index].books.count(branch, phase)
        let name = "\(branch.label) \(phase)"
        if policy.attempts != 0, count > policy.attempts, before.definition.steps[step].service != nil {
            throw Violation(rule: .attempts, details: "\(name): \(count) of \(policy.attempts)")
        }
        guard was.status == .running, now.status != .running else { return }
        if transition.isRinging, !transition.hasTurnedBack, now.status != .skipped, transition.entry.at < was.due {
            throw Violation(rule: .timeout, details: "\(name) is \(now.status) before its time")
        }
        if phase == .action, case .delay(let span) = before.definition.steps[step].kind, now.status == .succeeded,
            transition.entry.at < (was.startedAt ?? 0) + span
        {
            throw Violation(rule: .timeout, details: "\(name) is over before its time")
        }
        if now.status == .waiting {
            try checkDelay(now.due - transition.entry.at, after: count, policy, transition.retryAfter, name)
        }
        let isHopeless = phase == .action && before.definition.steps[step].codes.isHopeless(transition.code)
        if now.status == .stuck || now.status == .unknown && !transition.hasTurnedBack, !transition.isRefusal,
            !isHopeless,
            before.question(to: branch) == nil, before.definition.steps[step].service != nil,
            policy.attempts == 0 || count < policy.attempts
        {
            throw Violation(rule: .attempts, details: "\(name) gives up after \(count) of \(policy.attempts)")
        }
    }

    /// The verify round's questions are put again with the same delays.
    private func checkQuestion(_ branch: Branch, _ before: Saga, _ transition: Transition) throws(Violation) {
        guard let was = before.question(to: branch), let now = transition.after.question(to: branch),
            case .replied(let reply) = transition.entry.fact, reply.phase == .action,
            branch == before.branch(of: reply)
        else { return }
        try checkDelay(
            now.due - transition.entry.at, after: was.attempts, policy(of: branch.step, .action, before),
            transition.retryAfter, "\(branch.label)'s question")
    }

    private func policy(of step: Int, _ phase: Phase, _ saga: Saga) -> RetryPolicy {
        let step = saga.definition.steps[step]
        return phase == .action ? step.retry : step.compensationRetry
    }

    private func checkDelay(
        _ delay: Milliseconds, after count: Int, _ policy: RetryPolicy, _ retryAfter: Milliseconds, _ name: String
    ) throws(Violation) {
        var plain = Double(policy.initial)
        for _ in 1..<max(1, count) { plain = min(plain * policy.factor, Double(policy.max)) }
        // One more or less for the rounding to whole milliseconds.
        let least = Milliseconds(plain * (1 - policy.jitter)) - 1
        let most = Milliseconds(plain * (1 + policy.jitter)) + 1
        guard delay >= max(least, retryAfter), delay <= max(most, retryAfter) else {
            throw Violation(
                rule: .backoff,
                details: "\(name) waits \(delay) ms after \(count), not \(least) to \(most) or \(retryAfter)")
        }
    }

    private func checkDeadline(_ transition: Transition) throws(Violation) {
        let after = transition.after
        guard case .ticked = transition.entry.fact, let deadline = after.deadline, deadline <= transition.entry.at,
            !after.isPivotDue, !after.isCompensating, !after.isPaused, !after.status.isFinal, !after.isCompletionHeld
        else { return }
        throw Violation(rule: .deadline, details: "it is \(after.status)")
    }
}

extension Transition {
    fileprivate var retryAfter: Milliseconds {
        if case .replied(let reply) = entry.fact { reply.retryAfter ?? 0 } else { 0 }
    }

    fileprivate var isRefusal: Bool {
        if case .replied(let reply) = entry.fact { reply.outcome == .failed } else { false }
    }
}
