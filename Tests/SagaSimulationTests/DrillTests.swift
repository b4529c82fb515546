import SagaCore
import TestSupport
import Testing

@testable import SagaSimulation

@Suite("A drill")
struct DrillTests {
    private func results(_ definition: Definition) throws -> [String: Drill.Result] {
        Dictionary(uniqueKeysWithValues: try Drill(definition).run().map { ("\($0.step) \($0.way.rawValue)", $0) })
    }

    @Test func itDisturbsEachStepInEachWayThatItCanBe() throws {
        let results = try Drill(trip(signalTimeout: .seconds(60))).run()
        let ways = Dictionary(grouping: results, by: \.step).mapValues { $0.map(\.way) }
        #expect(ways["quote"] == [.refused, .unanswered, .cancelled, .deadline])
        #expect(
            ways["flight"] == [
                .refused, .unanswered, .compensationTroubled, .compensationRefused, .cancelled, .deadline,
            ])
        #expect(ways["approval"] == [.unanswered, .cancelled, .deadline])
        #expect(results.allSatisfy { $0.violations.isEmpty })
    }

    @Test func itSaysHowTheSagaEndedAndWhatWasUndone() throws {
        let results = try results(order())
        #expect(results["reserve refused"]?.run.end == .compensated)
        #expect(results["reserve refused"]?.run.compensated == ["create"])
        #expect(results["reserve unanswered"]?.run.compensated == ["reserve", "create"])
        let troubled = try #require(results["create compensation-troubled"])
        #expect(troubled.disturbance == "compensation fails 2 times (reserve is refused)")
        #expect(troubled.run.end == .compensated)
        #expect(troubled.run.timeline.count { $0.kind == .retrying && $0.phase == .compensation } == 2)
        let refused = try #require(results["reserve compensation-refused"])
        #expect(refused.run.end == .stuck)
        #expect(refused.warnings == ["stuck at 'reserve', not undone: waits for an operator (skald retry, skip)"])
        // The pivot is due as soon as the step before it has succeeded.
        let late = try #require(results["reserve cancelled"])
        #expect(late.disturbance == "saga is cancelled after it (too late)")
        #expect(late.run.end == .completed)
        #expect(results["ship refused"]?.run.end == .stuck)
        #expect(results["ship unanswered"]?.warnings == ["no end: the saga tries 'ship' without end"])
        #expect(results["create deadline"]?.run.compensated == ["create"])
    }

    @Test func theLastStepIsUndoneByACancelWhileItRuns() throws {
        let definition = try Definition("one", version: 1) {
            StepDraft("only", service: "s", action: "do").compensated(by: "undo")
        }
        let result = try #require(try results(definition)["only compensation-troubled"])
        #expect(result.disturbance == "compensation fails 2 times (cancelled while it runs)")
        #expect(result.run.end == .compensated)
    }

    @Test func itWarnsOfWhatStandsUnlessThatIsMeant() throws {
        let oversight = try #require(try results(trip())["flight refused"])
        #expect(oversight.warnings == ["'quote' took effect and is not undone: it has no compensation"])
        #expect(oversight.leftAsMeant == [])
        let meant = try Definition("trip", version: 1) {
            StepDraft("quote", service: "prices", action: "quote").withoutCompensation()
            StepDraft("flight", service: "air", action: "book").compensated(by: "unbook")
        }
        let result = try #require(try results(meant)["flight refused"])
        #expect(result.warnings == [])
        #expect(result.leftAsMeant == ["quote"])
    }

    /// Small definitions of every shape. A failure names its seed: `SKALD_TEST_SEED` repeats it.
    @Test func noSagaBreaksARule() throws {
        let seed = SeededRandom.pickSeed()
        var random = RandomDefinitions(seed: seed)
        var tried = 0
        while tried < 25 {
            let draft = random.draft()
            guard draft.steps.count <= 12 else { continue }
            tried += 1
            let definition = try Definition(validating: draft)
            for result in try Drill(definition).run() where !result.violations.isEmpty {
                let timeline = Timeline.text(result.run.timeline).joined(separator: "\n")
                Issue.record(
                    "seed \(seed), \(result.step) \(result.way): \(result.violations)\n\(draft)\n\(timeline)")
            }
        }
    }
}

@Suite("What a drill takes for a broken rule")
struct DrillJudgeTests {
    private func violations(
        _ end: SimulationRun.End, _ effects: [String: Effect] = [:], _ lines: [(String, Phase, TimelineLine.Kind)]
    ) throws -> [String] {
        let timeline = lines.map { TimelineLine(at: 0, $2, step: $0, phase: $1, attempt: 1, "") }
        return DrillJudge(try order(), timeline: timeline, end: end, effects: effects).violations
    }

    @Test func theCompensationOfARefusedStep() throws {
        #expect(
            try violations(
                .compensated,
                [("create", .action, .sent), ("create", .action, .failed), ("create", .compensation, .sent)]
            ) == ["'create' was refused, and is compensated"])
    }

    @Test func theCompensationOfAStepThatWasNeverSent() throws {
        #expect(
            try violations(.compensated, [("create", .compensation, .sent)])
                == ["'create' was never sent, and is compensated"])
    }

    @Test func theCompensationOfAStepAfterThePivot() throws {
        #expect(
            try violations(.stuck, [("ship", .action, .sent), ("ship", .compensation, .sent)])
                == ["'ship' comes after the pivot, and is compensated"])
    }

    @Test func anEarlierStepThatIsUndoneFirst() throws {
        let sent: [(String, Phase, TimelineLine.Kind)] = [
            ("create", .action, .sent), ("reserve", .action, .sent), ("create", .compensation, .sent),
        ]
        #expect(try violations(.stuck, sent) == ["'create' is undone before 'reserve', which depends on it"])
        var inOrder = sent
        inOrder.insert(contentsOf: [("reserve", .compensation, .sent), ("reserve", .compensation, .succeeded)], at: 2)
        #expect(try violations(.stuck, inOrder) == [])
    }

    @Test func anEndThatIsNotAllOrNothing() throws {
        #expect(
            try violations(.compensated, ["create": .taken], [("create", .action, .sent)])
                == ["the saga is compensated, and 'create' is not undone"])
        #expect(
            try violations(.compensated, ["create": .possible], [("create", .action, .sent)])
                == ["the saga is compensated, and 'create' is not undone"])
        let all = ["create", "reserve", "charge"].map { ($0, Phase.action, TimelineLine.Kind.sent) }
        #expect(
            try violations(.completed, ["create": .taken, "reserve": .none, "charge": .taken], all) == [
                "the saga is completed, and the effect of 'reserve' is 'none'",
                "the saga is completed, and 'ship' was never sent",
            ])
        #expect(try violations(.unfinished, []) == ["the saga came to no end"])
    }
}

extension DrillJudgeTests {
    private func violations(
        _ end: SimulationRun.End, _ lines: [(String, Phase, TimelineLine.Kind)]
    ) throws -> [String] {
        try violations(end, [:], lines)
    }
}
