import SagaCore
import TestSupport

extension SagaCase {
    /// The case that a seed makes.
    package static func random(seed: UInt64) -> SagaCase {
        var random = SeededRandom(seed: seed)
        // The first child saga may have one of its own.
        var children: [DefinitionDraft] = []
        if random.chance(0.3) {
            if random.chance(0.4) { children.append(randomDraft("c1", most: 2, [], &random)) }
            children.append(randomDraft("c0", most: 4, children.map(\.name), &random))
        }
        let draft = randomDraft("random", most: 6, children.map(\.name), &random)
        let input = randomPayload(&random)
        let results = (0..<Int.random(in: 0...4, using: &random)).map { _ in randomPayload(&random) }
        let startDelay: Milliseconds? = random.chance(0.05) ? Int64.random(in: 1...5_000, using: &random) : nil
        let isAfterRewind = random.chance(0.05)
        var rewindsLeft = Int.random(in: 0...2, using: &random)
        var choices = (0..<Int.random(in: 5...120, using: &random)).map { _ in
            var choice = randomChoice(&random)
            if case .rewind = choice {
                if rewindsLeft == 0 { choice = .pass(Int64.random(in: 0...30_000, using: &random)) }
                rewindsLeft -= 1
            }
            return choice
        }
        let isReplicated = random.chance(0.3)
        if isReplicated { addConfirmations(to: &choices, &random) }
        return SagaCase(
            id: "s-\(seed)", draft: draft, children: children, input: input, results: results, startDelay: startDelay,
            isAfterRewind: isAfterRewind, isReplicated: isReplicated, choices: choices)
    }

    private static func addConfirmations(to choices: inout [Choice], _ random: inout SeededRandom) {
        let share = random.pick([0.1, 0.3, 0.6])
        choices = choices.flatMap { choice in
            random.chance(share) ? [choice, .confirm(saga: randomSaga(&random))] : [choice]
        }
    }

    // MARK: What happens

    private static func randomChoice(_ random: inout SeededRandom) -> Choice {
        // The messages of one saga under way are few.
        let place = Int.random(in: 0..<8, using: &random)
        return switch Int.random(in: 0..<100, using: &random) {
        case 0..<31: .execute(place, randomWill(&random))
        case 31..<61: .answer(place)
        case 61..<64: .loseCommand(place)
        case 64..<67: .loseAnswer(place)
        case 67..<71: .doubleCommand(place)
        case 71..<75: .doubleAnswer(place)
        case 75..<77: .beat(place)
        case 77..<89: .pass(Int64.random(in: 0...3_000, using: &random))
        case 89..<94:
            .order(
                random.pick(Order.Operation.allCases), step: random.chance(0.7) ? place : nil, saga: randomSaga(&random)
            )
        case 94..<98:
            .signal(
                place, id: random.chance(0.5) ? Int.random(in: 1...3, using: &random) : nil, saga: randomSaga(&random))
        default: .rewind(losing: Int.random(in: 0...12, using: &random))
        }
    }

    /// The parent, or one of its children.
    private static func randomSaga(_ random: inout SeededRandom) -> Int {
        random.chance(0.6) ? 0 : Int.random(in: 0...2, using: &random)
    }

    private static func randomWill(_ random: inout SeededRandom) -> Will {
        switch Int.random(in: 0..<20, using: &random) {
        case 0, 1: .refuse(code: randomCode(&random))
        case 2, 3, 4: .stumble(code: randomCode(&random))
        case 5: .stumble(retryAfter: Int64.random(in: 1...10_000, using: &random))
        default: .succeed
        }
    }

    // MARK: Definitions

    private static func randomDraft(
        _ name: String, most: Int, _ children: [String], _ random: inout SeededRandom
    ) -> DefinitionDraft {
        let count = Int.random(in: name == "random" && random.chance(0.1) ? 7...12 : 1...most, using: &random)
        let pivot = random.chance(name == "random" ? 0.4 : 0.15) ? Int.random(in: 0..<count, using: &random) : nil
        let isGraph = random.chance(0.5)
        var steps = (0..<count).map { randomStep($0, pivot: pivot, children, &random) }
        if isGraph {
            for index in steps.indices { steps[index].after = randomLinks(index, pivot: pivot, &random) }
        }
        addValues(to: &steps, &random)
        let order: CompensationOrder? = random.chance(0.2) ? .parallel : nil
        var whenStuck: WhenStuck? = random.chance(0.3) ? .hold : nil
        // Where a lost list's step was undone although a later one was stuck, the later one's items are not asked for.
        if order == nil, steps.contains(where: \.hasListOfResults) { whenStuck = .hold }
        return DefinitionDraft(
            name: name, version: 1, deadline: random.chance(0.3) ? 20_000 : nil, order: order,
            whenStuck: whenStuck, steps: steps)
    }

    private static func randomStep(
        _ index: Int, pivot: Int?, _ children: [String], _ random: inout SeededRandom
    ) -> StepDraft {
        let name = "s\(index)"
        if !children.isEmpty, random.chance(0.3) {
            return StepDraft(name: name, saga: random.pick(children), isPivot: index == pivot)
        }
        if index != pivot, random.chance(0.2) {
            if random.chance(0.5) { return StepDraft(name: name, delay: Int64.random(in: 1...5_000, using: &random)) }
            return StepDraft(
                name: name, signal: random.pick(["go", "ok"]), timeout: random.chance(0.5) ? 6_000 : nil)
        }
        var step = StepDraft(name: name, service: "v\(index)", action: "do", timeout: 1_000, isPivot: index == pivot)
        if index != pivot, random.chance(0.7) {
            step.retry = randomRetry(&random, attempts: Int.random(in: 0...4, using: &random))
        }
        if index < pivot ?? .max {
            step.compensation = random.chance(0.85) ? .operation("undo") : random.pick([.absent, .none])
        }
        if case .operation = step.compensation, random.chance(0.3) {
            step.compensationRetry = randomRetry(&random, attempts: Int.random(in: 0...3, using: &random))
        }
        if random.chance(0.3) { addCodes(to: &step, pivot.map { index > $0 } ?? false, &random) }
        return step
    }

    private static func randomRetry(_ random: inout SeededRandom, attempts: Int) -> RetryPolicyDraft {
        var retry = RetryPolicyDraft(attempts: attempts)
        guard random.chance(0.3) else { return retry }
        retry.initial = Int64.random(in: 1...1_000, using: &random)
        retry.factor = random.pick([1, 1.5, 3])
        retry.max = Int64.random(in: 1_000...5_000, using: &random)
        retry.jitter = random.pick([0, 0.5, 1])
        return retry
    }

    /// The steps that one comes after: earlier ones, so that there is no cycle, and on its own side of the pivot.
    private static func randomLinks(_ index: Int, pivot: Int?, _ random: inout SeededRandom) -> [String] {
        guard let pivot, index >= pivot else {
            return (0..<index).filter { _ in random.chance(0.5) }.map { "s\($0)" }
        }
        if index == pivot { return (0..<index).map { "s\($0)" } }
        let others = (pivot + 1..<index).filter { _ in random.chance(0.5) }.map { "s\($0)" }
        return others.isEmpty || random.chance(0.5) ? ["s\(pivot)"] + others : others
    }
}

extension StepDraft {
    fileprivate var hasListOfResults: Bool {
        if case .result = forEach?.items.root { true } else { false }
    }
}
