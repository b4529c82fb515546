import SagaCore
import Testing

@Suite("A pivot after a child that goes back")
struct LostChildBeforePivotTests {
    @Test func thePivotWaitsForAChildThatIsOnItsWayBack() throws {
        let definition = try Definition("order", version: 1, durability: .async) {
            StepDraft("loyalty", saga: "award")
            StepDraft("check", service: "orders", action: "check").withoutCompensation()
            StepDraft("ship", service: "shipping", action: "ship").pivot()
        }
        var harness = MachineHarness(definition)
        harness.feed(.child(ChildReport(step: "loyalty", outcome: .completed)))
        harness.feed(.rewind(era: 9))
        harness.succeed("check")
        harness.feed(.child(ChildReport(step: "loyalty", outcome: .running)))
        #expect(!harness.transcript.contains { $0.hasPrefix("ship") })
        harness.feed(.child(ChildReport(step: "loyalty", outcome: .compensated)))
        #expect(!harness.transcript.contains { $0.hasPrefix("ship") })
        #expect(harness.saga.isCompensating)
    }
}

@Suite("The verify round of a saga with a child")
struct ChildVerifyTests {
    /// The partition was rewound, and create has answered.
    private func rewound(_ events: (inout MachineHarness) -> Void) throws -> MachineHarness {
        var harness = MachineHarness(try parentDefinition())
        harness.succeed("create")
        events(&harness)
        harness.feed(.rewind(era: 9))
        harness.succeed("create")
        if harness.action("ship").attempts > 0 { harness.succeed("ship") }
        #expect(harness.transcript.contains("loyalty child verified"))
        #expect(harness.saga.isVerifying, "the child is waited for")
        #expect(harness.saga.nextAlarm == nil)
        _ = harness.take()
        return harness
    }

    @Test func aCompletedChildIsAsItWas() throws {
        var harness = try rewound { $0.report("loyalty", .completed, result: "120") }
        harness.report("loyalty", .completed, result: "120")
        #expect(harness.take() == ["completed"])
    }

    @Test func aRunningChildIsWaitedFor() throws {
        var harness = try rewound { _ in }
        harness.report("loyalty", .running)
        #expect(!harness.saga.isVerifying)
        #expect(harness.take() == [])
        harness.report("loyalty", .completed, result: "120")
        #expect(harness.take() == ["ship action 1"])
    }

    @Test func aChildThatCompletedInWhatWasLostHasItsResult() throws {
        var harness = try rewound { _ in }
        harness.report("loyalty", .completed, result: "120")
        #expect(harness.take() == ["ship action 1"])
        #expect(harness.result("loyalty") == "120")
    }

    @Test func aChildThatIsOnItsWayBackTurnsTheSagaBackWhenItIsThere() throws {
        var harness = try rewound { $0.report("loyalty", .completed) }
        harness.report("loyalty", .running)
        #expect(harness.take() == [])
        #expect(harness.saga.status == .running)
        harness.report("loyalty", .compensated, error: "cancelled")
        #expect(harness.take() == ["ship compensation 1 known"])
        harness.succeed("ship", .compensation)
        #expect(harness.take() == ["loyalty child undone"], "after a rewind every step is undone")
    }

    @Test(arguments: [ChildReport.Outcome.compensated, .refused])
    func aChildThatLeftNoEffectTurnsTheSagaBack(outcome: ChildReport.Outcome) throws {
        var harness = try rewound { _ in }
        harness.report("loyalty", outcome, error: "no such member")
        #expect(harness.take() == ["ship compensation 1"])
        #expect(harness.saga.error == "loyalty failed: no such member")
    }

    @Test(arguments: ChildReport.Outcome.allCases)
    func aSagaThatTurnedBackTakesTheChildBackAfterTheRound(outcome: ChildReport.Outcome) throws {
        var harness = try rewound { $0.order(.cancel) }
        harness.report("loyalty", outcome)
        harness.succeed("ship", .compensation)
        #expect(harness.take() == ["ship compensation 1", "loyalty child undone"])
        harness.report("loyalty", .compensated)
        #expect(harness.take() == ["create compensation 1 known"])
    }

    @Test func anOperatorsSkipStandsWhateverTheChildSays() throws {
        var harness = try rewound { _ in }
        harness.order(.skip, "loyalty", result: "0")
        #expect(harness.take() == ["ship action 1"])
        #expect(harness.report("loyalty", .compensated) == .ignore)
    }
}
