import SagaCore

/// A saga's branches as they look from outside.
extension Saga {
    /// What a step's attempts are made of: itself, or its items once they are known.
    func parts(of step: Int) -> some Sequence<Branch> {
        let count = steps[step].items.count
        return (0..<max(1, count)).lazy.map { Branch(step: step, item: count == 0 ? nil : $0) }
    }

    /// Where a branch is; at its beginning where there is no such item yet.
    func state(of branch: Branch, _ phase: Phase) -> PhaseState {
        let step = steps[branch.step]
        guard let item = branch.item else { return step[phase] }
        return step.items.indices.contains(item) ? step.items[item][phase] : StepState()[phase]
    }

    /// The question of the verify round that a branch was asked.
    func question(to branch: Branch) -> Verification? {
        let step = steps[branch.step]
        guard let item = branch.item else { return step.verification }
        return step.items.indices.contains(item) ? step.items[item].verification : nil
    }

    /// Whether the verify round waits for a step or for one of its items.
    func isAsked(_ step: Int) -> Bool {
        steps[step].verification != nil || steps[step].items.contains { $0.verification != nil }
    }

    /// The branch that an answer is about.
    func branch(of reply: Reply) -> Branch? {
        definition.step(named: reply.step).map { Branch(step: $0, item: reply.item) }
    }
}

extension PhaseState {
    /// An item that was granted attempts, and waits for room among those under way.
    var waitsForRoom: Bool { status == .waiting && due == .max }
}

extension Branch {
    /// How a trace names it.
    var label: String { item.map { "s\(step)#\($0)" } ?? "s\(step)" }
}

extension ErrorCodes {
    /// Whether an action that ends with this code is to wait for an operator.
    func waits(on code: String?) -> Bool {
        let code = code ?? "none"
        return compensateOn.map { !$0.contains(code) } ?? stopOn.contains(code)
    }

    func isHopeless(_ code: String?) -> Bool { noRetry.contains(code ?? "none") }
}
