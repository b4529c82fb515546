import SagaCore
import Testing

@Suite("Timers and signals")
struct OwnKindTests {
    /// create, then whatever `step` is, then ship.
    private func definition(_ step: StepDraft) throws -> Definition {
        try Definition("order", version: 1) {
            StepDraft("create", service: "orders", action: "create").compensated(by: "cancel")
            step
            StepDraft("ship", service: "shipping", action: "ship").compensated(by: "fetch-back")
        }
    }

    private func signal(_ payload: String = "yes", id: String? = nil) -> Event {
        .signal(Signal("approved", id: id, payload: Array(payload.utf8)))
    }

    @Test func aDelayHoldsTheNextStepUntilItsTimeHasPassed() throws {
        var harness = MachineHarness(try definition(StepDraft("cool-off", delay: .seconds(30))))
        harness.succeed("create")
        #expect(harness.saga.nextAlarm == 31_000)
        #expect(harness.feed(.tick, after: 29_999) == .ignore)
        harness.feed(.tick, after: 1)
        #expect(harness.transcript.last == "ship action 1")
        #expect(harness.replayed() == harness.saga)
    }

    @Test func aSignalIsTheStepsResult() throws {
        var harness = MachineHarness(try definition(StepDraft("approval", signal: "approved")))
        harness.succeed("create")
        #expect(harness.saga.nextAlarm == nil, "a signal is waited for without end, unless a timeout is written")
        harness.feed(signal())
        #expect(harness.saga.steps[1].result == Array("yes".utf8))
        #expect(harness.transcript.last == "ship action 1")
    }

    @Test func aSignalThatComesEarlyIsKept() throws {
        var harness = MachineHarness(try definition(StepDraft("approval", signal: "approved")))
        harness.feed(signal())
        #expect(harness.transcript == ["create action 1"])
        harness.succeed("create")
        #expect(harness.transcript.last == "ship action 1")
        #expect(harness.replayed() == harness.saga)
    }

    @Test func aRepeatedSignalCountsOnce() throws {
        var harness = MachineHarness(try definition(StepDraft("approval", signal: "approved")))
        harness.feed(signal(id: "1"))
        #expect(harness.feed(signal(id: "1")) == .ignore)
    }

    @Test func keptSignalsAreBounded() throws {
        var harness = MachineHarness(try definition(StepDraft("approval", signal: "approved")))
        for _ in 0..<Saga.maxBufferedSignals { harness.feed(signal()) }
        guard case .refuse = harness.feed(signal()) else { return #expect(Bool(false), "one more was kept") }
    }

    @Test func aSignalThatNoStepWaitsForIsRefused() throws {
        var harness = MachineHarness(try definition(StepDraft("approval", signal: "approved")))
        #expect(harness.feed(.signal(Signal("other"))) == .refuse("order@1 waits for no signal 'other'"))
    }

    @Test func aSignalThatDoesNotComeInTimeFailsTheStep() throws {
        let step = StepDraft("approval", signal: "approved").timeout(.seconds(60))
        var harness = MachineHarness(try definition(step))
        harness.succeed("create")
        harness.ring()
        #expect(harness.saga.error == "approval failed: no signal 'approved' within 60000 ms")
        #expect(harness.transcript.last == "create compensation 1 known")
    }

    @Test func whatTheCoordinatorWaitsForByItselfIsNeitherCompensatedNorVerified() throws {
        var harness = MachineHarness(try definition(StepDraft("approval", signal: "approved")))
        harness.succeed("create")
        harness.feed(.rewind(era: 9))
        #expect(harness.transcript.last == "create action 1")
        harness.succeed("create")
        harness.feed(.order(Order(.cancel)))
        #expect(harness.transcript.last == "ship compensation 1", "after a rewind every step with an undo is undone")
        harness.succeed("ship", .compensation)
        harness.succeed("create", .compensation)
        #expect(harness.saga.status == .compensated)
    }
}
