import SagaCore
import Testing

@Suite("The plan of a cancellation")
struct CancellationPlanTests {
    /// One line a wave, one for what is blocked, one for what needs nothing, and the end.
    private func transcript(_ saga: Saga) -> [String] {
        let plan = saga.cancellationPlan(at: 9_000)
        func line(_ compensations: [CancellationPlan.Compensation]) -> String {
            compensations.map { compensation in
                let item = compensation.item.map { "#\($0)" } ?? ""
                return "\(compensation.operation ?? compensation.step)\(item) (\(compensation.cause.rawValue))"
            }.joined(separator: ", ")
        }
        var lines = plan.refusal.map { ["refused: \($0)"] } ?? []
        lines += plan.waves.map(line)
        if !plan.blocked.isEmpty { lines.append("blocked: \(line(plan.blocked))") }
        if !plan.exempt.isEmpty {
            lines.append(
                "exempt: " + plan.exempt.map { "\($0.step) (\($0.exemption.rawValue))" }.joined(separator: ", "))
        }
        return lines + [plan.end.rawValue]
    }

    /// create, then reserve and charge (two steps long) side by side, then ship.
    private func diamond(order: CompensationOrder? = nil, whenStuck: WhenStuck? = nil) throws -> Definition {
        try definition("create", "reserve", "charge", "book", "ship", order: order, whenStuck: whenStuck) {
            switch $0.name {
            case "charge": $0.after = ["create"]
            case "book": $0.after = ["charge"]
            case "ship": $0.after = ["reserve", "book"]
            default: break
            }
        }
    }

    @Test func stepsOneAfterTheOtherAreUndoneInReverse() throws {
        var harness = MachineHarness(try definition("create", "reserve", "charge", "ship"))
        harness.succeed("create")
        harness.succeed("reserve")
        #expect(
            transcript(harness.saga) == [
                "undo-charge (unknown)", "undo-reserve (succeeded)", "undo-create (succeeded)",
                "exempt: ship (not-due)", "compensated",
            ])
        #expect(harness.saga.status == .running, "a plan changes nothing")
        let first = try #require(harness.saga.cancellationPlan(at: 9_000).waves.first?.first)
        #expect((first.step, first.service) == ("charge", "charge-service"))
    }

    @Test func independentStepsAreUndoneSideBySide() throws {
        var harness = MachineHarness(try diamond())
        for step in ["create", "reserve", "charge", "book"] { harness.succeed(step) }
        #expect(
            transcript(harness.saga) == [
                "undo-ship (unknown)", "undo-reserve (succeeded), undo-book (succeeded)", "undo-charge (succeeded)",
                "undo-create (succeeded)", "compensated",
            ])
    }

    @Test func withTheOrderParallelAllIsOneWave() throws {
        var harness = MachineHarness(try diamond(order: .parallel))
        for step in ["create", "reserve", "charge"] { harness.succeed(step) }
        #expect(
            transcript(harness.saga) == [
                "undo-create (succeeded), undo-reserve (succeeded), undo-charge (succeeded), undo-book (unknown)",
                "exempt: ship (not-due)", "compensated",
            ])
    }

    @Test func theWavesAreWhatTheMachineThenDoes() throws {
        for order in CompensationOrder.allCases {
            var harness = MachineHarness(try diamond(order: order))
            for step in ["create", "reserve", "charge", "book"] { harness.succeed(step) }
            let plan = harness.saga.cancellationPlan(at: harness.now)
            harness.feed(.order(Order(.cancel)))
            for wave in plan.waves {
                for compensation in wave {
                    #expect(harness.succeed(compensation.step, .compensation) != .ignore, "it was sent before")
                }
            }
            #expect(harness.saga.status == plan.end)
        }
    }

    @Test func whatWasDoneByHandIsUndoneAndWhatHasNoCompensationIsNot() throws {
        let definition = try definition("create", "check", "charge", "ship") {
            if $0.name == "check" { $0.compensation = .none }
        }
        var harness = MachineHarness(definition)
        harness.feed(.order(Order(.skip, step: "create")))
        harness.succeed("check")
        harness.retry("charge")
        #expect(
            transcript(harness.saga) == [
                "undo-charge (unknown)", "undo-create (skipped)", "exempt: check (no-compensation), ship (not-due)",
                "compensated",
            ])
    }

    @Test func aSagaThatHasNotBegunUndoesNothing() throws {
        let started = Started(definition: "order", version: 1, era: 1, notBefore: 50_000)
        let harness = MachineHarness(try definition("create"), started: started)
        #expect(transcript(harness.saga) == ["exempt: create (not-due)", "compensated"])
    }

    @Test func onceThePivotIsDueTheOrderIsRefusedWithTheReason() throws {
        var harness = MachineHarness(try definition("create", "pay", "ship", pivot: "pay"))
        #expect(
            transcript(harness.saga) == [
                "undo-create (unknown)", "exempt: pay (not-due), ship (not-due)", "compensated",
            ])
        harness.succeed("create")
        #expect(
            transcript(harness.saga) == ["refused: the pivot 'pay' is due: the saga only goes forward", "running"])
        harness.succeed("pay")
        harness.succeed("ship")
        #expect(transcript(harness.saga) == ["refused: the saga is completed", "completed"])
    }

    @Test func aSagaThatCompensatesAlreadyShowsWhatIsLeft() throws {
        var harness = MachineHarness(try definition("create", "reserve", "charge", "ship"))
        harness.succeed("create")
        harness.succeed("reserve")
        harness.fail("charge")
        #expect(
            transcript(harness.saga) == [
                "refused: the saga is compensating already", "undo-reserve (succeeded)", "undo-create (succeeded)",
                "exempt: charge (failed), ship (not-due)", "compensated",
            ])
        harness.retry("reserve", .compensation)
        #expect(
            harness.saga.cancellationPlan(at: harness.now).waves.first?.first?.error == "busy",
            "it waits for its next attempt, and is told why")
        harness.succeed("reserve", .compensation)
        #expect(
            transcript(harness.saga) == [
                "refused: the saga is compensating already", "undo-create (succeeded)",
                "exempt: reserve (compensated), charge (failed), ship (not-due)", "compensated",
            ])
    }

    @Test func aStuckCompensationBlocksThoseBehindItOnlyWhereItHoldsThem() throws {
        for whenStuck in WhenStuck.allCases {
            var harness = MachineHarness(try definition("create", "reserve", "charge", "ship", whenStuck: whenStuck))
            for step in ["create", "reserve", "charge"] { harness.succeed(step) }
            harness.fail("ship")
            harness.fail("charge", .compensation, error: "no such payment")
            let blocked = harness.saga.cancellationPlan(at: harness.now).blocked
            #expect(blocked.last?.error == "no such payment")
            let expected =
                whenStuck == .hold
                ? ["blocked: undo-create (succeeded), undo-reserve (succeeded), undo-charge (succeeded)"]
                : [
                    "undo-reserve (succeeded)", "undo-create (succeeded)", "blocked: undo-charge (succeeded)",
                ]
            #expect(
                transcript(harness.saga) == ["refused: the saga is compensating already"] + expected + [
                    "exempt: ship (failed)", "stuck",
                ])
        }
    }

    @Test func aStuckActionIsUndoneUnlessItWasRefused() throws {
        let stopping = try definition("create", "charge") {
            ($0.retry, $0.stopOn) = (RetryPolicyDraft(attempts: 1), ["odd"])
        }
        var doubtful = MachineHarness(stopping)
        doubtful.succeed("create")
        doubtful.retry("charge", code: "odd")
        #expect(transcript(doubtful.saga) == ["undo-charge (stuck)", "undo-create (succeeded)", "compensated"])
        var refused = MachineHarness(stopping)
        refused.succeed("create")
        refused.fail("charge", code: "odd")
        #expect(transcript(refused.saga) == ["undo-create (succeeded)", "exempt: charge (failed)", "compensated"])
    }

    @Test func afterARewindEveryStepIsUndoneThoughTheRoundIsUnderWayAndTheSagaPaused() throws {
        var harness = MachineHarness(try definition("create", "charge", "ship"))
        harness.succeed("create")
        harness.feed(.order(Order(.pause)))
        harness.feed(.rewind(era: 7))
        #expect(harness.saga.isVerifying)
        let plan = harness.saga.cancellationPlan(at: harness.now)
        #expect(plan.isPaused)
        #expect(
            transcript(harness.saga) == [
                "undo-ship (rewound)", "undo-charge (unknown)", "undo-create (succeeded)", "compensated",
            ])
        #expect(harness.saga.isVerifying && harness.saga.isPaused, "a plan changes nothing")
    }

    @Test func itemsAreUndoneAsManyAtOnceAsTheirStepAllowsAndAChildSagaAsOneStep() throws {
        let items = try #require(ValuePath("input.lines"))
        let gift = try #require(ValuePath("input.gift"))
        let definition = try Definition(
            validating: DefinitionDraft(
                name: "order", version: 1,
                steps: [
                    StepDraft(
                        name: "reserve", service: "stock", action: "reserve", forEach: ForEach(items, parallel: 2),
                        compensation: .operation("release")),
                    StepDraft(
                        name: "wrap", service: "stock", action: "wrap", when: .test(gift, .equals(.bool(true))),
                        compensation: .operation("unwrap")),
                    StepDraft(name: "points", saga: "award-points"),
                    StepDraft(name: "go", signal: "go"),
                ]))
        let input = Array(#"{"lines": [7, 8, 9], "gift": false}"#.utf8)
        var harness = MachineHarness(
            definition, started: Started(definition: "order", version: 1, era: 1, input: input))
        func answer(_ item: Int, _ phase: Phase, _ outcome: Reply.Outcome) -> Event {
            .reply(Reply(step: "reserve", item: item, phase: phase, attempt: 1, outcome: outcome))
        }
        harness.feed(answer(0, .action, .succeeded))
        #expect(
            transcript(harness.saga) == [
                "release#0 (succeeded), release#1 (unknown)", "release#2 (unknown)",
                "exempt: wrap (not-due), points (not-due), go (not-due)", "compensated",
            ])
        for item in 1...2 { harness.feed(answer(item, .action, .succeeded)) }
        harness.feed(.child(ChildReport(step: "points", outcome: .completed)))
        #expect(
            transcript(harness.saga) == [
                "points (succeeded)", "release#0 (succeeded), release#1 (succeeded)", "release#2 (succeeded)",
                "exempt: wrap (omitted), go (no-compensation)", "compensated",
            ])
        harness.feed(.order(Order(.cancel)))
        harness.feed(.child(ChildReport(step: "points", outcome: .compensated)))
        harness.feed(answer(0, .compensation, .failed))
        #expect(
            transcript(harness.saga) == [
                "refused: the saga is compensating already", "release#1 (succeeded), release#2 (succeeded)",
                "blocked: release#0 (succeeded)", "exempt: wrap (omitted), points (compensated), go (no-compensation)",
                "stuck",
            ])
    }
}
