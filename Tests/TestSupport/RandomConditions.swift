package import SagaCore

/// Makes conditions of every shape that the rules allow, on the input and on these steps' results.
package struct RandomConditions {
    package var random: SeededRandom
    private let steps: [String]

    package init(random: SeededRandom, steps: [String]) {
        self.random = random
        self.steps = steps
    }

    package mutating func condition(depth: Int = 4) -> Condition {
        switch depth > 1 ? Int.random(in: 0..<6, using: &random) : 5 {
        case 0: return .all(conditions(depth - 1))
        case 1: return .any(conditions(depth - 1))
        case 2: return .not(condition(depth: depth - 1))
        default: return .test(path(), test())
        }
    }

    private mutating func conditions(_ depth: Int) -> [Condition] {
        (0..<Int.random(in: 1...3, using: &random)).map { _ in condition(depth: depth) }
    }

    package mutating func path() -> ValuePath {
        let keys = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            random.pick(["total", "0", "é", "a b", "\"", "\n", "true"])
        }
        guard !steps.isEmpty, random.chance(0.5) else { return ValuePath(.input, keys) }
        return ValuePath(.result(random.pick(steps)), keys)
    }

    private mutating func test() -> Condition.Test {
        switch Int.random(in: 0..<9, using: &random) {
        case 0: .equals(scalar())
        case 1: .notEquals(scalar())
        case 2: .greaterThan(ordered())
        case 3: .lessThan(ordered())
        case 4: .atLeast(ordered())
        case 5: .atMost(ordered())
        case 6: .isOneOf((0..<Int.random(in: 1...3, using: &random)).map { _ in scalar() })
        case 7: .exists(random.chance(0.5))
        default: .hasPrefix(random.pick(["", "EU-", "\\"]))
        }
    }

    private mutating func scalar() -> JSON {
        random.chance(0.3) ? random.pick([.null, .bool(true), .bool(false)]) : ordered()
    }

    private mutating func ordered() -> JSON {
        random.pick([
            .number("0"), .number("-1.50"), .number("1E+2"), .number("9007199254740993"), .string(""), .string("é🙂"),
            .string("a\"b\\c\nd"), .string("true"), .string("12"),
        ])
    }
}
