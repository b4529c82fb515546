import SagaCore
import Testing

@Suite("Error codes")
struct CodeTests {
    /// create, then charge, then ship; charge has been sent.
    private func charging(
        attempts: Int = 3, _ change: (StepDraft) -> StepDraft
    ) throws -> MachineHarness {
        let definition = try Definition("order", version: 1) {
            command("create")
            change(command("charge").retry(attempts: attempts).timeout(.seconds(10)))
            command("ship")
        }
        var harness = MachineHarness(definition)
        harness.succeed("create")
        #expect(harness.take() == ["create action 1", "charge action 1"])
        return harness
    }

    // MARK: noRetry

    @Test func aCodeThatIsNotRetriedEndsTheAttemptsAndTheEffectIsUnknown() throws {
        var harness = try charging { $0.noRetry(on: "card-expired", "account-closed") }
        harness.retry("charge", code: "account-closed")
        #expect(harness.take() == ["charge compensation 1"])
        #expect(harness.saga.error == "charge gave up: busy (account-closed)")
    }

    @Test func othersAreRetried() throws {
        var harness = try charging { $0.noRetry(on: "card-expired") }
        harness.retry("charge", code: "busy")
        harness.ring()
        harness.retry("charge", attempt: 2)
        harness.ring()
        #expect(harness.take() == ["charge action 2", "charge action 3"])
    }

    @Test func compensationsAreRetriedWhateverTheCode() throws {
        var harness = try charging { $0.noRetry(on: "busy") }
        harness.succeed("charge")
        harness.fail("ship")
        harness.retry("charge", .compensation, code: "busy")
        harness.ring()
        #expect(harness.take() == ["ship action 1", "charge compensation 1 known", "charge compensation 2 known"])
    }

    // MARK: stopOn

    @Test func aRefusalWithACodeThatStopsWaitsForAnOperator() throws {
        var harness = try charging { $0.stop(on: "fraud") }
        harness.fail("charge", error: "looks odd", code: "fraud")
        #expect(harness.take() == ["stuck"])
        #expect(harness.saga.error == "charge is stuck: looks odd (fraud)")
        #expect(harness.action("charge").isRefused)
        #expect(harness.saga.nextAlarm == nil)
    }

    @Test func otherRefusalsTurnTheSagaBack() throws {
        for code in ["no-funds", nil] {
            var harness = try charging { $0.stop(on: "fraud") }
            harness.fail("charge", code: code)
            #expect(harness.take() == ["create compensation 1 known"])
        }
    }

    @Test func aGivenUpActionWithACodeThatStopsWaitsForAnOperator() throws {
        var harness = try charging(attempts: 2) { $0.stop(on: "bank-down") }
        harness.retry("charge", code: "bank-down")
        #expect(harness.take() == [])
        harness.ring()
        harness.retry("charge", attempt: 2, code: "bank-down")
        #expect(harness.take() == ["charge action 2", "stuck"])
        #expect(!harness.action("charge").isRefused)
    }

    @Test func anActionThatIsNeverAnsweredEndsWithTheCodeTimeout() throws {
        var harness = try charging(attempts: 2) { $0.stop(on: ErrorCodes.timeout) }
        harness.ring()
        harness.ring()
        harness.ring()
        #expect(harness.take() == ["charge action 2", "stuck"])
        #expect(
            harness.saga.error
                == "charge is stuck: no attempt of 2 succeeded; the last: no answer within 10000 ms")
        var hopeless = try charging { $0.noRetry(on: ErrorCodes.timeout) }
        hopeless.ring()
        #expect(hopeless.take() == ["charge compensation 1"])
    }

    // MARK: compensateOn

    @Test func onlyTheNamedCodesTurnTheSagaBack() throws {
        var named = try charging { $0.compensate(on: "no-funds") }
        named.fail("charge", code: "no-funds")
        #expect(named.take() == ["create compensation 1 known"])
        for code in ["fraud", nil] {
            var other = try charging { $0.compensate(on: "no-funds") }
            other.fail("charge", code: code)
            #expect(other.take() == ["stuck"])
        }
        var silent = try charging(attempts: 1) { $0.compensate(on: "no-funds") }
        silent.ring()
        #expect(silent.take() == ["stuck"], "an outage is no reason to undo")
        var timed = try charging(attempts: 1) { $0.compensate(on: "no-funds", ErrorCodes.timeout) }
        timed.ring()
        #expect(timed.take() == ["charge compensation 1"])
    }

    @Test func aStepThatCannotBeginHasNoCode() throws {
        let definition = try Definition("order", version: 1) {
            command("create")
            command("charge").when(Condition("input.total", .greaterThan(0))).compensate(on: "no-funds")
        }
        var harness = MachineHarness(definition, input: "total=5")
        harness.succeed("create")
        #expect(harness.take() == ["create action 1", "stuck"])
        harness.order(.cancel)
        #expect(harness.take() == ["create compensation 1 known", "reopened"], "it was never sent")
    }

    // MARK: An operator

    @Test func aRefusedStepIsTriedAgainOnOrder() throws {
        var harness = try charging(attempts: 1) { $0.stop(on: "fraud") }
        harness.fail("charge", code: "fraud")
        harness.order(.retry, "charge")
        #expect(harness.take() == ["stuck", "charge action 2", "reopened"])
        #expect(!harness.action("charge").isRefused)
        harness.succeed("charge", attempt: 2)
        #expect(harness.take() == ["ship action 1"])
    }

    @Test func aRefusedStepIsSkippedOnOrder() throws {
        var harness = try charging { $0.stop(on: "fraud") }
        harness.fail("charge", code: "fraud")
        harness.order(.skip, "charge", result: "7")
        #expect(harness.take() == ["stuck", "ship action 1", "reopened"])
        harness.fail("ship")
        #expect(harness.take() == ["charge compensation 1"], "it was declared done")
    }

    @Test func aRefusedStepHasNothingToUndo() throws {
        var harness = try charging { $0.stop(on: "fraud") }
        harness.fail("charge", code: "fraud")
        harness.order(.cancel)
        #expect(harness.take() == ["stuck", "create compensation 1 known", "reopened"])
        #expect(harness.action("charge").status == .failed)
    }

    @Test func aStepInDoubtIsUndone() throws {
        var harness = try charging(attempts: 1) { $0.stop(on: ErrorCodes.timeout) }
        harness.ring()
        harness.order(.cancel)
        #expect(harness.take() == ["stuck", "charge compensation 1", "reopened"])
        #expect(harness.action("charge").status == .unknown)
        #expect(harness.succeed("charge") == .ignore, "its success comes too late")
        #expect(harness.take() == [])
    }

    @Test func aRefusedStepThatWasTriedAgainIsInDoubt() throws {
        var harness = try charging { $0.stop(on: "fraud") }
        harness.fail("charge", code: "fraud")
        harness.order(.retry)
        harness.order(.cancel)
        #expect(harness.take() == ["stuck", "charge action 2", "reopened", "charge compensation 1"])
    }

    @Test func aLateSuccessUnsticksAStepInDoubt() throws {
        var harness = try charging(attempts: 1) { $0.stop(on: ErrorCodes.timeout) }
        harness.ring()
        harness.succeed("charge", attempt: 1)
        #expect(harness.take() == ["stuck", "ship action 1", "reopened"])
    }

    @Test func stuckItemsAreTreatedOneByOne() throws {
        let definition = try Definition("order", version: 1) {
            command("reserve").forEach("input.items", parallel: 4).retry(attempts: 1).stop(on: "odd")
        }
        var harness = MachineHarness(definition, input: input(items: 4))
        harness.fail("reserve", item: 0, code: "odd")
        harness.retry("reserve", item: 1, code: "odd")
        harness.succeed("reserve", item: 2)
        #expect(harness.saga.status == .running, "one is still under way")
        harness.succeed("reserve", item: 3)
        _ = harness.take()
        harness.order(.cancel)
        #expect(
            harness.take() == [
                "reserve#1 compensation 1", "reserve#2 compensation 1 known", "reserve#3 compensation 1 known",
                "reopened",
            ])
    }

    @Test func theDeadlineStillTurnsTheSagaBackWhileOtherStepsGoOn() throws {
        let definition = try Definition("order", version: 1, deadline: .seconds(20)) {
            command("create").after()
            command("charge").after().stop(on: "fraud")
        }
        var harness = MachineHarness(definition)
        harness.fail("charge", code: "fraud")
        #expect(harness.saga.status == .running)
        harness.feed(.tick, after: 20_000)
        #expect(harness.take() == ["create action 1", "charge action 1", "create compensation 1"])
    }

    @Test func theDeadlineTurnsBackAlsoASagaThatIsStuckBeforeItsPivot() throws {
        let definition = try Definition("order", version: 1, deadline: .seconds(20)) {
            command("charge").stop(on: "fraud")
        }
        var harness = MachineHarness(definition)
        harness.fail("charge", code: "fraud")
        #expect(harness.saga.nextAlarm == harness.saga.startedAt + 20_000)
        harness.ring()
        #expect(harness.take() == ["charge action 1", "stuck", "compensated"])
        #expect(harness.saga.error == "the saga's deadline passed")
    }

    @Test func aRetryThatAPauseHeldBackDoesNotMakeARefusalDoubtful() throws {
        var harness = try charging { $0.stop(on: "fraud") }
        harness.fail("charge", code: "fraud")
        harness.order(.pause)
        harness.order(.retry)
        harness.order(.cancel)
        harness.order(.resume)
        #expect(harness.take() == ["stuck", "reopened", "create compensation 1 known"])
    }

    @Test func whatWasUndoneInALostHistoryTurnsTheSagaBackWhateverTheCode() throws {
        var harness = try charging { $0.compensate(on: "no-funds") }
        harness.succeed("charge")
        harness.feed(.rewind(era: 9))
        harness.succeed("create")
        harness.succeed("ship")
        harness.fail("charge", error: "compensated already", code: "late")
        #expect(harness.take().last == "ship compensation 1 known")
    }
}
