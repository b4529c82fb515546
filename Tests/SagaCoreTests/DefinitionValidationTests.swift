import SagaCore
import Testing

/// What validation makes of drafts that keep the rules.
struct DefinitionValidationTests {
    private func step(_ name: String) -> StepDraft { StepDraft(name, service: "svc", action: "do-\(name)") }

    @Test func absentValuesGetTheProtocolsDefaults() throws {
        let definition = try Definition("order", version: 1) { step("create").compensated(by: "cancel") }
        #expect(definition.id == "order@1")
        #expect(definition.deadline == nil)
        #expect(definition.durability == .async)
        #expect(definition.order == .reverse)
        #expect(definition.whenStuck == .continue)
        #expect(definition.pivot == nil)
        let create = definition.steps[0]
        #expect(create.timeout == 30_000)
        #expect(create.retry == RetryPolicy(attempts: 10, initial: 200, factor: 2, max: 30_000, jitter: 0.2))
        #expect(
            create.compensationRetry == RetryPolicy(attempts: 0, initial: 500, factor: 2, max: 300_000, jitter: 0.2))
        #expect(create.after.isEmpty && create.uses.isEmpty)
    }

    @Test func aStepComesAfterTheOneBeforeItUnlessItSaysOtherwise() throws {
        let definition = try Definition("d", version: 1) {
            step("a")
            step("b")
            step("c").after("a")
            step("d").after()
            step("e").after("d", "b")
        }
        #expect(definition.steps.map(\.after) == [[], [0], [0], [], [1, 3]])
        #expect(definition.dependents == [[1, 2], [4], [], [4], []])
    }

    @Test func linksComeOutInTheOrderOfTheFile() throws {
        let definitions = try [["a", "b"], ["b", "a"]].map { names in
            var last = step("c")
            last.after = names
            last.uses = names
            return try Definition("d", version: 1) {
                step("a")
                step("b").after()
                last
            }
        }
        #expect(definitions[0] == definitions[1])
        #expect(definitions[0].steps[2].uses == [0, 1])
    }

    @Test func aResultCanBeUsedFromAnyEarlierStep() throws {
        let definition = try Definition("d", version: 1) {
            step("a")
            step("b")
            step("c").uses("a")
        }
        #expect(definition.steps[2].uses == [0])
    }

    @Test func aPivotMakesTheSagaReplicatedAndWhatFollowsRetriable() throws {
        let definition = try Definition("d", version: 1) {
            step("a").compensated(by: "undo-a")
            step("b").pivot().retry(initial: .seconds(1))
            step("c").retry(attempts: 3)
            step("d")
        }
        #expect(definition.durability == .replicated)
        #expect(definition.pivot == 1)
        #expect(definition.steps.map(\.isAfterPivot) == [false, false, true, true])
        #expect(definition.steps.map(\.retry.attempts) == [10, 0, 3, 0])
        #expect(definition.steps[1].retry.initial == 1000)
    }

    @Test func aPivotCanBeAsyncWhereTheDefinitionSaysSo() throws {
        let definition = try Definition("d", version: 1, durability: .async) { step("a").pivot() }
        #expect(definition.durability == .async)
    }

    @Test func aWaivedCompensationIsNoWarningAndAnAbsentOneIs() throws {
        let definition = try Definition("d", version: 1) {
            step("a")
            step("b").withoutCompensation()
            step("c").compensated(by: "undo-c")
            step("d").pivot()
            step("e")
        }
        #expect(definition.steps.map(\.isCompensationWaived) == [false, true, false, false, false])
        #expect(
            Definition.warnings(of: definition).map(\.description) == [
                "steps.0: step 'a' has no compensation: write 'compensation: null' if there is nothing to undo"
            ])
    }

    @Test func limitsAreAllowedThemselves() throws {
        let definition = try Definition(
            validating: DefinitionDraft(
                name: String(repeating: "n", count: 64), version: 9_007_199_254_740_991, deadline: 1,
                steps: (0..<100).map { index in
                    StepDraft(
                        name: "s\(index)", service: "s", action: "a", timeout: 31_536_000_000,
                        retry: RetryPolicyDraft(
                            attempts: 1_000_000, initial: 31_536_000_000, factor: 100, max: 31_536_000_000, jitter: 1))
                }))
        #expect(definition.steps.count == 100)
    }

    @Test func aStepIsFoundByItsName() throws {
        let definition = try Definition("d", version: 1) {
            step("a")
            step("b")
        }
        #expect(definition.step(named: "b") == 1)
        #expect(definition.step(named: "c") == nil)
    }
}

/// The steps of a definition that is written in Swift.
struct DefinitionBuilderTests {
    @Test func everyModifierEndsUpInItsStep() throws {
        let definition = try Definition(
            "order", version: 7, deadline: .seconds(900), durability: .replicated, order: .parallel, whenStuck: .hold
        ) {
            StepDraft("a", service: "s", action: "do").compensated(by: "undo").timeout(.milliseconds(250))
                .retry(attempts: 3, initial: .seconds(1), factor: 1.5, max: .seconds(2), jitter: 0)
                .compensationRetry(attempts: 5, initial: .seconds(3), factor: 3, max: .seconds(4), jitter: 1)
            StepDraft("b", service: "s", action: "do").after("a").uses("a").pivot()
        }
        #expect(definition.version == 7)
        #expect(definition.deadline == 900_000)
        #expect(definition.durability == .replicated)
        #expect(definition.order == .parallel)
        #expect(definition.whenStuck == .hold)
        let a = definition.steps[0]
        #expect(a.compensation == "undo")
        #expect(a.timeout == 250)
        #expect(a.retry == RetryPolicy(attempts: 3, initial: 1000, factor: 1.5, max: 2000, jitter: 0))
        #expect(a.compensationRetry == RetryPolicy(attempts: 5, initial: 3000, factor: 3, max: 4000, jitter: 1))
        #expect(definition.steps[1].after == [0] && definition.steps[1].uses == [0])
        #expect(definition.pivot == 1)
    }

    @Test func conditionsItemsEventsAndCodesEndUpInTheirSteps() throws {
        let definition = try Definition(
            "order", version: 1, retention: .seconds(3600), trigger: EventTrigger(event: "Placed", isPerEvent: true)
        ) {
            StepDraft("reserve", service: "s", action: "do").compensated(by: "undo").forEach("input.items", parallel: 4)
                .noRetry(on: "no-stock", ErrorCodes.timeout).compensate(on: "no-stock")
            StepDraft("bonus", saga: "award-points", inputFrom: "reserve").emits(succeeded: "Awarded", failed: "Missed")
            StepDraft("rest", until: "result.reserve.at").when(Condition("input.total", .greaterThan(0.5)))
            StepDraft("holiday", until: "2026-12-24T18:00:00Z").after("reserve")
            StepDraft("note", service: "s", action: "do").withoutCompensation().stop(on: "gone").forEach("input")
        }
        #expect(definition.retention == 3_600_000)
        #expect(definition.trigger == EventTrigger(event: "Placed", isPerEvent: true))
        let steps = definition.steps
        #expect(steps[0].forEach == ForEach(ValuePath(.input, ["items"]), parallel: 4))
        #expect(steps[0].codes == ErrorCodes(noRetry: ["no-stock", "timeout"], compensateOn: ["no-stock"]))
        #expect(steps[1].kind == .child(definition: "award-points", inputFrom: 0))
        #expect(steps[1].emits == Emits(succeeded: "Awarded", failed: "Missed"))
        #expect(steps[2].kind == .until(.path(ValuePath(.result("reserve"), ["at"]))))
        #expect(steps[2].when == .test(ValuePath(.input, ["total"]), .greaterThan(.number("0.5"))))
        #expect(steps[3].kind == .until(.at(1_798_135_200_000)))
        #expect(steps[4].forEach?.parallel == 10)
        #expect(steps[4].codes == ErrorCodes(stopOn: ["gone"]))
        #expect(Definition.warnings(of: definition).isEmpty)
        #expect(definition.children == [1] && definition.emitting == [1])
    }

    @Test func aChildCanBeThePivot() throws {
        let definition = try Definition("d", version: 1) {
            StepDraft("before", saga: "c")
            StepDraft("ship", saga: "e").pivot()
            StepDraft("behind", saga: "c", inputFrom: "ship").emits(succeeded: "Done")
        }
        #expect(definition.pivot == 1)
        #expect(definition.durability == .replicated)
        #expect(definition.steps.map(\.isAfterPivot) == [false, false, true])
    }

    @Test(arguments: [true, false])
    func stepsCanBeChosenAndRepeated(isGift: Bool) throws {
        let definition = try Definition("d", version: 1) {
            if isGift {
                StepDraft("wrap", service: "s", action: "wrap")
            } else {
                StepDraft("bag", service: "s", action: "bag")
            }
            for index in 1...2 { StepDraft("ship-\(index)", service: "s", action: "ship") }
            if isGift { StepDraft("card", service: "s", action: "card") }
            [StepDraft("last", service: "s", action: "last")]
        }
        #expect(
            definition.steps.map(\.name)
                == (isGift ? ["wrap", "ship-1", "ship-2", "card", "last"] : ["bag", "ship-1", "ship-2", "last"]))
    }

    @Test func spansAreRoundedUpAndWhatDoesNotFitIsRefused() throws {
        #expect(Duration.microseconds(1).milliseconds == 1)
        #expect(Duration.microseconds(1500).milliseconds == 2)
        #expect(Duration.milliseconds(1500).milliseconds == 1500)
        #expect(Duration.microseconds(-1).milliseconds == -1)
        #expect(Duration.seconds(Int64.max).milliseconds == .max)
        #expect(throws: DefinitionFaults.self) {
            try Definition("d", version: 1, deadline: .seconds(Int64.max)) {
                StepDraft("a", service: "s", action: "do")
            }
        }
    }
}
