import SagaCore
import SagaSimulation
import Testing

@Suite("A simulated saga")
struct SimulationTests {
    private func timeline(_ definition: Definition, _ script: SimulationScript = SimulationScript()) throws -> [String]
    {
        Timeline.text(try Simulation(definition, script: script).run().timeline)
    }

    @Test func itsTimelineTellsWhoWasAskedAndWhatCameOfIt() throws {
        var script = SimulationScript(results: ["create": Array(#"{"n":1}"#.utf8)])
        script.faults[Fault.Place("charge")] = [.refusal(code: "no-money")]
        #expect(
            try timeline(order(deadline: .seconds(900)), script) == [
                "+0.000s  saga     order@1 starts, deadline in 15m",
                "+0.000s  create   action attempt 1 → orders (create-order)",
                #"+0.010s  create   succeeded: {"n":1}"#,
                "+0.010s  reserve  action attempt 1 → inventory (reserve)",
                "+0.020s  reserve  succeeded",
                "+0.020s  charge   action attempt 1 → payments (charge)",
                "+0.030s  charge   refused: simulated refusal (no-money)",
                "+0.030s  saga     turns back: charge failed: simulated refusal (no-money)",
                "+0.030s  reserve  compensation attempt 1 → inventory (release)",
                "+0.040s  reserve  compensated",
                "+0.040s  create   compensation attempt 1 → orders (cancel-order)",
                "+0.050s  create   compensated",
                "+0.050s  saga     compensated after 0.050s",
            ])
    }

    @Test func withoutFaultsItCompletes() throws {
        let run = try Simulation(order()).run()
        #expect(run.end == .completed)
        #expect(run.duration == 40)
        #expect(run.effects == ["create": .taken, "reserve": .taken, "charge": .taken, "ship": .taken])
        #expect(run.compensated == [])
    }

    @Test func faultsOfOneStepHaveTheirTurnsOneAfterTheOther() throws {
        let definition = try order { steps in
            steps[0] = steps[0].timeout(.seconds(1)).retry(attempts: 9, initial: .seconds(1), factor: 1, jitter: 0)
        }
        var script = SimulationScript()
        script.faults[Fault.Place("create")] = [.silence(times: 2), .trouble(times: 1), .refusal(code: "no")]
        let lines = try Simulation(definition, script: script).run().timeline.filter { $0.step == "create" }
        #expect(lines.map(\.kind) == [.sent, .retrying, .sent, .retrying, .sent, .retrying, .sent, .failed])
        #expect(lines.map(\.at) == [0, 1_000, 2_000, 3_000, 4_000, 4_010, 5_010, 5_020])
        #expect(lines.map(\.attempt) == [1, 1, 2, 2, 3, 3, 4, 4])
    }

    @Test func anAttemptWithoutAnswerMayHaveTakenEffect() throws {
        var script = SimulationScript()
        script.faults[Fault.Place("quote")] = [.silence(times: nil)]
        let run = try Simulation(trip(), script: script).run()
        #expect(run.end == .compensated)
        #expect(run.effects == ["quote": .possible])
    }

    @Test func aCompensationThatIsRefusedLeavesTheSagaStuckUntilAnOrder() throws {
        var script = SimulationScript()
        script.faults[Fault.Place("charge")] = [.refusal(code: "no")]
        script.faults[Fault.Place("reserve", .compensation)] = [.refusal(code: "gone")]
        let stuck = try Simulation(order(), script: script).run()
        #expect(stuck.end == .stuck)
        #expect(stuck.effects["reserve"] == .taken)
        #expect(stuck.compensated == ["create"])
        script.interventions = [Intervention(.at(5_000), .order(Order(.skip, step: "reserve")))]
        let skipped = try Simulation(order(), script: script).run()
        #expect(skipped.end == .compensated)
        #expect(skipped.duration == 5_000)
    }

    @Test func aPolicyWithoutLimitIsSeenToHaveNoEnd() throws {
        var script = SimulationScript()
        script.faults[Fault.Place("ship")] = [.silence(times: nil)]
        let run = try Simulation(order(), script: script).run()
        #expect(run.end == .endless(steps: ["ship"]))
        // Its attempts are told in short.
        let text = Timeline.text(run.timeline)
        #expect(text.contains { $0.hasSuffix("ship     … attempts 4 to 11 …") }, "\(text)")
    }

    @Test func aDeadlineEndsWhatThePolicyWouldNot() throws {
        let definition = try Definition("slow", version: 1, deadline: .seconds(3_600)) {
            StepDraft("a", service: "s", action: "do").compensated(by: "undo").retry(attempts: 0)
        }
        var script = SimulationScript()
        script.faults[Fault.Place("a")] = [.trouble(times: nil)]
        let run = try Simulation(definition, script: script).run()
        #expect(run.end == .compensated)
        #expect(run.duration == 3_600_010)
    }

    /// A month of attempts, of which the first dozen are enough to see how it goes on.
    @Test func whatIsTriedOnAndOnIsNotPlayedToItsEnd() throws {
        let definition = try Definition("slow", version: 1, deadline: .seconds(30 * 86_400)) {
            StepDraft("a", service: "s", action: "do").compensated(by: "undo").retry(attempts: 0)
        }
        var script = SimulationScript()
        script.faults[Fault.Place("a")] = [.silence(times: nil)]
        let run = try Simulation(definition, script: script).run()
        #expect(run.end == .compensated)
        #expect(run.duration == 30 * 86_400_000 + 10)
        #expect(run.timeline.contains { $0.text == "tries 'a' on and on until +30d00h00m00.000s" })
        // A timer of a year beside it has its time as well.
        let beside = try Definition("slow", version: 1) {
            StepDraft("a", service: "s", action: "do").compensated(by: "undo").retry(attempts: 0).after()
            StepDraft("rest", delay: .seconds(365 * 86_400)).after()
        }
        let endless = try Simulation(beside, script: script).run()
        #expect(endless.end == .endless(steps: ["a"]))
        #expect(endless.timeline.contains { $0.step == "rest" && $0.kind == .succeeded && $0.at == 365 * 86_400_000 })
        script.interventions = [Intervention(.at(86_400_000), .order(Order(.cancel)))]
        #expect(try Simulation(definition, script: script).run().duration == 86_400_010)
    }

    @Test func aSignalIsWaitedForAndComesAtItsTime() throws {
        let waiting = try Simulation(trip()).run()
        #expect(waiting.end == .waiting(for: ["signal 'approved'"]))
        #expect(waiting.timeline.last?.text == "waits for signal 'approved': nothing else moves it")
        var script = SimulationScript()
        script.interventions = [Intervention(.at(10_000), .signal(Signal("approved", payload: Array("7".utf8))))]
        let run = try Simulation(trip(), script: script).run()
        #expect(run.end == .completed)
        #expect(run.duration == 10_000)
        #expect(run.timeline.contains { $0.step == "approval" && $0.text == "succeeded: 7" })
    }

    @Test func whatPeopleDoComesAtAMomentOfAStep() throws {
        var script = SimulationScript()
        script.interventions = [
            Intervention(.whenSucceeded(step: "create"), .order(Order(.pause))),
            Intervention(.at(60_000), .order(Order(.resume))),
            Intervention(.whenBegan(step: "ship"), .order(Order(.cancel))),
        ]
        let run = try Simulation(order(), script: script).run()
        #expect(run.end == .completed)
        let orders = run.timeline.filter { $0.kind == .order || $0.kind == .refused }
        #expect(orders.map(\.at) == [10, 60_000, 60_010])
        #expect(orders[2].text == "order to cancel: refused, the pivot 'charge' is due: the saga only goes forward")
    }

    @Test func aPauseWithoutEndAndAMomentThatNeverComesAreTold() throws {
        var script = SimulationScript()
        script.interventions = [
            Intervention(.at(15), .order(Order(.pause))),
            Intervention(.whenSucceeded(step: "ship"), .order(Order(.cancel))),
        ]
        let run = try Simulation(order(), script: script).run()
        #expect(run.end == .paused)
        #expect(run.timeline.contains { $0.text == "order to cancel never happened: its moment did not come" })
    }

    @Test func theSameScriptGivesTheSameRun() throws {
        var script = SimulationScript()
        script.faults[Fault.Place("create")] = [.trouble(times: 5)]
        let first = try Simulation(order(), script: script).run()
        #expect(try Simulation(order(), script: script).run().timeline == first.timeline)
        // The start is no part of the timeline.
        script.startedAt = 1_700_000_000_000
        #expect(try Simulation(order(), script: script).run().timeline == first.timeline)
    }

    @Test(arguments: [
        ("chrge", Fault.refusal(code: "x"), Phase.action, "order@1 has no step 'chrge'; did you mean 'charge'?"),
        ("ship", .trouble(times: 1), .compensation, "step 'ship' has no compensation that could fail"),
        ("ship", .trouble(times: 0), .action, "a fault of 'ship' happens once or more, not 0 times"),
        ("rest", .trouble(times: 1), .action, "step 'rest' waits 1s: no service can fail it"),
        ("ok", .trouble(times: 1), .action, "step 'ok' waits for signal 'ok': no service can fail it"),
    ])
    func aFaultThatCannotBeIsRefused(step: String, fault: Fault, phase: Phase, reason: String) throws {
        let definition = try order { steps in
            steps += [StepDraft("rest", delay: .seconds(1)), StepDraft("ok", signal: "ok")]
        }
        var script = SimulationScript()
        script.faults[Fault.Place(step, phase)] = [fault]
        let refusal = #expect(throws: SimulationScriptFault.self) { try Simulation(definition, script: script) }
        #expect(refusal?.description == reason)
    }

    @Test func aSignalThatNobodyWaitsForIsRefused() throws {
        var script = SimulationScript()
        script.interventions = [Intervention(.at(0), .signal(Signal("approve")))]
        let refusal = #expect(throws: SimulationScriptFault.self) { try Simulation(trip(), script: script) }
        #expect(refusal?.description == "no step of trip@3 waits for signal 'approve'; did you mean 'approved'?")
    }

    @Test func spansReadWell() {
        let spans: [Milliseconds] = [0, 10, 59_999, 60_000, 3_723_004, 93_600_000]
        #expect(
            spans.map(Timeline.duration) == [
                "0.000s", "0.010s", "59.999s", "1m00.000s", "1h02m03.004s", "1d02h00m00.000s",
            ])
    }
}
