import SagaCore
import Testing

@Suite("A child saga by itself")
struct ChildSideTests {
    /// award, then mail; book is the pivot of the second form.
    private func definition(pivot: Bool = false) throws -> Definition {
        try Definition("award-points", version: 1) {
            command("award")
            if pivot { finalCommand("book").pivot() } else { command("book") }
        }
    }

    private func child(pivot: Bool = false, isRecalled: Bool = false) throws -> MachineHarness {
        let started = Started(
            definition: "award-points", version: 1, era: 1, isChild: true, isRecalled: isRecalled)
        return MachineHarness(try definition(pivot: pivot), id: "order-1/loyalty", started: started)
    }

    /// The child has completed.
    private func completed(pivot: Bool = false) throws -> MachineHarness {
        var harness = try child(pivot: pivot)
        harness.succeed("award")
        harness.succeed("book", result: "120")
        #expect(harness.take().last == "completed")
        return harness
    }

    private let recall = Event.recall(reason: "its parent turned back")

    @Test func itReportsTheResultOfItsLastStep() throws {
        let harness = try completed()
        #expect(
            harness.saga.report(to: "loyalty")
                == ChildReport(step: "loyalty", outcome: .completed, result: Array("120".utf8)))
    }

    @Test func aCompletedChildThatIsTakenBackIsUndoneInReverse() throws {
        var harness = try completed()
        harness.feed(recall)
        #expect(harness.take() == ["book compensation 1 known", "reopened"])
        #expect(harness.saga.finishedAt == nil)
        #expect(harness.saga.report(to: "loyalty").outcome == .running)
        #expect(harness.feed(recall) == .ignore)
        harness.succeed("book", .compensation)
        harness.succeed("award", .compensation)
        #expect(harness.take() == ["award compensation 1 known", "compensated"])
        #expect(
            harness.saga.report(to: "loyalty")
                == ChildReport(step: "loyalty", outcome: .compensated, error: "its parent turned back"))
    }

    @Test func aRunningChildTurnsBackWhereItIs() throws {
        var harness = try child()
        harness.feed(recall)
        #expect(harness.take() == ["award action 1", "award compensation 1"])
        harness.succeed("award", .compensation)
        #expect(harness.take() == ["compensated"])
    }

    @Test func aChildPastItsPivotRefuses() throws {
        let reason = "the pivot 'book' is due: the saga only goes forward"
        var harness = try child(pivot: true)
        harness.succeed("award")
        #expect(harness.feed(recall) == .refuse(reason))
        harness.succeed("book")
        #expect(harness.feed(recall) == .refuse(reason))
        var early = try child(pivot: true)
        early.feed(recall)
        #expect(early.saga.status == .compensating)
    }

    @Test func whatIsNoChildCannotBeTakenBack() throws {
        var harness = MachineHarness(try definition())
        #expect(harness.feed(recall) == .refuse("'order-1' is no child saga"))
    }

    @Test func aChildThatIsEnteredToBeUndoneUndoesEveryStep() throws {
        var harness = try child(isRecalled: true)
        #expect(harness.take() == ["book compensation 1"])
        harness.succeed("book", .compensation)
        harness.succeed("award", .compensation)
        #expect(harness.take() == ["award compensation 1", "compensated"])
        #expect(harness.saga.report(to: "loyalty").outcome == .compensated)
    }

    @Test func aChildOfWhichNothingCanBeUndoneIsUndoneAtOnce() throws {
        let definition = try Definition("award-points", version: 1) { StepDraft("wait", delay: .seconds(1)) }
        let started = Started(definition: "award-points", version: 1, era: 1, isChild: true, isRecalled: true)
        #expect(MachineHarness(definition, started: started).transcript == ["compensated"])
        var running = MachineHarness(
            definition, started: Started(definition: "award-points", version: 1, era: 1, isChild: true))
        running.ring()
        running.feed(recall)
        #expect(running.transcript == ["completed", "compensated"])
    }

    @Test func aCompletedChildIsVerifiedAndReports() throws {
        var harness = try completed()
        harness.feed(.rewind(era: 9))
        #expect(harness.take() == ["award action 1", "book action 1"])
        #expect(!harness.saga.isAtRest)
        harness.succeed("award")
        harness.succeed("book")
        #expect(harness.take() == ["verified"])
        #expect(harness.saga.isAtRest)
        #expect(harness.saga.report(to: "loyalty").outcome == .completed)
    }

    @Test func theQuestionsOfACompletedChildArePutAgain() throws {
        var harness = try completed()
        harness.feed(.rewind(era: 9))
        harness.succeed("award")
        _ = harness.take()
        harness.ring()
        #expect(harness.take() == ["book action 1"])
    }

    @Test func aChildWithNothingToAskForReportsAtOnce() throws {
        let definition = try Definition("award-points", version: 1) { StepDraft("approval", signal: "approved") }
        let started = Started(definition: "award-points", version: 1, era: 1, isChild: true)
        var harness = MachineHarness(definition, id: "order-1/loyalty", started: started)
        harness.feed(.rewind(era: 9))
        #expect(harness.take() == ["verified"])
        #expect(harness.saga.report(to: "loyalty").outcome == .running)
        harness.feed(.signal(Signal("approved")))
        #expect(harness.take() == ["completed"])
        harness.feed(.rewind(era: 10))
        #expect(harness.take() == ["verified"])
    }

    @Test func aCompletedChildThatWasUndoneInWhatWasLostTurnsBack() throws {
        var harness = try completed()
        harness.feed(.rewind(era: 9))
        harness.fail("book", error: "compensated already")
        #expect(harness.take() == ["award action 1", "book action 1", "reopened"], "and the undo waits for the round")
        harness.succeed("award")
        #expect(harness.take() == ["book compensation 1", "verified"])
        #expect(harness.saga.report(to: "loyalty").outcome == .running, "its parent waits until it is back")
        #expect(harness.saga.finishedAt == nil)
    }

    @Test func aCompletedChildWhosePivotIsNotOnRecordIsStuck() throws {
        var harness = try completed(pivot: true)
        harness.feed(.rewind(era: 9))
        harness.succeed("award")
        _ = harness.take()
        harness.fail("book", error: "record missing")
        #expect(harness.take() == ["stuck", "verified"])
        #expect(harness.saga.report(to: "loyalty").outcome == .running)
        harness.order(.skip, "book", result: "120")
        #expect(harness.take() == ["completed"])
    }

    @Test func aCompletedChildWhoseOwnChildGoesBackGoesBackToo() throws {
        let started = Started(definition: "order", version: 1, era: 1, isChild: true)
        var harness = MachineHarness(try parentDefinition(), id: "bundle-1/order", started: started)
        harness.succeed("create")
        harness.report("loyalty", .completed)
        harness.succeed("ship")
        harness.feed(.rewind(era: 9))
        harness.succeed("create")
        harness.succeed("ship")
        _ = harness.take()
        harness.report("loyalty", .running)
        #expect(harness.take() == [], "nothing goes on before the child is back")
        #expect(harness.saga.isVerifying)
        harness.report("loyalty", .compensated)
        #expect(harness.take() == ["ship compensation 1 known", "reopened", "verified"])
    }

    @Test func aCompensatedChildIsNotVerified() throws {
        var harness = try completed()
        harness.feed(recall)
        harness.succeed("book", .compensation)
        harness.succeed("award", .compensation)
        #expect(harness.feed(.rewind(era: 9)) == .ignore)
    }
}
