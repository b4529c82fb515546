import SagaCore
import Testing

/// What users of other systems complain of when things are undone, and what happens here. `Compensation.md` in the
/// documentation has a line for each.
@Suite("Complaints about compensation")
struct ComplaintTests {
    /// create has succeeded, charge was refused: create is being undone.
    private func undoing(_ change: (StepDraft) -> StepDraft = { $0 }) throws -> MachineHarness {
        let definition = try Definition("order", version: 1) {
            change(command("create"))
            command("charge")
        }
        var harness = MachineHarness(definition)
        harness.succeed("create")
        harness.fail("charge")
        #expect(harness.take() == ["create action 1", "charge action 1", "create compensation 1 known"])
        return harness
    }

    @Test func anUndoThatFailsIsNotHammered() throws {
        var harness = try undoing()
        var gaps: [Milliseconds] = []
        for attempt in 1...20 {
            harness.retry("create", .compensation, attempt: attempt)
            let before = harness.now
            harness.ring()
            gaps.append(harness.now - before)
        }
        #expect(harness.take().count == 20)
        #expect((400...600).contains(gaps[0]), "half a second, spread by a fifth")
        for (gap, next) in zip(gaps, gaps.dropFirst()) where gap < 150_000 { #expect(next > gap) }
        #expect(gaps.suffix(10).allSatisfy { (240_000...360_000).contains($0) }, "five minutes at most, spread")
    }

    @Test func theUndosOwnLimitIsKept() throws {
        var harness = try undoing { $0.compensationRetry(attempts: 3) }
        for attempt in 1...3 {
            harness.retry("create", .compensation, attempt: attempt)
            harness.ring()
        }
        #expect(harness.take() == ["create compensation 2 known", "create compensation 3 known", "stuck"])
        #expect(harness.saga.nextAlarm == nil)
        #expect(harness.feed(.tick, after: 86_400_000) == .ignore)
    }

    @Test func aFailingUndoSaysSinceWhenAndWhy() throws {
        var harness = try undoing()
        for attempt in 1...3 {
            harness.retry("create", .compensation, attempt: attempt)
            harness.ring()
        }
        let undo = harness.compensation("create")
        #expect(undo.startedAt == 1_000)
        #expect(undo.error == "busy")
        #expect(undo.attempts == 4)
    }

    /// a, b and c in a row; c was refused, and undoing b is stuck.
    private func blocked(_ whenStuck: WhenStuck) throws -> MachineHarness {
        var harness = MachineHarness(try definition("a", "b", "c", whenStuck: whenStuck))
        harness.succeed("a")
        harness.succeed("b")
        harness.fail("c")
        _ = harness.take()
        harness.fail("b", .compensation)
        return harness
    }

    @Test func aStuckUndoDoesNotHoldUpTheOthersUnlessItIsToldTo() throws {
        var harness = try blocked(.continue)
        #expect(harness.take() == ["a compensation 1 known"])
        var held = try blocked(.hold)
        #expect(held.take() == ["stuck"])
        held.order(.skip, "b")
        #expect(held.take() == ["a compensation 1 known", "reopened"])
    }

    @Test func aFailingUndoDoesNotEndTheSaga() throws {
        var harness = try undoing()
        harness.fail("create", .compensation)
        #expect(harness.saga.status == .stuck)
        #expect(!harness.saga.status.isFinal)
        var late = harness
        late.succeed("create", .compensation)
        #expect(late.take() == ["stuck", "compensated"], "a late answer still counts")
        harness.order(.retry)
        harness.succeed("create", .compensation, attempt: 2)
        #expect(harness.take() == ["stuck", "create compensation 2 known", "reopened", "compensated"])
    }

    @Test func whereARetryWillDoNothingIsUndone() throws {
        var harness = MachineHarness(try definition("create", "charge"))
        harness.succeed("create")
        for attempt in 1...9 {
            harness.retry("charge", attempt: attempt)
            harness.ring()
        }
        harness.succeed("charge", attempt: 10)
        #expect(harness.saga.status == .completed)
        #expect(!harness.transcript.contains { $0.contains("compensation") })
    }

    @Test func aLostUndoIsSentAgain() throws {
        var harness = try undoing { $0.timeout(.seconds(10)) }
        #expect(harness.saga.nextAlarm == harness.now + 10_000)
        harness.ring()
        harness.ring()
        #expect(harness.take() == ["create compensation 2 known"])
        harness.succeed("create", .compensation, attempt: 1)
        #expect(harness.take() == ["compensated"], "the first success of any attempt counts")
    }

    @Test func theUndoOfASlowActionIsSentWithoutAWordOfItsEffect() throws {
        var harness = MachineHarness(try definition("create", "charge", deadline: 10_000))
        harness.succeed("create")
        harness.ring()
        #expect(
            harness.take().last == "charge compensation 1", "the participant's barrier stops the action, or undoes it")
        #expect(harness.succeed("charge") == .ignore)
        harness.succeed("charge", .compensation)
        #expect(harness.take() == ["create compensation 1 known"])
    }

    @Test func theUndoIsNotCancelledWithTheSaga() throws {
        let definition = try Definition("order", version: 1, deadline: .seconds(20)) {
            command("create")
            command("charge")
        }
        var harness = MachineHarness(definition)
        harness.succeed("create")
        harness.fail("charge")
        _ = harness.take()
        #expect(harness.order(.cancel) == .refuse("the saga is compensating already"))
        harness.retry("create", .compensation)
        harness.order(.pause)
        harness.now += 60_000
        harness.order(.resume)
        #expect(harness.take() == ["create compensation 2 known"], "nor by the deadline, nor for good by a pause")
    }

    @Test func theUndoOfAStepInDoubtIsNotForgotten() throws {
        let definition = try Definition("order", version: 1) {
            command("create")
            command("charge").timeout(.seconds(10)).retry(attempts: 1)
        }
        var harness = MachineHarness(definition)
        harness.succeed("create")
        harness.ring()
        #expect(harness.take().last == "charge compensation 1")
    }

    @Test func anOutageIsNoRefusal() throws {
        let definition = try Definition("order", version: 1) {
            command("create")
            command("charge").retry(attempts: 2).stop(on: ErrorCodes.timeout, "database-down")
        }
        var harness = MachineHarness(definition)
        harness.succeed("create")
        harness.ring()
        harness.ring()
        harness.retry("charge", attempt: 2, code: "database-down")
        #expect(harness.take() == ["create action 1", "charge action 1", "charge action 2", "stuck"])
        harness.order(.retry)
        harness.succeed("charge", attempt: 3)
        #expect(harness.take() == ["charge action 3", "reopened", "completed"])
    }

    @Test func thereIsNoWayToEndASagaButToUndoIt() throws {
        #expect(Order.Operation.allCases == [.cancel, .pause, .resume, .retry, .skip])
        var harness = MachineHarness(try definition("create", "charge"))
        harness.succeed("create")
        harness.order(.cancel)
        harness.succeed("charge", .compensation)
        harness.succeed("create", .compensation)
        #expect(
            harness.take().suffix(3) == ["charge compensation 1", "create compensation 1 known", "compensated"])
    }

    @Test func theUndoIsTheOneOfTheVersionThatTheActionRanUnder() throws {
        func version(_ number: Int, undo: String) throws -> Definition {
            try Definition("order", version: number) {
                StepDraft("create", service: "orders", action: "create").compensated(by: undo)
                command("charge")
            }
        }
        let (old, new) = (try version(1, undo: "delete"), try version(2, undo: "archive"))
        var harness = MachineHarness(old)
        harness.succeed("create")
        harness.fail("charge")
        guard case .started(let started) = harness.log[0].fact else { return #expect(Bool(false), "no start") }
        #expect(started.version == 1, "the log says under which definition it is to be read")
        #expect(harness.replayed().definition.steps[0].operation(of: .compensation) == "delete")
        #expect(MachineHarness(new).saga.definition.steps[0].operation(of: .compensation) == "archive")
    }

    @Test func childrenAreUndoneWithTheirParent() throws {
        var harness = MachineHarness(try parentDefinition())
        harness.succeed("create")
        harness.report("loyalty", .completed)
        harness.fail("ship")
        #expect(harness.take().last == "loyalty child undone")
        #expect(harness.saga.status == .compensating, "and waited for")
    }

    @Test func attemptsForwardAreNotCountedBackward() throws {
        let definition = try Definition("order", version: 1) {
            command("create").retry(attempts: 5).compensationRetry(attempts: 2)
        }
        var harness = MachineHarness(definition)
        for attempt in 1...5 {
            harness.retry("create", attempt: attempt)
            harness.ring()
        }
        #expect(harness.compensation("create").attempts == 1)
        #expect(harness.compensation("create").status == .waiting || harness.compensation("create").status == .running)
        harness.retry("create", .compensation, attempt: 1)
        harness.ring()
        #expect(harness.take().last == "create compensation 2")
    }

    @Test func theAlarmOfAStuckUndoIsInTheChangeThatMakesItStuck() throws {
        var harness = try undoing()
        harness.fail("create", .compensation, error: "gone")
        #expect(harness.directives == [.finish(.stuck)])
        let replayed = harness.replayed()
        #expect(replayed.status == .stuck, "and whoever reads the log later sees it, too")
        #expect(replayed.steps[0].compensation.error == "gone")
    }

    @Test func afterAnOutageNothingNeedsToWaitForItsBackoff() throws {
        var forward = MachineHarness(try definition("create"))
        forward.retry("create", after: 3_600_000)
        forward.order(.retry)
        #expect(forward.take() == ["create action 1", "create action 2"])

        var backward = try undoing()
        for attempt in 1...10 {
            backward.retry("create", .compensation, attempt: attempt)
            backward.ring()
        }
        backward.retry("create", .compensation, attempt: 11)
        _ = backward.take()
        backward.order(.retry)
        #expect(backward.take() == ["create compensation 12 known"])
        backward.retry("create", .compensation, attempt: 12)
        let alarm = try #require(backward.saga.nextAlarm)
        #expect(alarm - backward.now <= 600, "the backoff begins anew")
    }
}
