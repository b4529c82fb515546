/// What attempts are made of: a step, or one item of a `forEach` step.
///
/// The word is X/Open's for one participant's part of a distributed transaction.
public struct Branch: Sendable, Hashable {
    /// Index in the definition.
    public var step: Int
    /// Place in the step's list, from 0.
    public var item: Int?

    public init(step: Int, item: Int? = nil) {
        self.step = step
        self.item = item
    }
}

extension Saga {
    subscript(branch: Branch, phase: Phase) -> PhaseState {
        get {
            guard let item = branch.item else { return steps[branch.step][phase] }
            return steps[branch.step].items[item][phase]
        }
        set {
            if let item = branch.item {
                steps[branch.step].items[item][phase] = newValue
            } else {
                steps[branch.step][phase] = newValue
            }
        }
    }

    func verification(of branch: Branch) -> Verification? {
        guard let item = branch.item else { return steps[branch.step].verification }
        return steps[branch.step].items[item].verification
    }

    mutating func setVerification(_ verification: Verification?, of branch: Branch) {
        if let item = branch.item {
            steps[branch.step].items[item].verification = verification
        } else {
            steps[branch.step].verification = verification
        }
    }

    mutating func setResult(_ result: [UInt8]?, of branch: Branch) {
        if let item = branch.item {
            steps[branch.step].items[item].result = result
        } else {
            steps[branch.step].result = result
        }
    }

    /// What a step's attempts are made of: itself, or its items once they are known.
    func branches(of index: Int) -> [Branch] {
        guard !steps[index].items.isEmpty else { return [Branch(step: index)] }
        return steps[index].items.indices.map { Branch(step: index, item: $0) }
    }

    /// How a branch is called where people read it: `reserve`, `reserve#3`.
    package func name(of branch: Branch) -> String {
        let step = definition.steps[branch.step].name
        return branch.item.map { "\(step)#\($0)" } ?? step
    }
}
