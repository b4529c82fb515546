import SagaCore

/// Rules about what error codes mean.
extension World {
    /// A code decides whether an action that ends turns the saga back or waits for an operator.
    func checkCodes(_ before: Saga, _ transition: Transition, of index: Int) throws(Violation) {
        guard case .replied(let reply) = transition.entry.fact, reply.phase == .action,
            let branch = before.branch(of: reply), before.question(to: branch) == nil
        else { return }
        let step = before.definition.steps[branch.step]
        let now = transition.after.state(of: branch, .action).status
        let isStopping = step.isAfterPivot || step.codes.waits(on: reply.code)
        let count = runs[index].books.count(branch, .action)
        let expected: [PhaseState.Status]
        switch reply.outcome {
        case .succeeded: expected = [.succeeded]
        case .failed: expected = [isStopping ? .stuck : .failed]
        case .retry where step.codes.isHopeless(reply.code) || step.retry.attempts != 0 && count >= step.retry.attempts:
            expected = [isStopping ? .stuck : .unknown]
        case .retry: expected = [.waiting]
        }
        guard expected.contains(now), isStopping || reply.outcome != .failed || transition.after.isCompensating else {
            throw Violation(rule: .codes, details: "\(branch.label) is \(now) after \(reply.code ?? "no code")")
        }
    }
}
