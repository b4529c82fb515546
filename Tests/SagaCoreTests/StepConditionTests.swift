import SagaCore
import Testing

@Suite("Steps with a condition")
struct StepConditionTests {
    private let isPaid = Condition("input.total", .greaterThan(0))

    /// create, then charge where the order costs something, then ship.
    private func definition() throws -> Definition {
        try Definition("order", version: 1) {
            command("create")
            command("charge").when(isPaid)
            command("ship")
        }
    }

    @Test func aStepWhoseConditionIsMetRuns() throws {
        var harness = MachineHarness(try definition(), input: #"{"total": 5}"#)
        harness.succeed("create")
        harness.succeed("charge")
        harness.succeed("ship")
        #expect(harness.transcript == ["create action 1", "charge action 1", "ship action 1", "completed"])
    }

    @Test(arguments: [#"{"total": 0}"#, #"{"total": "5"}"#, #"{"total": null}"#, "{}", "[]", "7", ""])
    func aStepWhoseConditionIsNotMetIsSkippedAndThoseAfterItGoOn(input: String) throws {
        var harness = MachineHarness(try definition(), input: input)
        harness.succeed("create")
        #expect(harness.take() == ["create action 1", "ship action 1"])
        #expect(harness.action("charge").status == .omitted)
        #expect(harness.succeed("charge") == .ignore)
        harness.succeed("ship")
        #expect(harness.take() == ["completed"])
    }

    @Test func aSkippedStepHasNothingToUndo() throws {
        var harness = MachineHarness(try definition(), input: #"{"total": 0}"#)
        harness.succeed("create")
        harness.fail("ship")
        harness.succeed("create", .compensation)
        #expect(
            harness.transcript == ["create action 1", "ship action 1", "create compensation 1 known", "compensated"])
    }

    @Test func theResultOfAnEarlierStepDecides() throws {
        let definition = try Definition("order", version: 1) {
            command("check")
            command("review").when(Condition("result.check.risk", .isOneOf(["high", "unknown"])))
            command("ship").when(!Condition("result.review.verdict", .equals("no")))
        }
        var risky = MachineHarness(definition)
        risky.succeed("check", result: #"{"risk": "high"}"#)
        risky.succeed("review", result: #"{"verdict": "no"}"#)
        #expect(risky.transcript == ["check action 1", "review action 1", "completed"])

        var harmless = MachineHarness(definition)
        harmless.succeed("check", result: #"{"risk": "low"}"#)
        #expect(harmless.transcript == ["check action 1", "ship action 1"], "a skipped step has no result")
    }

    @Test func aSagaOfWhichNothingIsDueIsCompletedAtOnce() throws {
        let definition = try Definition("order", version: 1) {
            command("create").when(isPaid)
            command("charge").when(Condition("result.create", .exists(true)))
        }
        let harness = MachineHarness(definition, input: "{}")
        #expect(harness.transcript == ["completed"])
        #expect(harness.replayed() == harness.saga)
    }

    @Test func anInputThatIsNoJSONFailsTheStepThatAsksForIt() throws {
        var harness = MachineHarness(try definition(), input: "total=5")
        #expect(harness.take() == ["create action 1"], "nobody has asked yet")
        harness.succeed("create")
        #expect(harness.take() == ["create compensation 1 known"])
        let error = try #require(harness.saga.error)
        #expect(error.hasPrefix("charge failed: 'input.total' cannot be looked up: input is no JSON ("))
        harness.succeed("create", .compensation)
        #expect(harness.take() == ["compensated"])
    }

    @Test func aResultThatIsNoJSONFailsTheStepThatAsksForIt() throws {
        let definition = try Definition("order", version: 1) {
            command("check")
            command("ship").when(Condition("result.check.risk", .equals("low")))
        }
        var harness = MachineHarness(definition)
        harness.succeed("check", result: "low")
        #expect(harness.take() == ["check action 1", "check compensation 1 known"])
        let error = try #require(harness.saga.error)
        #expect(error.hasPrefix("ship failed: 'result.check.risk' cannot be looked up: result.check is no JSON ("))
    }

    @Test func afterThePivotSuchAStepIsStuckAndNotCompensated() throws {
        let definition = try Definition("order", version: 1) {
            finalCommand("ship").pivot()
            finalCommand("mail").when(isPaid)
            finalCommand("archive")
        }
        var harness = MachineHarness(definition, input: "total=5")
        harness.succeed("ship")
        #expect(harness.take() == ["ship action 1", "stuck"])
        #expect(harness.action("mail").attempts == 0)
        harness.order(.retry)
        #expect(harness.take() == [], "it is asked again, with the same answer")
        #expect(harness.saga.status == .stuck)
        harness.order(.skip, "mail")
        #expect(harness.take() == ["archive action 1", "reopened"])
    }

    @Test func aPivotThatAsksInVainTurnsTheSagaBack() throws {
        let definition = try Definition("order", version: 1) {
            command("create")
            finalCommand("ship").pivot().when(isPaid)
        }
        var harness = MachineHarness(definition, input: "total=5")
        harness.succeed("create")
        #expect(harness.take() == ["create action 1", "create compensation 1 known"])
    }

    @Test func fromASkippedPivotOnTheSagaOnlyGoesForward() throws {
        let definition = try Definition("order", version: 1, deadline: .seconds(10)) {
            command("create")
            finalCommand("ship").pivot().when(isPaid)
            finalCommand("mail")
        }
        var harness = MachineHarness(definition, input: "{}")
        harness.succeed("create")
        #expect(harness.take() == ["create action 1", "mail action 1"])
        #expect(harness.order(.cancel) == .refuse("the pivot 'ship' is due: the saga only goes forward"))
        harness.feed(.tick, after: 20_000)
        #expect(!harness.saga.isCompensating)
        harness.fail("mail")
        #expect(harness.take() == ["stuck"])
    }

    @Test func aSkippedStepIsNotVerifiedAndYetUndoneAfterARewind() throws {
        var harness = MachineHarness(try definition(), input: "{}")
        harness.succeed("create")
        harness.feed(.rewind(era: 9))
        #expect(harness.take().suffix(2) == ["create action 1", "ship action 1"])
        harness.succeed("create")
        harness.fail("ship")
        harness.succeed("ship", .compensation)
        #expect(harness.take() == ["ship compensation 1", "charge compensation 1"], "a lost history may have run it")
    }
}
