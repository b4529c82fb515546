package import SagaCore

/// Makes drafts that keep all rules, of every shape that the rules allow.
package struct RandomDefinitions {
    package var random: SeededRandom

    package init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    package mutating func draft() -> DefinitionDraft {
        let count = random.chance(0.1) ? random.pick([1, 100]) : Int.random(in: 1...12, using: &random)
        var steps = (0..<count).map { step(named: "s\($0)") }
        // The steps stand in an order of dependency now; links only point back.
        for index in steps.indices.dropFirst() { link(index, in: &steps) }
        if random.chance(0.5) { makePivot(Int.random(in: steps.indices, using: &random), in: &steps) }
        for index in steps.indices { addReferences(index, in: &steps) }
        // Where every link is written down, the order of the file means nothing.
        if steps.allSatisfy({ $0.after != nil }) { steps.shuffle(using: &random) }
        return DefinitionDraft(
            name: random.pick(["order", "a.b_c-d", "0", String(repeating: "n", count: 64)]),
            version: random.pick([1, 2, 20_250_131, 9_007_199_254_740_991]),
            deadline: random.maybe { RandomDefinitions.span(&$0) },
            durability: random.maybe { $0.pick(Durability.allCases) },
            order: random.maybe { $0.pick(CompensationOrder.allCases) },
            whenStuck: random.maybe { $0.pick(WhenStuck.allCases) },
            retention: random.maybe { RandomDefinitions.span(&$0) },
            trigger: random.maybe { EventTrigger(event: $0.pick(["Placed", "a.b-c_d"]), isPerEvent: $0.chance(0.5)) },
            steps: steps)
    }

    private mutating func step(named name: String) -> StepDraft {
        var draft = random.chance(0.7) ? command(name) : ownKind(name)
        draft.emits = random.chance(0.2) ? random.pick(Self.emits) : nil
        return draft
    }

    private static let emits = [
        Emits(succeeded: "Done"), Emits(failed: "Failed"), Emits(succeeded: "a.b", failed: "a.b"),
    ]

    /// A timer, a wait for a signal, or a child saga.
    private mutating func ownKind(_ name: String) -> StepDraft {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: StepDraft(name: name, delay: RandomDefinitions.span(&random))
        case 1: StepDraft(name: name, until: .at(random.pick([0, 1_798_135_200_000, 253_402_300_799_999])))
        case 2: StepDraft(name: name, signal: "go.\(name)", timeout: random.maybe { RandomDefinitions.span(&$0) })
        default: StepDraft(name: name, saga: "child.\(name)")
        }
    }

    private mutating func command(_ name: String) -> StepDraft {
        let compensation = random.pick([StepDraft.CompensationDraft.absent, .none, .operation("undo.\(name)")])
        var isOperation = false
        if case .operation = compensation { isOperation = true }
        var draft = StepDraft(
            name: name, service: random.pick(["orders", "payments", "a.b"]), action: "do.\(name)",
            compensation: compensation, timeout: random.maybe { RandomDefinitions.span(&$0) },
            retry: random.maybe { RandomDefinitions.retry(&$0) },
            compensationRetry: isOperation ? random.maybe { RandomDefinitions.retry(&$0) } : nil,
            noRetry: random.chance(0.2) ? codes() : nil)
        if random.chance(0.2) {
            if random.chance(0.5) { draft.compensateOn = codes() } else { draft.stopOn = codes() }
        }
        return draft
    }

    private mutating func codes() -> [String] {
        let all = [ErrorCodes.timeout, "no-stock", "42", "\"\\", String(repeating: "c", count: 64)]
        return Array(all.shuffled(using: &random).prefix(Int.random(in: 1...all.count, using: &random)))
    }

    private mutating func link(_ index: Int, in steps: inout [StepDraft]) {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: break
        case 1: steps[index].after = []
        default: steps[index].after = earlier(than: index, in: steps)
        }
        if index == 1 && random.chance(0.7) { steps[0].after = [] }
    }

    /// Makes everything before the step come before it, and everything behind it come after it.
    private mutating func makePivot(_ pivot: Int, in steps: inout [StepDraft]) {
        if !steps[pivot].isCommand, steps[pivot].saga == nil { steps[pivot] = command(steps[pivot].name) }
        steps[pivot].isPivot = true
        steps[pivot].after = pivot == 0 ? random.pick([nil, []]) : steps[..<pivot].map(\.name).shuffled(using: &random)
        steps[pivot].retry?.attempts = random.pick([nil, 0])
        steps[pivot].noRetry = nil
        for index in steps.indices where index > pivot {
            let last = steps[Int.random(in: pivot..<index, using: &random)].name
            if let after = steps[index].after, !after.contains(last) { steps[index].after = after + [last] }
        }
        for index in steps.indices where index >= pivot {
            if case .operation = steps[index].compensation { steps[index].compensation = .none }
            steps[index].compensationRetry = nil
            steps[index].compensateOn = nil
            steps[index].stopOn = nil
        }
    }

    private mutating func addReferences(_ index: Int, in steps: inout [StepDraft]) {
        // Direct predecessors are surely before; whether others are is the validator's to say.
        let direct = steps[index].after ?? (index == 0 ? [] : [steps[index - 1].name])
        var conditions = RandomConditions(random: random, steps: direct)
        if random.chance(0.3) { steps[index].when = conditions.condition() }
        let path = conditions.path()
        random = conditions.random
        if steps[index].isCommand {
            steps[index].uses = random.maybe { random in direct.filter { _ in random.chance(0.5) } }
            guard !steps[index].isPivot, random.chance(0.2) else { return }
            steps[index].forEach = ForEach(path, parallel: random.pick([1, 10, 100]))
        } else if steps[index].until != nil, random.chance(0.5) {
            steps[index].until = .path(path)
        } else if steps[index].saga != nil, let last = direct.last {
            steps[index].inputFrom = random.maybe { _ in last }
        }
    }

    private mutating func earlier(than index: Int, in steps: [StepDraft]) -> [String] {
        var names: [String] = []
        for step in steps[..<index] where random.chance(2 / Double(index + 1)) { names.append(step.name) }
        return names.shuffled(using: &random)
    }

    package static func span(_ random: inout SeededRandom) -> Milliseconds {
        random.pick([1, 250, 1000, 90_000, 3_600_000, 86_400_001, 31_536_000_000])
    }

    package static func retry(_ random: inout SeededRandom) -> RetryPolicyDraft {
        var draft = RetryPolicyDraft(
            attempts: random.maybe { $0.pick([0, 1, 7, 1_000_000]) },
            factor: random.maybe { $0.pick([1, 1.5, 2, 3.141592653589793, 100]) },
            jitter: random.maybe { $0.pick([0, 0.1, 1.0 / 3, 1]) })
        if random.chance(0.5) {
            draft.max = span(&random)
            draft.initial = Milliseconds.random(in: 1...(draft.max ?? 1), using: &random)
        }
        return draft
    }
}
