import TestSupport
import Testing

@testable import SagaCore

struct ConditionTests {
    /// The answer about an input.
    private func isMet(_ condition: Condition, _ input: String) throws -> Bool {
        let payload = try JSON.parse(Array(input.utf8))
        return try condition.isMet { (path) throws(PayloadFault) in path.find(in: payload) }
    }

    private func accepts(_ test: Condition.Test, _ value: String) throws -> Bool {
        try isMet(.test(ValuePath(.input), test), value)
    }

    @Test(arguments: [
        ("1", "1"), ("1", "1.0"), ("1", "1e0"), ("100", "1E2"), ("-0", "0"), ("0.5", "5e-1"), ("0.10", "0.1"),
        ("9007199254740993", "9007199254740993"), ("18446744073709551616", "1.8446744073709551616e19"),
    ])
    func numbersAreEqualByWhatTheyAreWorth(left: String, right: String) throws {
        for (value, other) in [(left, right), (right, left)] {
            #expect(try accepts(.equals(.number(other)), value))
            #expect(try !accepts(.notEquals(.number(other)), value))
            #expect(try accepts(.isOneOf(["x", .number(other)]), value))
            #expect(try accepts(.atLeast(.number(other)), value) && accepts(.atMost(.number(other)), value))
            #expect(try !accepts(.greaterThan(.number(other)), value) && !accepts(.lessThan(.number(other)), value))
        }
    }

    @Test(arguments: [
        ("1", "2"), ("-2", "-1"), ("9", "10"), ("0.1", "0.2"), ("1", "1.5"), ("-1e300", "1"),
        ("9007199254740992", "9007199254740993"), ("9223372036854775806", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775807"), ("9223372036854775807", "1e20"),
        (#""a""#, #""b""#), (#""""#, #""a""#), (#""B""#, #""a""#), (#""a""#, #""ab""#), (#""10""#, #""9""#),
        // By scalars, not by UTF-16: U+FF5E comes before U+1F642.
        (#""\uff5e""#, #""\ud83d\ude42""#),
    ])
    func whatIsLessIsLess(less: String, more: String) throws {
        let (low, high) = (try JSON.parse(Array(less.utf8)), try JSON.parse(Array(more.utf8)))
        #expect(try accepts(.lessThan(high), less) && accepts(.atMost(high), less))
        #expect(try accepts(.greaterThan(low), more) && accepts(.atLeast(low), more))
        #expect(try !accepts(.lessThan(low), more) && !accepts(.atMost(low), more))
        #expect(try !accepts(.greaterThan(high), less) && !accepts(.atLeast(high), less))
        #expect(try !accepts(.equals(high), less) && accepts(.notEquals(high), less))
    }

    @Test(arguments: [#""1""#, "true", "null", "[1]", #"{"a":1}"#])
    func aNumberAndSomethingElseAreNeitherEqualNorOrdered(value: String) throws {
        #expect(try !accepts(.equals(1), value))
        #expect(try accepts(.notEquals(1), value))
        for test: Condition.Test in [.greaterThan(1), .lessThan(1), .atLeast(1), .atMost(1)] {
            #expect(try !accepts(test, value))
        }
    }

    @Test func textIsComparedByItsScalars() throws {
        #expect(try accepts(.equals("é"), #""\u00e9""#))
        #expect(try !accepts(.equals("é"), #""e\u0301""#), "composed and decomposed are different texts")
        #expect(try accepts(.notEquals("e\u{301}"), #""\u00e9""#))
        #expect(try !accepts(.equals("A"), #""a""#))
    }

    @Test func truthAndNullAreEqualToThemselvesOnly() throws {
        #expect(try accepts(.equals(true), "true") && accepts(.equals(.null), "null"))
        #expect(
            try !accepts(.equals(true), "false") && !accepts(.equals(false), "null") && !accepts(.equals(.null), "0"))
        #expect(try !accepts(.equals("true"), "true") && !accepts(.greaterThan(true), "true"))
        #expect(try accepts(.isOneOf([.null, false]), "false") && !accepts(.isOneOf([.null, false]), "true"))
    }

    @Test func listsAndObjectsAreEqualToNothingThatADefinitionCanName() throws {
        for value in ["[]", "[1]", "{}", #"{"a":1}"#] {
            #expect(try !accepts(.isOneOf([.null, true, false, 0, 1, "", "[1]"]), value))
            #expect(try accepts(.notEquals(1), value) && accepts(.exists(true), value))
            #expect(try !accepts(.hasPrefix(""), value))
        }
    }

    @Test func aPrefixIsHowTextBegins() throws {
        #expect(try accepts(.hasPrefix("EU-"), #""EU-17""#) && accepts(.hasPrefix(""), #""x""#))
        #expect(try !accepts(.hasPrefix("EU-"), #""eu-17""#) && !accepts(.hasPrefix("EU-"), #""E""#))
        #expect(try !accepts(.hasPrefix("1"), "17"), "a number is no text")
        #expect(try accepts(.hasPrefix("e"), #""e\u0301""#), "by scalars, not by what looks like one character")
    }

    @Test func whereThereIsNoValueEveryTestIsFalseButThatItDoesNotExist() throws {
        let tests: [Condition.Test] = [
            .equals(.null), .notEquals(1), .greaterThan(0), .lessThan(0), .atLeast(0), .atMost(0), .isOneOf([.null]),
            .hasPrefix(""), .exists(true),
        ]
        for test in tests {
            #expect(try !isMet(Condition("input.a", test), "{}"), "\(test)")
            #expect(try isMet(!Condition("input.a", test), "{}"), "\(test)")
        }
        #expect(try isMet(Condition("input.a", .exists(false)), "{}"))
        #expect(try !isMet(Condition("input.a", .exists(false)), #"{"a":null}"#), "null is a value")
        #expect(try isMet(Condition("input.a", .exists(true)), #"{"a":null}"#))
        #expect(try isMet(Condition("input.0.a", .exists(false)), #"{"a":null}"#))
    }

    @Test func combinationsMeanWhatTheySay() throws {
        let (yes, no) = (Condition("input", .exists(true)), Condition("input", .exists(false)))
        #expect(try isMet(yes && yes, "1") && !isMet(yes && no, "1") && !isMet(no && yes, "1"))
        #expect(try isMet(yes || no, "1") && isMet(no || yes, "1") && !isMet(no || no, "1"))
        #expect(try !isMet(!yes, "1") && isMet(!(yes && no), "1"))
        #expect(try isMet(.all([]), "1") && !isMet(.any([]), "1"))
        #expect((yes && no && yes) == .all([yes, no, yes]))
        #expect((yes || no || yes) == .any([yes, no, yes]))
        #expect(((yes || no) && yes) == .all([.any([yes, no]), yes]))
    }

    @Test func severalTestsOfOnePathMustAllHold() throws {
        let between = Condition("input.n", .atLeast(1), .lessThan(10))
        #expect(try isMet(between, #"{"n":1}"#) && !isMet(between, #"{"n":10}"#) && !isMet(between, #"{"n":0.5}"#))
        #expect(Condition(path: "input.n", .atLeast(1), .lessThan(10)) == between)
        #expect(Condition(path: "n", .atLeast(1)) == nil)
    }

    @Test func aPayloadThatIsNoJSONIsAnErrorAndOnlyWhereItIsAsked() throws {
        let condition = Condition("input", .exists(true)) || Condition("result.a", .exists(true))
        func ask(_ condition: Condition) throws(PayloadFault) -> Bool {
            try condition.isMet { (path) throws(PayloadFault) in
                guard path.root == .input else { throw PayloadFault(reason: "no JSON") }
                return .null
            }
        }
        #expect(try ask(condition), "the result isn't asked for once the answer is known")
        let other = Condition("input", .equals(1)) || Condition("result.a", .exists(false))
        #expect(throws: PayloadFault(reason: "no JSON")) { try ask(other) }
    }

    @Test func pathsComeInTheOrderOfTheText() {
        let condition =
            Condition("input.a", .exists(true))
            && !(Condition("result.s.b", .equals(1)) || Condition("input", .equals(2)))
        #expect(condition.paths.map(\.description) == ["input.a", "result.s.b", "input"])
    }

    /// De Morgan, double negation and idempotence, on conditions of every shape.
    @Test func lawsOfLogicHold() throws {
        let seed = SeededRandom.pickSeed()
        var conditions = RandomConditions(random: SeededRandom(seed: seed), steps: ["s"])
        let payloads = ["null", "0", #""true""#, #"{"total":5,"é":[true,"a"]}"#, #"["EU-1",{"0":null}]"#]
        for round in 0..<500 {
            let (left, right) = (conditions.condition(), conditions.condition())
            let payload = conditions.random.pick(payloads)
            let comment: Comment = "SKALD_TEST_SEED=\(seed), round \(round)"
            #expect(try isMet(!(left && right), payload) == isMet(!left || !right, payload), comment)
            #expect(try isMet(!(left || right), payload) == isMet(!left && !right, payload), comment)
            #expect(try isMet(!(!left), payload) == isMet(left, payload), comment)
            #expect(try isMet(left && left, payload) == isMet(left || left, payload), comment)
        }
    }
}
