import SagaCore
import Testing

@Suite("Items that are undone")
struct ItemCompensationTests {
    /// Of six items two are done, one waits for its next attempt, one is refused, and two were never sent.
    private func partlyFailed(whenStuck: WhenStuck? = nil) throws -> MachineHarness {
        var harness = MachineHarness(try itemDefinition(whenStuck: whenStuck), input: input(items: 6))
        harness.succeed("create")
        harness.succeed("reserve", item: 0)
        harness.succeed("reserve", item: 1)
        harness.retry("reserve", item: 2)
        _ = harness.take()
        harness.fail("reserve", item: 3, error: "sold out")
        return harness
    }

    @Test func exactlyTheDoneAndTheDoubtfulOnesAreUndone() throws {
        var harness = try partlyFailed()
        #expect(harness.saga.error == "reserve#3 failed: sold out")
        #expect(harness.action("reserve").status == .failed)
        #expect(harness.take() == ["reserve#0 compensation 1 known", "reserve#1 compensation 1 known"])
        harness.succeed("reserve", item: 1, .compensation)
        #expect(harness.take() == ["reserve#2 compensation 1"], "no more at once than forward; its effect is unknown")
        harness.succeed("reserve", item: 0, .compensation)
        #expect(harness.take() == [])
        harness.succeed("reserve", item: 2, .compensation)
        #expect(harness.take() == ["create compensation 1 known"])
        #expect(harness.compensation("reserve").status == .succeeded)
        #expect((3..<6).allSatisfy { harness.compensation("reserve", item: $0).status == .none })
        harness.succeed("create", .compensation)
        #expect(harness.take() == ["compensated"])
    }

    @Test func lateAnswersOfActionsChangeNothing() throws {
        var harness = try partlyFailed()
        #expect(harness.succeed("reserve", item: 2) == .ignore)
        #expect(harness.fail("reserve", item: 2) == .ignore)
        #expect(harness.retry("reserve", item: 3) == .ignore)
    }

    @Test func anItemOutOfAttemptsMayHaveTakenEffect() throws {
        var harness = MachineHarness(try itemDefinition { $0.retry(attempts: 1) }, input: input(items: 2))
        harness.succeed("create")
        harness.succeed("reserve", item: 0)
        harness.retry("reserve", item: 1)
        #expect(harness.transcript.suffix(2) == ["reserve#0 compensation 1 known", "reserve#1 compensation 1"])
        #expect(harness.saga.error == "reserve#1 gave up: no attempt of 1 succeeded; the last: busy")
        #expect(harness.action("reserve").status == .unknown)
    }

    @Test func aDoneStepIsUndoneItemByItem() throws {
        var harness = MachineHarness(try itemDefinition(), input: input(items: 3))
        harness.succeed("create")
        for item in 0..<3 { harness.succeed("reserve", item: item) }
        _ = harness.take()
        harness.fail("ship")
        #expect(harness.take() == ["reserve#0 compensation 1 known", "reserve#1 compensation 1 known"])
        harness.retry("reserve", item: 0, .compensation)
        #expect(harness.take() == [])
        harness.succeed("reserve", item: 1, .compensation)
        #expect(harness.take() == ["reserve#2 compensation 1 known"])
        harness.ring()
        #expect(harness.take() == ["reserve#0 compensation 2 known"])
    }

    @Test func aStuckItemIsReportedOnceTheOthersAreUndone() throws {
        var harness = try partlyFailed()
        _ = harness.take()
        harness.fail("reserve", item: 0, .compensation, error: "gone")
        #expect(harness.take() == ["reserve#2 compensation 1"])
        harness.succeed("reserve", item: 1, .compensation)
        harness.succeed("reserve", item: 2, .compensation)
        #expect(harness.take() == ["create compensation 1 known"], "those before go on")
        #expect(harness.saga.steps[1].compensation.error == "item 0: gone")
        harness.succeed("create", .compensation)
        #expect(harness.take() == ["stuck"])
        harness.order(.retry, "reserve")
        #expect(harness.take() == ["reserve#0 compensation 2 known", "reopened"])
        harness.succeed("reserve", item: 0, .compensation, attempt: 2)
        #expect(harness.take() == ["compensated"])
    }

    @Test func aSkippedUndoIsThatOfAllItems() throws {
        var harness = try partlyFailed(whenStuck: .hold)
        _ = harness.take()
        harness.fail("reserve", item: 0, .compensation)
        harness.order(.skip, "reserve")
        #expect(harness.take() == ["reserve#2 compensation 1", "create compensation 1 known"])
        #expect(harness.succeed("reserve", item: 1, .compensation) == .ignore)
        harness.succeed("create", .compensation)
        #expect(harness.take() == ["compensated"])
    }

    @Test func whatAnOperatorDeclaredDoneIsUndone() throws {
        var harness = MachineHarness(try itemDefinition(), input: input(items: 3))
        harness.succeed("create")
        harness.succeed("reserve", item: 0)
        harness.order(.skip, "reserve")
        harness.fail("ship")
        #expect(harness.transcript.suffix(2) == ["reserve#0 compensation 1 known", "reserve#1 compensation 1"])
    }
}

@Suite("The verify round of many items")
struct ItemVerificationTests {
    @Test func noMoreAreAskedAboutAtOnceThanMayBeUnderWay() throws {
        var harness = MachineHarness(try itemDefinition(), input: input(items: 5))
        harness.succeed("create")
        for item in 0..<4 { harness.succeed("reserve", item: item) }
        _ = harness.take()
        harness.feed(.rewind(era: 9))
        #expect(harness.take() == ["create action 1", "reserve#0 action 1", "reserve#1 action 1"])
        harness.succeed("reserve", item: 1)
        #expect(harness.take() == ["reserve#2 action 1"])
        harness.succeed("create")
        #expect(harness.take() == [])
        for item in [0, 2, 3, 4] { harness.succeed("reserve", item: item) }
        #expect(!harness.saga.isVerifying && harness.action("reserve").status == .succeeded)
        #expect(harness.take().suffix(1) == ["ship action 1"])
    }
}

@Suite("Items after a rewind")
struct ItemRewindTests {
    @Test func everyItemThatWasSentIsAskedForAndThenTheOthersGoOn() throws {
        var harness = MachineHarness(try itemDefinition(), input: input(items: 4))
        harness.succeed("create")
        harness.succeed("reserve", item: 0)
        _ = harness.take()
        harness.feed(.rewind(era: 9))
        #expect(harness.take() == ["create action 1", "reserve#0 action 1", "reserve#1 action 1"])
        harness.succeed("create")
        harness.succeed("reserve", item: 0)
        harness.succeed("reserve", item: 1)
        #expect(harness.take() == ["reserve#2 action 1"], "nothing goes on before all have answered")
        harness.retry("reserve", item: 2)
        harness.ring()
        #expect(harness.take() == ["reserve#2 action 1"], "a question put again is no attempt")
        harness.succeed("reserve", item: 2)
        #expect(harness.take() == ["reserve#3 action 1"])
    }

    @Test func aStepWithoutItemsIsNotAskedFor() throws {
        var harness = MachineHarness(try itemDefinition(), input: #"{"items": []}"#)
        harness.succeed("create")
        _ = harness.take()
        harness.feed(.rewind(era: 9))
        #expect(harness.take() == ["create action 1", "ship action 1"])
        harness.succeed("create")
        harness.succeed("ship")
        #expect(harness.take() == ["completed"])
    }

    @Test func anItemThatWasUndoneInWhatWasLostTurnsTheSagaBack() throws {
        var harness = MachineHarness(try itemDefinition(parallel: 3), input: input(items: 3))
        harness.succeed("create")
        harness.succeed("reserve", item: 0)
        harness.feed(.rewind(era: 9))
        harness.succeed("create")
        harness.fail("reserve", item: 0, error: "compensated already")
        harness.succeed("reserve", item: 1)
        _ = harness.take()
        harness.succeed("reserve", item: 2)
        #expect(harness.take() == ["ship compensation 1"])
        harness.succeed("ship", .compensation)
        #expect(
            harness.take() == [
                "reserve#0 compensation 1", "reserve#1 compensation 1 known", "reserve#2 compensation 1 known",
            ])
    }

    @Test func afterThePivotALostItemIsStuckAndTheSagaNotCompleted() throws {
        var harness = MachineHarness(try itemDefinitionAfterPivot(), input: input(items: 2))
        harness.succeed("ship")
        harness.succeed("mail", item: 0)
        harness.succeed("mail", item: 1)
        harness.feed(.rewind(era: 9))
        harness.succeed("ship")
        harness.succeed("archive")
        harness.succeed("mail", item: 0)
        _ = harness.take()
        harness.fail("mail", item: 1, error: "record missing")
        #expect(harness.take() == ["stuck"])
        #expect(harness.saga.error == "mail is stuck: item 1: record missing")
        harness.order(.retry)
        #expect(harness.take() == ["mail#1 action 2", "reopened"])
        harness.succeed("mail", item: 1, attempt: 2)
        #expect(harness.take() == ["completed"])
    }

    @Test func anUndoThatWasDoneForTheSentItemsGoesOnWithAllOthers() throws {
        var harness = MachineHarness(try itemDefinition(), input: input(items: 3))
        harness.succeed("create")
        harness.succeed("reserve", item: 0)
        harness.fail("reserve", item: 1)
        harness.succeed("reserve", item: 0, .compensation)
        harness.succeed("reserve", item: 2, .compensation)
        #expect(harness.take().last == "create compensation 1 known")
        harness.feed(.rewind(era: 9))
        _ = harness.take()
        harness.succeed("create")
        for item in 0..<3 { harness.succeed("reserve", item: item) }
        #expect(harness.take().suffix(1) == ["ship compensation 1"], "from now on every step is undone, and every item")
        harness.succeed("ship", .compensation)
        #expect(harness.take() == ["reserve#1 compensation 1"])
        harness.succeed("reserve", item: 1, .compensation)
        #expect(harness.take() == ["create compensation 2 known"])
        harness.succeed("create", .compensation, attempt: 2)
        #expect(harness.take() == ["compensated"])
    }

    @Test func anUndoThatAnOperatorDeclaredDoneStaysSo() throws {
        var harness = MachineHarness(try itemDefinition(), input: input(items: 3))
        harness.succeed("create")
        harness.fail("reserve", item: 0)
        harness.fail("reserve", item: 1, .compensation)
        harness.order(.skip, "reserve")
        harness.feed(.rewind(era: 9))
        #expect(harness.compensation("reserve").status == .skipped)
        #expect(harness.saga.steps[1].items.allSatisfy { $0.compensation.status != .pending })
    }

    /// split tells the items of reserve.
    private func splitDefinition() throws -> Definition {
        try Definition("order", version: 1) {
            command("split")
            command("reserve").forEach("result.split")
            command("ship")
        }
    }

    private let afterRewind = Started(definition: "order", version: 1, era: 9, isAfterRewind: true)

    @Test func itemsThatNobodyKnowsAnyMoreAreForAPersonToLookAt() throws {
        var harness = MachineHarness(try splitDefinition(), started: afterRewind)
        harness.order(.cancel)
        #expect(harness.take() == ["split action 1", "ship compensation 1"])
        harness.succeed("ship", .compensation)
        harness.succeed("split", .compensation)
        #expect(harness.take() == ["split compensation 1", "stuck"])
        #expect(
            harness.compensation("reserve").error
                == "its items are not known, as the result of an earlier step was lost: see which were done")
        harness.order(.retry)
        #expect(harness.take() == [], "they are not known by now either")
        #expect(harness.saga.status == .stuck)
        harness.order(.skip, "reserve")
        #expect(harness.take() == ["compensated"])
    }

    @Test func aStepBehindARefusedOneWasDueInNoHistory() throws {
        var harness = MachineHarness(try splitDefinition(), started: afterRewind)
        harness.fail("split")
        harness.succeed("ship", .compensation)
        harness.succeed("split", .compensation)
        #expect(harness.take() == ["split action 1", "ship compensation 1", "split compensation 1", "compensated"])
    }

    @Test func aStepBehindASignalThatDidNotComeMayHaveBeenDue() throws {
        let definition = try Definition("order", version: 1) {
            StepDraft("go", signal: "go").timeout(.seconds(6))
            command("split")
            command("reserve").forEach("result.split")
        }
        var harness = MachineHarness(definition, started: afterRewind)
        harness.ring()
        #expect(harness.saga.isCompensating)
        // Before the rewind it had come.
        #expect(harness.compensation("reserve").status == .stuck)
    }

    @Test func anAnswerThatBringsTheListBackTellsTheItems() throws {
        var harness = MachineHarness(try splitDefinition(), started: afterRewind)
        harness.order(.cancel)
        harness.feed(.rewind(era: 10))
        #expect(harness.take() == ["split action 1", "ship compensation 1", "split action 1"])
        harness.succeed("split", result: "[1,2]")
        #expect(harness.take() == ["ship compensation 2"])
        harness.succeed("ship", .compensation, attempt: 2)
        #expect(harness.take() == ["reserve#0 compensation 1", "reserve#1 compensation 1"])
        harness.succeed("reserve", item: 0, .compensation)
        harness.succeed("reserve", item: 1, .compensation)
        harness.succeed("split", .compensation)
        #expect(harness.take() == ["split compensation 1 known", "compensated"])
    }

    @Test func aListThatIsKnownIsUndoneWholeThoughItsStepWasNotDue() throws {
        let started = Started(
            definition: "order", version: 1, era: 9, isAfterRewind: true, input: Array(input(items: 2).utf8))
        var harness = MachineHarness(try itemDefinition(), started: started)
        harness.fail("create")
        harness.succeed("ship", .compensation)
        #expect(harness.transcript.suffix(2) == ["reserve#0 compensation 1", "reserve#1 compensation 1"])
    }
}
