import SagaCore
import SagaSimulation
import SagaTesting
import TestSupport
import Testing

/// Pick each line of an order, where there is a discount take it, collect points in a saga of its own, ship.
private func shopping(parallel: Int = 2, change: (inout [StepDraft]) -> Void = { _ in }) throws -> Definition {
    var steps = [
        StepDraft(
            name: "pick", service: "stock", action: "pick",
            forEach: ForEach(try #require(ValuePath("input.lines")), parallel: parallel),
            compensation: .operation("put-back")),
        StepDraft(
            name: "discount", service: "prices", action: "discount",
            when: .test(try #require(ValuePath("input.code")), .exists(true)), emits: Emits(succeeded: "Discounted"),
            compensation: .operation("undo-discount")),
        StepDraft(name: "points", saga: "collect-points"),
        StepDraft(
            name: "ship", service: "shipping", action: "ship", emits: Emits(succeeded: "Shipped", failed: "NotShipped"),
            compensation: .none, stopOn: ["lost"]),
    ]
    change(&steps)
    return try Definition(validating: DefinitionDraft(name: "shopping", version: 1, steps: steps))
}

private let threeLines = Array(#"{"lines": ["a", "b", "c"], "code": 7}"#.utf8)

@Suite("Simulated steps of every kind")
struct StepKindTests {
    private func text(_ definition: Definition, _ script: SimulationScript) throws -> [String] {
        Timeline.text(try Simulation(definition, script: script).run().timeline)
    }

    @Test func itemsGoOutAFewAtATime() throws {
        let text = try text(shopping(), SimulationScript(input: Array(#"{"lines": ["a", "b", "c"]}"#.utf8)))
        #expect(
            text == [
                "+0.000s  saga      shopping@1 starts",
                "+0.000s  pick      one command for each of its 3 items, at most 2 at once",
                "+0.000s  pick#0    action attempt 1 → stock (pick)",
                "+0.000s  pick#1    action attempt 1 → stock (pick)",
                "+0.010s  pick#0    succeeded",
                "+0.010s  pick#2    action attempt 1 → stock (pick)",
                "+0.010s  pick#1    succeeded",
                "+0.020s  pick#2    succeeded",
                "+0.020s  pick      succeeded: [null,null,null]",
                "+0.020s  discount  skipped: its condition is not met",
                "+0.020s  points    action → child saga of collect-points",
                "+0.030s  points    succeeded",
                "+0.030s  ship      action attempt 1 → shipping (ship)",
                "+0.040s  ship      succeeded",
                "+0.040s  ship      tells topic Shipped",
                "+0.040s  saga      completed after 0.040s",
            ])
    }

    @Test func oneItemThatIsRefusedUndoesTheOthers() throws {
        var script = SimulationScript(input: threeLines)
        script.faults[Fault.Place("pick", item: 2)] = [.refusal(code: "none-left")]
        let run = try Simulation(shopping(), script: script).run()
        #expect(run.end == .compensated)
        #expect(run.effects == ["pick#0": .undone, "pick#1": .undone, "pick#2": Effect.none])
        #expect(run.compensated == ["pick"])
    }

    @Test func aChildSagaIsUndoneWithItsParent() throws {
        var script = SimulationScript(input: threeLines)
        script.faults[Fault.Place("ship")] = [.refusal(code: "closed")]
        let run = try Simulation(shopping(), script: script).run()
        #expect(run.end == .compensated)
        #expect(run.compensated == ["points", "discount", "pick"])
        #expect(run.timeline.contains { $0.step == "ship" && $0.text == "tells topic NotShipped" })
        #expect(
            run.timeline.contains { $0.step == "points" && $0.text == "compensation → the child saga, to be undone" })
    }

    @Test func aChildSagaCanFailOrNotEnd() throws {
        var script = SimulationScript(input: threeLines)
        script.faults[Fault.Place("points")] = [.refusal(code: "no-account")]
        let failed = try Simulation(shopping(), script: script).run()
        #expect(failed.compensated == ["discount", "pick"])
        #expect(failed.saga.error == "points failed: simulated refusal (no-account)")
        script.faults[Fault.Place("points")] = [.silence(times: nil)]
        #expect(try Simulation(shopping(), script: script).run().end == .waiting(for: ["child saga 'points'"]))
        script.faults[Fault.Place("points")] = [.trouble(times: 1)]
        #expect(throws: SimulationScriptFault.self) { try Simulation(shopping(), script: script) }
        script.faults = [Fault.Place("ship", item: 0): [.trouble(times: 1)]]
        #expect(throws: SimulationScriptFault.self) { try Simulation(shopping(), script: script) }
    }

    @Test func aCodeCanStopASagaInsteadOfTurningItBack() throws {
        var script = SimulationScript(input: threeLines)
        script.faults[Fault.Place("ship")] = [.refusal(code: "lost")]
        let run = try Simulation(shopping(), script: script).run()
        #expect(run.end == .stuck)
        #expect(!run.saga.isCompensating)
    }

    @Test func aTimerWaitsForItsMoment() throws {
        let definition = try Definition(
            validating: DefinitionDraft(
                name: "later", version: 1,
                steps: [
                    StepDraft(name: "fixed", until: .at(1_700_000_005_000)),
                    StepDraft(name: "asked", until: .path(try #require(ValuePath("input.at")))),
                ]))
        let script = SimulationScript(
            input: Array(#"{"at": "2023-11-14T22:14:20Z"}"#.utf8), startedAt: 1_700_000_000_000)
        #expect(
            try text(definition, script)
                == [
                    "   +0.000s  saga   later@1 starts",
                    "   +0.000s  fixed  waits until 2023-11-14T22:13:25.000Z",
                    "   +5.000s  fixed  succeeded",
                    "   +5.000s  asked  waits until input.at",
                    "+1m00.000s  asked  succeeded",
                    "+1m00.000s  saga   completed after 1m00.000s",
                ])
    }

    @Test func aDrillTriesItemsAndCodes() throws {
        let drill = try Drill(shopping(), script: SimulationScript(input: threeLines))
        let results = drill.run()
        #expect(results.allSatisfy { $0.violations.isEmpty })
        let ways = Dictionary(grouping: results, by: \.step).mapValues { $0.map(\.way) }
        #expect(ways["pick"]?.contains(.itemRefused) == true)
        #expect(ways["ship"]?.contains(.stopped) == true)
        #expect(ways["points"] == [.refused, .unanswered, .compensationRefused, .cancelled, .deadline])
        let stopped = try #require(results.first { $0.way == .stopped })
        #expect(stopped.disturbance == "action is refused with code 'lost'")
        #expect(stopped.warnings == ["stuck at 'ship': waits for an operator (skald retry, skip)"])
        #expect(drill.omittedSteps == [])
        let withoutCode = try Drill(shopping(), script: SimulationScript(input: Array(#"{"lines": []}"#.utf8)))
        #expect(withoutCode.omittedSteps == ["discount"])
        #expect(withoutCode.run().allSatisfy { $0.step != "discount" && $0.violations.isEmpty })
    }

    @Test func aDrawingSaysWhatIsSpecialAboutAStep() throws {
        let definition = try shopping { steps in steps[2].inputFrom = "pick" }
        let text = DefinitionGraph(definition).text
        #expect(
            text.filter { $0.contains("●") } == [
                "  ● pick      stock: pick, for each of input.lines  undone by put-back",
                "  ● discount  prices: discount                      undone by undo-discount"
                    + "  only where its condition is met  emits Discounted",
                "  ● points    child saga of collect-points          undone by the child saga's own compensation"
                    + "  its input is the result of pick",
                "  ● ship      shipping: ship                        emits Shipped  emits NotShipped where it fails",
            ])
        #expect(text.contains("Undone in this order: points; then discount; then pick"))
    }

    @Test func aFixtureKnowsItemsChildrenAndEvents() throws {
        try SagaFixture.given(shopping(), input: #"{"lines": [1, 2, 3], "code": "x"}"#) { saga in
            try saga.expect(.command("pick", item: 0), .command("pick", item: 1))
            try saga.reply("pick", item: 1, .succeeded)
            try saga.expect(.command("pick", item: 2))
            try saga.reply("pick", item: 0, .succeeded)
            try saga.reply("pick", item: 2, .succeeded)
            try saga.expect(.command("discount"))
            try saga.reply("discount", .succeeded)
            try saga.expect(.event("Discounted"), .childStart("points"))
            try saga.reply("points", .succeeded(result: "5"))
            try saga.expect(.command("ship"))
            try saga.reply("ship", .refused("closed"))
            try saga.expect(.event("NotShipped"), .childUndoing("points"))
            try saga.reply("points", .succeeded)
            try saga.expect(.compensation("discount"))
            try saga.reply("discount", .succeeded)
            try saga.expect(
                .compensation("pick", item: 0, effectKnown: true), .compensation("pick", item: 1))
            try saga.reply("pick", item: 0, .succeeded)
            try saga.expect(.compensation("pick", item: 2))
            try saga.reply("pick", item: 1, .succeeded)
            try saga.reply("pick", item: 2, .succeeded)
            try saga.expect(.end(.compensated))
        }
    }

    /// Small definitions with steps of every kind. A failure names its seed: `SKALD_TEST_SEED` repeats it.
    @Test func noSagaBreaksARule() throws {
        let seed = SeededRandom.pickSeed()
        var random = RandomDefinitions(seed: seed)
        let script = SimulationScript(input: Array(#"{"lines": [1, 2, 3], "code": null}"#.utf8))
        let lines = try #require(ValuePath("input.lines"))
        let conditions: [Condition] = [
            .test(try #require(ValuePath("input.code")), .exists(true)),
            .test(try #require(ValuePath("input.code")), .exists(false)),
        ]
        var (tried, kinds) = (0, Set<String>())
        while tried < 25 {
            var draft = random.draft()
            guard draft.steps.count <= 8 else { continue }
            for index in draft.steps.indices where !draft.steps[index].isPivot {
                vary(&draft.steps[index], lines, conditions, &random.random)
            }
            // Some of these changes are against the rules of the format.
            guard let definition = try? Definition(validating: draft) else { continue }
            tried += 1
            kinds.formUnion(definition.steps.map(\.kindName))
            for result in try Drill(definition, script: script).run() where !result.violations.isEmpty {
                let timeline = Timeline.text(result.run.timeline).joined(separator: "\n")
                Issue.record("seed \(seed), \(result.step) \(result.way): \(result.violations)\n\(draft)\n\(timeline)")
            }
        }
        #expect(kinds.isSuperset(of: ["command", "forEach", "child", "delay", "signal"]), "seed \(seed)")
    }

    private func vary(
        _ step: inout StepDraft, _ lines: ValuePath, _ conditions: [Condition], _ random: inout SeededRandom
    ) {
        if random.chance(0.3) { step.when = random.pick(conditions) }
        let name = step.name
        let (when, after, uses) = (step.when, step.after, step.uses)
        func alone(_ change: (inout StepDraft) -> Void) -> StepDraft {
            var draft = StepDraft(name: name, when: when, after: after, uses: uses)
            change(&draft)
            return draft
        }
        switch Int.random(in: 0..<7, using: &random) {
        case 0: step.forEach = ForEach(lines, parallel: random.pick([1, 2, 50]))
        case 1: step = alone { $0.saga = "other" }
        case 2: step = alone { $0.delay = 1_000 }
        case 3: step = alone { $0.signal = "go-\(name)" }
        case 4: step.stopOn = ["drill"]
        default: break
        }
    }
}

extension Step {
    fileprivate var kindName: String {
        switch kind {
        case .command: forEach == nil ? "command" : "forEach"
        case .child: "child"
        case .delay, .until: "delay"
        case .signal: "signal"
        }
    }
}
