import SagaCore
import Testing

@Suite("Events of steps")
struct EventTests {
    private func definition() throws -> Definition {
        try Definition("order", version: 1) {
            command("create")
            command("charge").emits(succeeded: "PaymentCompleted", failed: "PaymentFailed")
            command("ship")
        }
    }

    @Test func aSuccessIsToldOnce() throws {
        var harness = MachineHarness(try definition())
        harness.succeed("create")
        harness.succeed("charge")
        harness.succeed("charge")
        harness.succeed("ship")
        #expect(
            harness.transcript == [
                "create action 1", "charge action 1", "ship action 1", "charge event succeeded", "completed",
            ])
    }

    @Test func aRefusalIsToldOnce() throws {
        var harness = MachineHarness(try definition())
        harness.succeed("create")
        harness.fail("charge")
        harness.fail("charge")
        harness.succeed("create", .compensation)
        #expect(
            harness.transcript == [
                "create action 1", "charge action 1", "create compensation 1 known", "charge event failed",
                "compensated",
            ])
    }

    @Test func aTopicThatWasNotNamedIsNotToldOf() throws {
        let definition = try Definition("order", version: 1) {
            command("charge").emits(succeeded: "PaymentCompleted")
        }
        var harness = MachineHarness(definition)
        harness.fail("charge")
        #expect(harness.transcript == ["charge action 1", "compensated"])
    }

    @Test func whatDidNotHappenOrIsInDoubtIsNotToldOf() throws {
        let definition = try Definition("order", version: 1) {
            command("check").emits(succeeded: "Checked", failed: "NotChecked").when(Condition("input.x", .exists(true)))
            command("create").emits(succeeded: "Created", failed: "NotCreated")
            command("charge").emits(succeeded: "PaymentCompleted", failed: "PaymentFailed")
        }
        var harness = MachineHarness(definition)
        harness.order(.skip, "create")
        harness.order(.cancel)
        #expect(harness.transcript == ["create action 1", "charge action 1", "charge compensation 1"])
    }

    @Test func whatSucceedsAtTheStartIsToldAtTheStart() throws {
        let definition = try Definition("order", version: 1) {
            StepDraft("wait", until: "1970-01-01T00:00:00Z").emits(succeeded: "Begun")
            command("create")
        }
        #expect(MachineHarness(definition).transcript == ["create action 1", "wait event succeeded"])
    }

    @Test func aStepWithItemsIsToldOfOnce() throws {
        let emitting = try itemDefinition { $0.emits(succeeded: "Reserved", failed: "NotReserved") }
        var harness = MachineHarness(emitting, input: input(items: 2))
        harness.succeed("create")
        harness.succeed("reserve", item: 0)
        _ = harness.take()
        var refused = harness
        harness.succeed("reserve", item: 1)
        #expect(harness.take() == ["ship action 1", "reserve event succeeded"])
        refused.fail("reserve", item: 1)
        #expect(refused.take() == ["reserve#0 compensation 1 known", "reserve event failed"])
    }

    @Test func aChildIsToldOf() throws {
        let definition = try Definition("order", version: 1) {
            StepDraft("loyalty", saga: "award-points").emits(succeeded: "Awarded", failed: "NotAwarded")
        }
        var harness = MachineHarness(definition)
        harness.report("loyalty", .completed)
        #expect(harness.transcript == ["loyalty child", "completed", "loyalty event succeeded"])
    }

    @Test func aRefusalThatStopsIsToldOfWhenTheSagaTurnsBack() throws {
        let definition = try Definition("order", version: 1) {
            command("charge").emits(failed: "PaymentFailed").stop(on: "fraud")
        }
        var harness = MachineHarness(definition)
        harness.fail("charge", code: "fraud")
        #expect(harness.take() == ["charge action 1", "stuck"], "an operator may still make it succeed")
        harness.order(.cancel)
        #expect(harness.take() == ["compensated", "charge event failed"])
    }

    @Test func anAnswerThatConfirmsWhatIsKnownTellsNothing() throws {
        var harness = MachineHarness(try definition())
        harness.succeed("create")
        harness.succeed("charge")
        harness.feed(.rewind(era: 9))
        _ = harness.take()
        harness.succeed("create")
        harness.succeed("charge")
        harness.succeed("ship")
        #expect(harness.take() == ["completed"])
    }

    /// Whoever applies the log hears the same events in the same places: the shell drops those of a replay.
    @Test func theEventsFollowFromTheLogAlone() throws {
        var harness = MachineHarness(try definition())
        harness.succeed("create")
        harness.succeed("charge")
        harness.fail("ship")
        var (directives, emitted): ([Directive], [Int]) = ([], [])
        guard case .started(let started) = harness.log[0].fact else { return #expect(Bool(false), "no start") }
        var saga = Saga(
            id: "order-1", definition: harness.saga.definition, started: started, at: 1_000, directives: &directives)
        for entry in harness.log.dropFirst() + harness.log.dropFirst() {
            directives = []
            saga.evolve(entry, directives: &directives)
            if directives.contains(.emit(step: 1, outcome: .succeeded)) { emitted.append(entry.index) }
        }
        #expect(emitted == [2], "once, although every entry was applied twice")
        #expect(saga == harness.saga)
    }
}
