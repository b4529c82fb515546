import SagaCore
import Testing

/// create, then a child saga, then ship.
func parentDefinition(deadline: Duration? = nil) throws -> Definition {
    try Definition("order", version: 1, deadline: deadline) {
        command("create")
        StepDraft("loyalty", saga: "award-points")
        command("ship")
    }
}

@Suite("A child saga, as its parent sees it")
struct ChildTests {
    /// The child is under way.
    private func parent() throws -> MachineHarness {
        var harness = MachineHarness(try parentDefinition())
        harness.succeed("create")
        #expect(harness.take() == ["create action 1", "loyalty child"])
        return harness
    }

    @Test func theStepWaitsForTheChildAndHasItsResult() throws {
        var harness = try parent()
        #expect(harness.saga.nextAlarm == nil)
        harness.report("loyalty", .completed, result: "120")
        #expect(harness.take() == ["ship action 1"])
        #expect(harness.result("loyalty") == "120")
        #expect(harness.report("loyalty", .completed, result: "120") == .ignore)
    }

    @Test func theIDAndTheInputAreDerived() throws {
        let definition = try Definition("order", version: 1) {
            command("create")
            StepDraft("loyalty", saga: "award-points")
            StepDraft("mail", saga: "mail", inputFrom: "create")
        }
        var harness = MachineHarness(definition, input: "{}")
        harness.succeed("create", result: "7")
        #expect(harness.saga.childID(of: 1) == "order-1/loyalty")
        #expect(harness.saga.childInput(of: 1) == Array("{}".utf8))
        #expect(harness.saga.childInput(of: 2) == Array("7".utf8))
    }

    @Test(arguments: [ChildReport.Outcome.compensated, .refused])
    func aChildThatLeftNoEffectFailsItsStep(outcome: ChildReport.Outcome) throws {
        var harness = try parent()
        harness.report("loyalty", outcome, error: "no such member")
        #expect(harness.take() == ["create compensation 1 known"], "there is nothing to undo in the child")
        #expect(harness.saga.error == "loyalty failed: no such member")
        harness.succeed("create", .compensation)
        #expect(harness.take() == ["compensated"])
    }

    @Test func aCompletedChildIsTakenBackBeforeTheStepsBeforeIt() throws {
        var harness = try parent()
        harness.report("loyalty", .completed)
        harness.fail("ship")
        #expect(harness.take() == ["ship action 1", "loyalty child undone"])
        #expect(harness.report("loyalty", .completed) == .ignore)
        #expect(harness.report("loyalty", .running) == .ignore)
        harness.report("loyalty", .compensated)
        #expect(harness.take() == ["create compensation 1 known"])
    }

    @Test func cancelReachesARunningChild() throws {
        var harness = try parent()
        harness.order(.cancel)
        #expect(harness.take() == ["loyalty child undone"])
        #expect(harness.report("loyalty", .completed) == .ignore, "it is on its way back, too")
        harness.report("loyalty", .compensated)
        #expect(harness.take() == ["create compensation 1 known"])
    }

    @Test func theDeadlineReachesARunningChild() throws {
        var harness = MachineHarness(try parentDefinition(deadline: .seconds(10)))
        harness.succeed("create")
        harness.ring()
        #expect(harness.take() == ["create action 1", "loyalty child", "loyalty child undone"])
        #expect(harness.saga.error == "the saga's deadline passed")
    }

    @Test func aChildThatWasNotStartedIsNotTakenBack() throws {
        var harness = MachineHarness(try parentDefinition())
        harness.order(.cancel)
        #expect(harness.take() == ["create action 1", "create compensation 1"])
    }

    @Test func afterARewindAlsoAChildThatTheLogDoesNotKnowIsTakenBack() throws {
        let started = Started(definition: "order", version: 1, era: 9, isAfterRewind: true)
        var harness = MachineHarness(try parentDefinition(), started: started)
        harness.order(.cancel)
        harness.succeed("ship", .compensation)
        #expect(harness.take() == ["create action 1", "ship compensation 1", "loyalty child undone"])
    }

    @Test func aChildThatCannotBeTakenBackIsStuckInSight() throws {
        var harness = try parent()
        harness.report("loyalty", .completed)
        harness.fail("ship")
        harness.report("loyalty", .refused, error: "the pivot 'book' is due: the saga only goes forward")
        #expect(harness.take().last == "create compensation 1 known")
        harness.succeed("create", .compensation)
        #expect(harness.take() == ["stuck"])
        #expect(
            harness.saga.steps[1].compensation.error == "the pivot 'book' is due: the saga only goes forward")
        harness.order(.retry)
        #expect(harness.take() == ["loyalty child undone", "reopened"])
        harness.report("loyalty", .compensated)
        #expect(harness.take() == ["compensated"])
    }

    @Test func aChildThatTurnsBackLateUnsticksItsParent() throws {
        var harness = try parent()
        harness.order(.cancel)
        harness.report("loyalty", .refused)
        harness.succeed("create", .compensation)
        #expect(harness.take().last == "stuck")
        #expect(harness.report("loyalty", .refused) == .ignore)
        harness.report("loyalty", .compensated)
        #expect(harness.take() == ["compensated"], "its pivot was refused after all")
    }

    @Test func aChildIsThePivotWhereItHasOne() throws {
        let definition = try Definition("order", version: 1) {
            command("create")
            StepDraft("book", saga: "booking").pivot()
            StepDraft("mail", saga: "mail")
        }
        var harness = MachineHarness(definition)
        harness.succeed("create")
        #expect(harness.order(.cancel) == .refuse("the pivot 'book' is due: the saga only goes forward"))
        var refused = harness
        refused.report("book", .compensated)
        #expect(refused.take() == ["create action 1", "book child", "create compensation 1 known"])

        harness.report("book", .completed)
        harness.report("mail", .compensated, error: "no address")
        #expect(harness.take() == ["create action 1", "book child", "mail child", "stuck"])
        harness.order(.retry)
        #expect(harness.take() == ["mail child", "reopened"])
        harness.report("mail", .refused)
        #expect(harness.take() == ["stuck"])
        harness.report("mail", .completed)
        #expect(harness.take() == ["completed"])
    }

    @Test func aSkippedStepLeavesTheChildAloneUntilItHasToBeUndone() throws {
        var harness = try parent()
        harness.order(.skip, "loyalty", result: "0")
        #expect(harness.take() == ["ship action 1"])
        #expect(harness.report("loyalty", .completed, result: "120") == .ignore)
        #expect(harness.result("loyalty") == "0")
        harness.fail("ship")
        #expect(harness.take() == ["loyalty child undone"])
    }

    @Test func reportsOfOthersThanChildrenAreRefused() throws {
        var harness = try parent()
        #expect(harness.report("create", .completed) == .refuse("order@1 has no child saga 'create'"))
        #expect(harness.report("x", .completed) == .refuse("order@1 has no child saga 'x'"))
        #expect(harness.succeed("loyalty") == .refuse("order@1 has no command step 'loyalty'"))
    }
}
