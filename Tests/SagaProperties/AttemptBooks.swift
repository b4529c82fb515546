import SagaCore

/// How many attempts of each phase of one saga count against its policy, and which actions were refused: kept apart
/// from the machine's own count.
struct AttemptBooks {
    private struct Place: Hashable {
        var branch: Branch
        var phase: Phase
    }

    private var counts: [Int]
    private var itemCounts: [Place: Int] = [:]
    /// Branches whose last attempt was refused, and so left no effect.
    private(set) var refused: Set<Branch> = []

    init(steps: Int) {
        counts = Array(repeating: 0, count: 2 * steps)
    }

    func count(_ branch: Branch, _ phase: Phase) -> Int {
        guard branch.item == nil else { return itemCounts[Place(branch: branch, phase: phase), default: 0] }
        return counts[place(branch.step, phase)]
    }

    mutating func record(_ transition: Transition) {
        open(transition)
        for dispatch in transition.attempts {
            change(dispatch.branch, dispatch.phase) { $0 + 1 }
            if dispatch.phase == .action, !refused.isEmpty { refused.remove(dispatch.branch) }
        }
    }

    /// What an entry means for the counts, before what it sends.
    private mutating func open(_ transition: Transition) {
        guard let before = transition.before else { return }
        switch transition.entry.fact {
        case .ordered(let order) where order.operation == .retry:
            // A fresh set, for what is stuck or between two attempts.
            let phase: Phase = before.isCompensating ? .compensation : .action
            for step in before.steps.indices {
                if let name = order.step, before.definition.steps[step].name != name { continue }
                guard [.stuck, .waiting, .running].contains(before.steps[step][phase].status) else { continue }
                for branch in before.parts(of: step) {
                    let status = before.state(of: branch, phase).status
                    if status == .stuck || status == .waiting { change(branch, phase) { _ in 0 } }
                }
            }
        case .ordered(let order) where order.operation == .skip:
            // What an operator did by hand may have to be undone.
            refused = refused.filter { before.definition.steps[$0.step].name != order.step }
        case .rewound:
            // A compensation under way is void with its era, and is not held against the policy.
            for step in before.steps.indices {
                for branch in before.parts(of: step) where before.state(of: branch, .compensation).status == .running {
                    change(branch, .compensation) { $0 - 1 }
                }
            }
        case .replied(let reply) where reply.phase == .action && reply.outcome != .retry:
            guard let branch = before.branch(of: reply) else { return }
            if reply.outcome == .failed {
                refused.insert(branch)
            } else if !refused.isEmpty {
                refused.remove(branch)
            }
        default: break
        }
    }

    private mutating func change(_ branch: Branch, _ phase: Phase, _ change: (Int) -> Int) {
        if branch.item == nil {
            counts[place(branch.step, phase)] = change(counts[place(branch.step, phase)])
        } else {
            let place = Place(branch: branch, phase: phase)
            itemCounts[place] = change(itemCounts[place, default: 0])
        }
    }

    private func place(_ step: Int, _ phase: Phase) -> Int { 2 * step + (phase == .action ? 0 : 1) }
}
