import SagaCore
import TestSupport

/// What payloads and error codes decide.
extension SagaCase {
    /// The longest list in a payload.
    static let mostItems = 5

    static func randomPayload(_ random: inout SeededRandom) -> String {
        // Seldom one that is no JSON: it fails whatever asks about it.
        if random.chance(0.03) { return "nope" }
        return random.pick([
            "", "{}", #"{"a":1}"#, #"{"a":2,"l":[1,2]}"#, #"{"l":[]}"#, #"{"a":1,"l":[1,"x",null,{"b":2},5]}"#,
            "[1,2,3]",
            #"{"a":"x","l":[7]}"#, "1", #"{"a":3,"l":["x",4,1,2]}"#,
        ])
    }

    static func randomCode(_ random: inout SeededRandom) -> String? {
        random.chance(0.3) ? nil : random.pick(["no", "busy"])
    }

    static func addCodes(to step: inout StepDraft, _ isAfterPivot: Bool, _ random: inout SeededRandom) {
        guard !step.isPivot else { return }
        let codes = ["no", "busy", "timeout", "late"]
        func some(_ random: inout SeededRandom) -> [String]? {
            let picked = codes.filter { _ in random.chance(0.4) }
            return picked.isEmpty ? nil : picked
        }
        step.noRetry = random.chance(0.5) ? some(&random) : nil
        guard !isAfterPivot else { return }
        if random.chance(0.5) { step.stopOn = some(&random) } else { step.compensateOn = some(&random) }
    }

    /// Gives steps conditions and lists, about the input and the results of those before.
    static func addValues(to steps: inout [StepDraft], _ random: inout SeededRandom) {
        guard random.chance(0.6) else { return }
        let before = predecessors(of: steps)
        for index in steps.indices {
            let sources = before[index].filter { steps[$0].service != nil }.sorted()
            if random.chance(0.25) { steps[index].when = randomCondition(sources, &random) }
            if steps[index].saga != nil, !sources.isEmpty, random.chance(0.4) {
                steps[index].inputFrom = steps[random.pick(sources)].name
            }
            guard random.chance(0.25), steps[index].service != nil, !steps[index].isPivot else { continue }
            let root = randomRoot(sources, &random)
            let isOfItems =
                if case .result(let name) = root { steps.contains { $0.name == name && $0.forEach != nil } } else {
                    false
                }
            steps[index].forEach = ForEach(
                ValuePath(root, isOfItems ? [] : ["l"]), parallel: Int.random(in: 1...3, using: &random))
        }
    }

    /// For each step, those that it comes after, directly or not.
    private static func predecessors(of steps: [StepDraft]) -> [Set<Int>] {
        var before: [Set<Int>] = []
        for index in steps.indices {
            let direct = steps[index].after?.compactMap { name in steps.firstIndex { $0.name == name } }
            let earlier = direct ?? (index == 0 ? [] : [index - 1])
            before.append(earlier.reduce(into: Set(earlier)) { $0.formUnion(before[$1]) })
        }
        return before
    }

    private static func randomCondition(_ sources: [Int], _ random: inout SeededRandom) -> Condition {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: .not(randomTest(sources, &random))
        case 1: .all([randomTest(sources, &random), randomTest(sources, &random)])
        case 2: .any([randomTest(sources, &random), randomTest(sources, &random)])
        default: randomTest(sources, &random)
        }
    }

    private static func randomTest(_ sources: [Int], _ random: inout SeededRandom) -> Condition {
        let path = ValuePath(randomRoot(sources, &random), random.pick([[], ["a"], ["a"], ["a"], ["l", "0"]]))
        let test: Condition.Test =
            switch Int.random(in: 0..<6, using: &random) {
            case 0: .exists(random.chance(0.6))
            case 1: .equals(1)
            case 2: .notEquals("x")
            case 3: .greaterThan(1)
            case 4: .isOneOf([1, "x"])
            default: .atMost(2)
            }
        return .test(path, test)
    }

    private static func randomRoot(_ sources: [Int], _ random: inout SeededRandom) -> ValuePath.Root {
        guard !sources.isEmpty, random.chance(0.6) else { return .input }
        return .result("s\(random.pick(sources))")
    }
}
