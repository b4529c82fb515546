import SagaCore
import Testing

@Suite("Timers that wait for a moment")
struct MomentTests {
    /// create, then a wait, then ship.
    private func definition(until moment: Moment) throws -> Definition {
        try Definition("order", version: 1) {
            command("create")
            StepDraft("wait", until: moment)
            command("ship")
        }
    }

    @Test func theNextStepWaitsForTheMoment() throws {
        var harness = MachineHarness(try definition(until: "1970-01-01T00:00:05Z"))
        harness.succeed("create")
        #expect(harness.take() == ["create action 1"])
        #expect(harness.saga.nextAlarm == 5_000)
        #expect(harness.feed(.tick, after: 3_999) == .ignore)
        harness.feed(.tick, after: 1)
        #expect(harness.take() == ["ship action 1"])
        #expect(harness.result("wait") == nil)
    }

    @Test(arguments: ["1970-01-01T00:00:01Z", "1970-01-01T00:00:00.999Z", "1970-01-01T00:00:00Z"] as [Moment])
    func aMomentThatIsPastIsNotWaitedFor(moment: Moment) throws {
        var harness = MachineHarness(try definition(until: moment))
        harness.succeed("create")
        #expect(harness.take() == ["create action 1", "ship action 1"], "in the same change")
    }

    @Test(arguments: [
        (#"{"from": 5500}"#, 5_500), (#"{"from": "1970-01-01T00:00:05.5Z"}"#, 5_500),
        (#"{"from": "1970-01-01T01:00:05.5+01:00"}"#, 5_500),
    ])
    func theInputCanSayWhen(input: String, instant: Milliseconds) throws {
        var harness = MachineHarness(try definition(until: "input.from"), input: input)
        harness.succeed("create")
        #expect(harness.saga.nextAlarm == instant)
        harness.ring()
        #expect(harness.take() == ["create action 1", "ship action 1"])
    }

    @Test(arguments: [("7000", 7_000), (#""1970-01-01T00:00:07Z""#, 7_000)])
    func anEarlierStepCanSayWhen(result: String, instant: Milliseconds) throws {
        var harness = MachineHarness(try definition(until: "result.create"))
        harness.succeed("create", result: result)
        #expect(harness.saga.nextAlarm == instant)
    }

    @Test(arguments: [
        (#"{"from": "tomorrow"}"#, "what is there is neither Unix milliseconds nor RFC 3339 text"),
        (#"{"from": "2026-02-30T00:00:00Z"}"#, "what is there is neither Unix milliseconds nor RFC 3339 text"),
        (#"{"from": 1.5}"#, "what is there is neither Unix milliseconds nor RFC 3339 text"),
        (#"{"from": null}"#, "what is there is neither Unix milliseconds nor RFC 3339 text"),
        ("{}", "there is none"), ("", "there is none"),
    ])
    func whatIsNoMomentTurnsTheSagaBack(input: String, reason: String) throws {
        var harness = MachineHarness(try definition(until: "input.from"), input: input)
        harness.succeed("create")
        #expect(harness.take() == ["create action 1", "create compensation 1 known"])
        #expect(harness.saga.error == "wait failed: 'input.from' must lead to an instant: \(reason)")
    }

    @Test func aPayloadThatIsNoJSONTurnsTheSagaBack() throws {
        var harness = MachineHarness(try definition(until: "input.from"), input: "from=5")
        harness.succeed("create")
        #expect(harness.take() == ["create action 1", "create compensation 1 known"])
    }

    @Test func afterThePivotWhatIsNoMomentIsStuck() throws {
        let definition = try Definition("order", version: 1) {
            finalCommand("ship").pivot()
            StepDraft("wait", until: "result.ship.arrival")
            finalCommand("mail")
        }
        var harness = MachineHarness(definition)
        harness.succeed("ship", result: #"{"arrival": "soon"}"#)
        #expect(harness.take() == ["ship action 1", "stuck"])
        harness.order(.retry)
        #expect(harness.saga.status == .stuck)
        harness.order(.skip, "wait")
        #expect(harness.take() == ["mail action 1", "reopened"])
    }

    @Test func aMomentThatPassesDuringAPauseIsHeardAtItsEnd() throws {
        var harness = MachineHarness(try definition(until: "1970-01-01T00:00:05Z"))
        harness.succeed("create")
        harness.order(.pause)
        #expect(harness.saga.nextAlarm == nil)
        harness.now = 60_000
        harness.order(.resume)
        #expect(harness.take() == ["create action 1", "ship action 1"])
    }

    @Test func aWaitIsCutShortByAnOperator() throws {
        var skipped = MachineHarness(try definition(until: "2026-12-24T18:00:00Z"))
        skipped.succeed("create")
        skipped.order(.skip, "wait")
        #expect(skipped.take() == ["create action 1", "ship action 1"])

        var cancelled = MachineHarness(try definition(until: "2026-12-24T18:00:00Z"))
        cancelled.succeed("create")
        cancelled.order(.cancel)
        #expect(cancelled.take() == ["create action 1", "create compensation 1 known"])
        #expect(cancelled.action("wait").status == .failed, "nothing about it is unknown")
    }

    @Test func aRewindAsksNobodyAboutATimer() throws {
        var harness = MachineHarness(try definition(until: "1970-01-01T00:00:05Z"))
        harness.succeed("create")
        harness.feed(.rewind(era: 9))
        #expect(harness.take() == ["create action 1", "create action 1"])
        harness.succeed("create")
        #expect(harness.saga.nextAlarm == 5_000)
    }
}
