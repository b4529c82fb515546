import SagaCore

/// How many attempts of each phase of one saga count against its policy, kept apart from the machine's own count.
struct AttemptBooks {
    private var counts: [Int]

    init(steps: Int) {
        counts = Array(repeating: 0, count: 2 * steps)
    }

    func count(_ step: Int, _ phase: Phase) -> Int { counts[place(step, phase)] }

    mutating func record(_ transition: Transition) {
        open(transition)
        for dispatch in transition.attempts { counts[place(dispatch.step, dispatch.phase)] += 1 }
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
                let status = before.steps[step][phase].status
                if status == .stuck || status == .waiting { counts[place(step, phase)] = 0 }
            }
        case .rewound:
            // A compensation under way is void with its era, and is not held against the policy.
            for step in before.steps.indices where before.steps[step].compensation.status == .running {
                counts[place(step, .compensation)] -= 1
            }
        default: break
        }
    }

    private func place(_ step: Int, _ phase: Phase) -> Int { 2 * step + (phase == .action ? 0 : 1) }
}
