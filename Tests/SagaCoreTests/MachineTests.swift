import SagaCore
import Testing

@Suite("The machine")
struct MachineTests {
    @Test func stepsRunOneAfterTheOtherAndTheSagaCompletes() throws {
        var harness = MachineHarness(try definition("create", "reserve", "charge"))
        harness.succeed("create")
        harness.succeed("reserve")
        harness.succeed("charge")
        #expect(harness.transcript == ["create action 1", "reserve action 1", "charge action 1", "completed"])
        #expect(harness.saga.finishedAt == 1_000)
        #expect(harness.saga.nextAlarm == nil)
    }

    @Test func aRefusalCompensatesWhatSucceededInReverseAndNotTheRefusedStep() throws {
        var harness = MachineHarness(try definition("create", "reserve", "charge"))
        harness.succeed("create")
        harness.succeed("reserve")
        harness.fail("charge", error: "card declined")
        harness.succeed("reserve", .compensation)
        harness.succeed("create", .compensation)
        #expect(
            harness.transcript == [
                "create action 1", "reserve action 1", "charge action 1", "reserve compensation 1 known",
                "create compensation 1 known", "compensated",
            ])
        #expect(harness.saga.error == "charge failed: card declined")
    }

    @Test func aStepWithoutCompensationIsPassedOver() throws {
        let definition = try definition("create", "check", "charge") {
            if $0.name == "check" { $0.compensation = .none }
        }
        var harness = MachineHarness(definition)
        harness.succeed("create")
        harness.succeed("check")
        harness.fail("charge")
        #expect(harness.transcript.suffix(1) == ["create compensation 1 known"])
    }

    @Test func aRefusedFirstStepEndsTheSagaAtOnce() throws {
        var harness = MachineHarness(try definition("create", "charge"))
        harness.fail("create")
        #expect(harness.saga.status == .compensated)
        #expect(harness.transcript == ["create action 1", "compensated"])
    }

    @Test func passingTroubleIsRetriedAfterTheBackoffAndNotBeforeRetryAfter() throws {
        let definition = try definition("create") { $0.retry = RetryPolicyDraft(initial: 100, factor: 2, jitter: 0) }
        var harness = MachineHarness(definition)
        harness.retry("create")
        #expect(harness.saga.nextAlarm == 1_100)
        #expect(harness.feed(.tick, after: 99) == .ignore)
        harness.feed(.tick, after: 1)
        #expect(harness.transcript.last == "create action 2")
        harness.retry("create", attempt: 2, after: 5_000)
        #expect(harness.saga.nextAlarm == harness.now + 5_000)
        harness.ring()
        harness.succeed("create", attempt: 3)
        #expect(harness.saga.status == .completed)
    }

    @Test func anAttemptOutOfTimeIsFollowedByTheNext() throws {
        let definition = try definition("create") { $0.timeout = 500 }
        var harness = MachineHarness(definition)
        #expect(harness.saga.nextAlarm == 1_500)
        harness.ring()
        #expect(harness.saga.steps[0].action.status == .waiting)
        harness.ring()
        #expect(harness.transcript.last == "create action 2")
    }

    @Test func theFirstSuccessOfAnyAttemptCounts() throws {
        var harness = MachineHarness(try definition("create", "charge"))
        harness.retry("create")
        #expect(harness.saga.steps[0].action.status == .waiting)
        harness.succeed("create", attempt: 1)
        #expect(harness.transcript.last == "charge action 1")
    }

    @Test func aLateRetryOfAnEarlierAttemptDoesNotCount() throws {
        var harness = MachineHarness(try definition("create"))
        harness.retry("create")
        harness.ring()
        #expect(harness.retry("create", attempt: 1) == .ignore)
        #expect(harness.saga.steps[0].action.status == .running)
    }

    @Test func anActionOutOfAttemptsMayHaveTakenEffectAndIsCompensated() throws {
        let definition = try definition("create", "charge") { $0.retry = RetryPolicyDraft(attempts: 2) }
        var harness = MachineHarness(definition)
        harness.succeed("create")
        harness.retry("charge")
        harness.ring()
        harness.retry("charge", attempt: 2)
        #expect(harness.transcript.last == "charge compensation 1", "its success is not known")
        #expect(harness.saga.steps[1].action.status == .unknown)
        harness.succeed("charge", .compensation)
        harness.succeed("create", .compensation)
        #expect(harness.saga.status == .compensated)
    }

    @Test func forwardAttemptsDoNotUseUpTheUndosOwn() throws {
        let definition = try definition("create") {
            $0.retry = RetryPolicyDraft(attempts: 1)
            $0.compensationRetry = RetryPolicyDraft(attempts: 2)
        }
        var harness = MachineHarness(definition)
        harness.retry("create")
        harness.retry("create", .compensation)
        #expect(harness.saga.steps[0].compensation.status == .waiting)
        harness.ring()
        harness.retry("create", .compensation, attempt: 2)
        #expect(harness.saga.status == .stuck)
    }

    @Test func aPassedDeadlineCompensatesTheStepInDoubtFirst() throws {
        var harness = MachineHarness(try definition("create", "charge", deadline: 10_000))
        harness.succeed("create")
        harness.feed(.tick, after: 10_000)
        #expect(harness.transcript.suffix(1) == ["charge compensation 1"])
        #expect(harness.succeed("charge") == .ignore, "an answer that comes too late changes nothing")
        #expect(harness.saga.error == "the saga's deadline passed")
    }

    @Test func aCompensationWithoutAnswerIsSentAgainForEver() throws {
        var harness = MachineHarness(try definition("create", "charge"))
        harness.succeed("create")
        harness.fail("charge")
        for _ in 0..<200 { harness.ring() }
        #expect(harness.saga.status == .compensating)
        #expect(harness.saga.steps[0].compensation.attempts > 90)
        harness.succeed("create", .compensation, attempt: 1)
        #expect(harness.saga.status == .compensated)
    }

    @Test func aRefusedCompensationIsStuckAtOnceAndTheOthersGoOn() throws {
        var harness = MachineHarness(try definition("create", "reserve", "charge"))
        harness.succeed("create")
        harness.succeed("reserve")
        harness.fail("charge")
        harness.fail("reserve", .compensation, error: "gone")
        #expect(harness.transcript.last == "create compensation 1 known")
        harness.succeed("create", .compensation)
        #expect(harness.transcript.last == "stuck")
        #expect(harness.saga.status == .stuck)
        harness.feed(.order(Order(.retry, by: "ann")))
        #expect(harness.transcript.suffix(2) == ["reserve compensation 2 known", "reopened"])
        harness.succeed("reserve", .compensation, attempt: 2)
        #expect(harness.saga.status == .compensated)
    }

    @Test func whenStuckHoldKeepsThoseBeforeItWaiting() throws {
        var harness = MachineHarness(try definition("create", "reserve", "charge", whenStuck: .hold))
        harness.succeed("create")
        harness.succeed("reserve")
        harness.fail("charge")
        harness.fail("reserve", .compensation)
        #expect(harness.transcript.last == "stuck")
        harness.feed(.order(Order(.skip, step: "reserve", by: "ann", reason: "done by phone")))
        #expect(harness.transcript.suffix(2) == ["create compensation 1 known", "reopened"])
        harness.succeed("create", .compensation)
        #expect(harness.saga.status == .compensated)
    }

    @Test func aLateSuccessUnsticksACompensation() throws {
        let definition = try definition("create", "charge") { $0.compensationRetry = RetryPolicyDraft(attempts: 1) }
        var harness = MachineHarness(definition)
        harness.succeed("create")
        harness.fail("charge")
        harness.ring()
        #expect(harness.saga.status == .stuck)
        harness.succeed("create", .compensation)
        #expect(harness.saga.status == .compensated)
    }

    @Test func allCompensationsGoOutAtOnceInParallelOrder() throws {
        var harness = MachineHarness(try definition("create", "reserve", "charge", order: .parallel))
        harness.succeed("create")
        harness.succeed("reserve")
        harness.fail("charge")
        #expect(Set(harness.transcript.suffix(2)) == ["create compensation 1 known", "reserve compensation 1 known"])
    }

    @Test func independentStepsRunAndAreUndoneSideBySide() throws {
        let definition = try definition("create", "reserve", "charge", "ship") {
            if $0.name == "charge" { $0.after = ["create"] }
            if $0.name == "ship" { $0.after = ["reserve", "charge"] }
        }
        var harness = MachineHarness(definition)
        harness.succeed("create")
        #expect(harness.transcript.suffix(2) == ["reserve action 1", "charge action 1"])
        harness.succeed("charge")
        harness.succeed("reserve")
        #expect(harness.transcript.last == "ship action 1")
        harness.fail("ship")
        #expect(Set(harness.transcript.suffix(2)) == ["charge compensation 1 known", "reserve compensation 1 known"])
        harness.succeed("charge", .compensation)
        #expect(harness.saga.steps[0].compensation.status == .pending, "the other branch is not undone yet")
        harness.succeed("reserve", .compensation)
        #expect(harness.transcript.last == "create compensation 1 known")
    }

    @Test func aHeartbeatRestartsTheTimeoutAndIsNotLoggedTooOften() throws {
        let definition = try definition("create") { $0.timeout = 1_000 }
        var harness = MachineHarness(definition)
        let beat = Event.heartbeat(step: "create", phase: .action, attempt: 1)
        #expect(harness.feed(beat, after: 100) == .ignore)
        harness.feed(beat, after: 800)
        #expect(harness.saga.nextAlarm == 2_900)
        #expect(harness.feed(.heartbeat(step: "create", phase: .action, attempt: 2), after: 900) == .ignore)
    }

    @Test func aScheduledSagaBeginsAtItsInstant() throws {
        let started = Started(definition: "order", version: 1, era: 1, notBefore: 5_000)
        var harness = MachineHarness(try definition("create"), started: started)
        #expect(harness.saga.status == .scheduled)
        #expect(harness.transcript == [])
        harness.ring()
        #expect(harness.now == 5_000)
        #expect(harness.transcript == ["create action 1"])
    }

    @Test func anEntryThatIsAppliedTwiceIsOneEntry() throws {
        var harness = MachineHarness(try definition("create", "charge"))
        harness.succeed("create")
        var saga = harness.saga
        var directives: [Directive] = []
        for entry in harness.log { saga.evolve(entry, directives: &directives) }
        #expect(saga == harness.saga)
        #expect(directives == [])
    }
}

@Suite("Operators' orders")
struct OrderTests {
    @Test func cancelCompensatesAndSaysWho() throws {
        var harness = MachineHarness(try definition("create", "charge"))
        harness.succeed("create")
        harness.feed(.order(Order(.cancel, by: "ann", reason: "customer called")))
        #expect(harness.transcript.last == "charge compensation 1")
        #expect(harness.saga.error == "cancelled by ann: customer called")
        #expect(harness.feed(.order(Order(.cancel))) == .refuse("the saga is compensating already"))
    }

    @Test func nothingIsSentDuringAPauseAndAlarmsCatchUp() throws {
        let definition = try definition("create", "charge") { $0.timeout = 1_000 }
        var harness = MachineHarness(definition)
        harness.feed(.order(Order(.pause)))
        #expect(harness.saga.nextAlarm == nil)
        harness.succeed("create")
        #expect(harness.transcript == ["create action 1"])
        #expect(harness.feed(.order(Order(.pause))) == .refuse("the saga is paused already"))
        harness.feed(.order(Order(.resume)), after: 60_000)
        #expect(harness.transcript.last == "charge action 1")
    }

    @Test func retryCutsABackoffShort() throws {
        var harness = MachineHarness(try definition("create"))
        harness.retry("create", after: 3_600_000)
        harness.feed(.order(Order(.retry)))
        #expect(harness.transcript.last == "create action 2")
    }

    @Test func ordersWithoutATargetAreRefused() throws {
        var harness = MachineHarness(try definition("create"))
        #expect(harness.feed(.order(Order(.retry))) == .refuse("no step is stuck or waits for its next attempt"))
        #expect(harness.feed(.order(Order(.skip))) == .refuse("skip needs a step"))
        #expect(harness.feed(.order(Order(.skip, step: "x"))) == .refuse("order@1 has no step 'x'"))
        #expect(harness.feed(.order(Order(.resume))) == .refuse("the saga is not paused"))
        harness.succeed("create")
        #expect(harness.feed(.order(Order(.cancel))) == .refuse("the saga is completed"))
    }

    @Test func aSkippedStepHasTheGivenResult() throws {
        var harness = MachineHarness(try definition("create", "charge"))
        harness.feed(.order(Order(.skip, step: "create", result: Array("7".utf8))))
        #expect(harness.transcript.last == "charge action 1")
        #expect(harness.saga.steps[0].result == Array("7".utf8))
        #expect(harness.succeed("create") == .ignore)
    }
}

@Suite("The pivot")
struct PivotTests {
    @Test func fromThePivotOnNothingTurnsTheSagaBack() throws {
        var harness = MachineHarness(try definition("create", "ship", "mail", pivot: "ship", deadline: 5_000))
        harness.succeed("create")
        #expect(harness.saga.isPivotDue)
        #expect(
            harness.feed(.order(Order(.cancel))) == .refuse("the pivot 'ship' is due: the saga only goes forward"))
        harness.feed(.tick, after: 100_000)
        #expect(harness.saga.status == .running)
        for _ in 0..<100 { harness.ring() }
        #expect(harness.saga.status == .running, "the pivot is retried without a limit")
        harness.succeed("ship")
        harness.fail("mail")
        #expect(harness.saga.status == .stuck, "a step after the pivot is never compensated")
        #expect(harness.saga.steps[0].compensation.status == .none)
        harness.feed(.order(Order(.skip, step: "mail")))
        #expect(harness.saga.status == .completed)
    }

    @Test func aRefusedPivotTurnsTheSagaBack() throws {
        var harness = MachineHarness(try definition("create", "ship", "mail", pivot: "ship"))
        harness.succeed("create")
        harness.fail("ship")
        #expect(harness.transcript.last == "create compensation 1 known")
    }
}

@Suite("The verify round")
struct VerifyTests {
    @Test func recordedAndDueActionsAreAskedAgainBeforeAnythingGoesOn() throws {
        var harness = MachineHarness(try definition("create", "reserve", "charge"))
        harness.succeed("create")
        harness.feed(.rewind(era: 9))
        #expect(harness.transcript.suffix(2) == ["create action 1", "reserve action 1"])
        harness.succeed("reserve")
        #expect(harness.saga.isVerifying)
        #expect(harness.transcript.last == "reserve action 1", "charge waits for the round")
        harness.succeed("create")
        #expect(harness.transcript.last == "charge action 1")
        #expect(harness.saga.era == 9)
    }

    @Test func anActionThatWasUndoneInTheLostSuffixTurnsTheSagaBackAndEveryStepIsCompensated() throws {
        var harness = MachineHarness(try definition("create", "reserve", "charge"))
        harness.succeed("create")
        harness.feed(.rewind(era: 9))
        harness.fail("create", error: "compensated already")
        harness.succeed("reserve")
        #expect(harness.saga.status == .compensating)
        #expect(harness.transcript.last == "charge compensation 1", "also a step that is not known to have run")
        harness.succeed("charge", .compensation)
        harness.succeed("reserve", .compensation)
        #expect(harness.transcript.last == "create compensation 1")
        harness.succeed("create", .compensation)
        #expect(harness.saga.status == .compensated)
    }

    @Test func questionsArePutAgainWithoutALimitAndAreNoAttempts() throws {
        let definition = try definition("create") { $0.retry = RetryPolicyDraft(attempts: 2) }
        var harness = MachineHarness(definition)
        harness.feed(.rewind(era: 9))
        for _ in 0..<20 { harness.ring() }
        #expect(harness.saga.isVerifying)
        #expect(harness.saga.steps[0].action.attempts == 1)
        harness.retry("create")
        #expect(harness.saga.isVerifying, "passing trouble is no answer")
        harness.succeed("create")
        #expect(harness.saga.status == .completed)
    }

    @Test func aCompensationUnderWayIsSentAgainAfterTheRound() throws {
        var harness = MachineHarness(try definition("create", "charge"))
        harness.succeed("create")
        harness.fail("charge")
        harness.feed(.rewind(era: 9))
        #expect(harness.transcript.suffix(2) == ["create action 1", "charge action 1"])
        harness.succeed("create")
        harness.fail("charge")
        #expect(harness.transcript.last == "charge compensation 1")
        harness.succeed("charge", .compensation)
        #expect(harness.transcript.last == "create compensation 2 known")
    }

    @Test func anEndedSagaIsNotVerified() throws {
        var harness = MachineHarness(try definition("create"))
        harness.succeed("create")
        #expect(harness.feed(.rewind(era: 9)) == .ignore)
    }

    @Test func aSagaStartedAfterARewindCompensatesEveryStep() throws {
        let started = Started(definition: "order", version: 1, era: 9, isAfterRewind: true)
        var harness = MachineHarness(try definition("create", "reserve"), started: started)
        harness.fail("create")
        #expect(harness.transcript.last == "reserve compensation 1")
    }
}
