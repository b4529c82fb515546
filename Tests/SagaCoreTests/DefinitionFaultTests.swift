import SagaCore
import TestSupport
import Testing

/// What a refused draft is told. (The whole corpus of faults, with lines and columns, is in the tests of definition
/// files.)
struct DefinitionFaultTests {
    private func faults(_ draft: DefinitionDraft) -> [String] {
        do throws(DefinitionFaults) {
            _ = try Definition(validating: draft)
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    private func step(_ name: String) -> StepDraft { StepDraft(name, service: "svc", action: "do") }

    @Test func allFaultsAreToldAtOnceInTheOrderOfTheFile() {
        var second = step("b").retry(attempts: -1, factor: 0.5)
        second.after = ["c", "b", "a", "a"]
        let draft = DefinitionDraft(
            name: "my order", version: 0, deadline: 0,
            steps: [StepDraft(name: "a."), second, StepDraft(name: "a", after: [])])
        let name = "use 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit"
        #expect(
            faults(draft) == [
                "name: 'my order' is no name: \(name)",
                "version: version 0 is out of range: from 1 to 9007199254740991",
                "deadline: deadline 0ms is out of range: from 1ms to 365d",
                "steps.0.name: 'a.' is no step name: use 1 to 64 letters, digits, '_' or '-', the first a letter or digit",
                "steps.0: a step needs a service and an action",
                "steps.1.retry.attempts: attempts -1 is out of range: from 0 to 1000000, and 0 is without end",
                "steps.1.retry.factor: factor 0.5 is out of range: from 1 to 100",
                "steps.1.after.0: there is no step 'c'",
                "steps.1.after.1: a step cannot come after itself",
                "steps.1.after.3: 'a' is named twice",
                "steps.2: a step needs a service and an action",
            ])
    }

    @Test func aCycleIsToldAsTheWayThroughIt() {
        let draft = DefinitionDraft(
            name: "d", version: 1,
            steps: [
                step("start"), step("a").after("c", "start"), step("b").after("a"), step("c").after("b"),
                step("behind").after("c"),
            ])
        #expect(faults(draft) == ["steps.1.after: the order of the steps has a cycle: a → b → c → a"])
    }

    @Test func eachOfSeveralCyclesIsTold() {
        let draft = DefinitionDraft(
            name: "d", version: 1,
            steps: [
                step("a").after("b"), step("b").after("a"), step("c").after("d", "a"), step("d").after("e"),
                step("e").after("c"),
            ])
        #expect(
            faults(draft) == [
                "steps.0.after: the order of the steps has a cycle: a → b → a",
                "steps.2.after: the order of the steps has a cycle: c → e → d → c",
            ])
    }

    @Test func oneStepTooManyIsRefused() {
        let draft = DefinitionDraft(name: "d", version: 1, steps: (0...100).map { step("s\($0)") })
        #expect(faults(draft) == ["steps: 101 steps are too many: at most 100"])
    }

    @Test func numbersThatAreNoneAreRefused() {
        let draft = DefinitionDraft(
            name: "d", version: 1, steps: [step("a").retry(factor: .nan, jitter: .infinity)])
        #expect(
            faults(draft) == [
                "steps.0.retry.factor: factor nan is out of range: from 1 to 100",
                "steps.0.retry.jitter: jitter inf is out of range: from 0 to 1",
            ])
    }

    /// What no file can say, because its reader doesn't get that far.
    @Test func conditionsThatCannotBeWrittenAreRefused() {
        let conditions: [(Condition, String)] = [
            (.all([]), "and: and needs at least one condition"),
            (.not(.any([])), "not.or: or needs at least one condition"),
            (
                .test(ValuePath(.input, ["a.b"]), .exists(true)),
                "path: 'input.a.b' is no path: none of its parts can be empty or have a dot in it"
            ),
            (
                .test(ValuePath(.input, [""]), .exists(true)),
                "path: 'input.' is no path: none of its parts can be empty or have a dot in it"
            ),
            (
                Condition("input", .equals(.array([1]))),
                "equals: only a text, a number, true, false or null can be compared with"
            ),
            (
                Condition("input", .isOneOf([1, .object([])])),
                "in.1: only a text, a number, true, false or null can be compared with"
            ),
            (Condition("input", .atMost(.number("0x1"))), "atMost: '0x1' is no number"),
            (Condition("input", .atMost(.number("1 "))), "atMost: '1 ' is no number"),
            (Condition("input", .equals(.number("inf"))), "equals: 'inf' is no number"),
            (
                Condition("input", .lessThan(.null)),
                "lessThan: lessThan must be a number or a text: nothing else has an order"
            ),
        ]
        for (condition, fault) in conditions {
            let draft = DefinitionDraft(name: "d", version: 1, steps: [step("a").when(condition)])
            #expect(faults(draft) == ["steps.0.when.\(fault)"])
        }
    }

    @Test func emptyOrUnknownPartsOfStepsAreRefused() {
        let draft = DefinitionDraft(
            name: "d", version: 1,
            steps: [
                step("a").emits().noRetry().forEach(ValuePath(.result("x.y"), ["z"]), parallel: 101),
                StepDraft("b", until: .at(.min)), StepDraft("c", until: .at(253_402_300_800_000)),
            ])
        #expect(
            faults(draft) == [
                "steps.0.forEach.items: 'result.x.y.z' is no path: none of its parts can be empty or have a dot in it",
                "steps.0.forEach.parallel: parallel 101 is out of range: from 1 to 100",
                "steps.0.noRetry: noRetry needs at least one error code: remove it where there is none",
                "steps.0.emits: emits needs a topic: that of succeeded, of failed, or both",
                "steps.0.forEach.items: there is no step 'x.y'",
                "steps.1.until: until -9223372036854775808 is out of range: Unix milliseconds from 1970 to 9999",
                "steps.2.until: until 253402300800000 is out of range: Unix milliseconds from 1970 to 9999",
            ])
    }

    @Test func whatSomebodyWroteIsShownOnOneLine() {
        let draft = DefinitionDraft(name: "a\n\u{1b}[31m\u{2028}" + String(repeating: "x", count: 200), version: 1)
        let shown = "'a\u{fffd}\u{fffd}[31m\u{fffd}\(String(repeating: "x", count: 72))…'"
        #expect(faults(draft).first?.contains(shown) == true)
    }

    @Test func namesThatAreNearAreSuggested() {
        #expect(FaultText.nearest(to: "compensaton", among: ["compensation", "action"]) == "compensation")
        #expect(FaultText.nearest(to: "nmae", among: ["name"]) == "name")
        #expect(FaultText.nearest(to: "at", among: ["max"]) == nil)
        #expect(FaultText.nearest(to: "retries", among: ["retry"]) == nil)
        #expect(FaultText.nearest(to: "step-3", among: ["step-1", "step-33"]) == "step-1")
    }
}

/// Spans of time as people write them.
struct DurationTextTests {
    @Test(arguments: [
        ("250ms", 250), ("30s", 30_000), ("15m", 900_000), ("48h", 172_800_000), ("7d", 604_800_000), ("0s", 0),
        ("999999999999999999ms", 999_999_999_999_999_999),
    ])
    func spansAreRead(text: String, span: Milliseconds) {
        #expect(DurationText.parse(text) == span)
    }

    @Test(arguments: [
        "", "30", "s", "1.5s", "-1s", "+1s", "1 s", " 1s", "1s ", "01s", "1S", "1w", "1us", "1s1ms", "٣s", "1e3s",
        "1000000000000000000ms", "999999999999999999d",
    ])
    func whatIsNoSpanIsRefused(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(arguments: [(0, "0ms"), (1, "1ms"), (1500, "1500ms"), (90_000, "90s"), (120_000, "2m"), (86_400_000, "1d")])
    func spansAreWrittenInTheLargestUnitThatFits(span: Milliseconds, text: String) {
        #expect(DurationText.format(span) == text)
        #expect(DurationText.parse(text) == span)
    }
}
