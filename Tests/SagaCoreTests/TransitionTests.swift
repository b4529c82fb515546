import SagaCore
import Testing

/// Every event in every state of a step: what is decided, and what the step's phase is then.
@Suite("Transitions")
struct TransitionTests {
    /// gate, then the step under test, then one that depends on it. Beside them a step that nobody answers keeps the
    /// saga open, and a signal is waited for.
    private static func definition(_ step: StepDraft, isGatePivot: Bool = false) throws -> Definition {
        try Definition("order", version: 1) {
            isGatePivot ? finalCommand("gate").pivot() : command("gate")
            step.when(Condition("result.gate", .notEquals("closed"))).after("gate")
            (isGatePivot ? finalCommand("later") : command("later")).after("step").timeout(.seconds(8_640_000))
            (isGatePivot ? finalCommand("aside") : command("aside")).after("gate").timeout(.seconds(8_640_000))
            StepDraft("approval", signal: "approved").after("aside")
        }
    }

    private static func begun(_ definition: Definition) -> MachineHarness {
        MachineHarness(
            definition, id: "parent/order", started: Started(definition: "order", version: 1, era: 1, isChild: true))
    }

    /// The ways of a command step, each in its second attempt where it had one.
    private static func commandState(_ place: Place) throws -> MachineHarness? {
        let step = command("step").retry(attempts: 4).compensationRetry(attempts: 4).stop(on: "stop")
        var harness = begun(try definition(step))
        let isUndone = place.phase == .compensation && place.status != .none
        func twice(_ harness: inout MachineHarness, _ phase: Phase) {
            harness.retry("step", phase)
            harness.feed(.tick, after: 20_000)
        }
        func turnBack(_ harness: inout MachineHarness) {
            harness.succeed("step", attempt: 2)
            harness.order(.cancel)
        }
        guard place != Place(.action, .none) else { return harness }
        harness.succeed("gate", result: place == Place(.action, .omitted) ? #""closed""# : #""open""#)
        guard place != Place(.action, .omitted) else { return harness }
        twice(&harness, .action)
        if isUndone {
            turnBack(&harness)
            guard place.status != .pending else { return harness }
            harness.succeed("later", .compensation)
            twice(&harness, .compensation)
        }
        let phase = isUndone ? Phase.compensation : .action
        switch place.status {
        case .running: break
        case .none, .failed: harness.fail("step", attempt: 2)
        case .waiting: harness.retry("step", phase, attempt: 2)
        case .succeeded: harness.succeed("step", phase, attempt: 2)
        case .unknown: harness.order(.cancel)
        case .stuck: harness.fail("step", phase, attempt: 2, code: "stop")
        case .skipped: harness.order(.skip, "step")
        case .pending, .omitted: return nil
        }
        return harness
    }

    /// The ways of a step that is a child saga. One that goes forward is stuck or waits only after the pivot.
    private static func childState(_ place: Place) throws -> MachineHarness? {
        let isAfterPivot = place.phase == .action && [.stuck, .waiting].contains(place.status)
        let step = StepDraft("step", saga: "child")
        var harness = begun(try definition(step, isGatePivot: isAfterPivot))
        guard place != Place(.action, .none) else { return harness }
        harness.succeed("gate", result: place == Place(.action, .omitted) ? #""closed""# : #""open""#)
        guard place != Place(.action, .omitted) else { return harness }
        if place.phase == .compensation, place.status != .none {
            harness.report("step", .completed)
            harness.order(.cancel)
            guard place.status != .pending else { return harness }
            harness.succeed("later", .compensation)
            switch place.status {
            case .running: break
            case .succeeded: harness.report("step", .compensated)
            case .stuck: harness.report("step", .refused)
            case .skipped: harness.order(.skip, "step")
            default: return nil
            }
            return harness
        }
        switch place.status {
        case .running: break
        case .none, .failed: harness.report("step", .compensated)
        case .succeeded: harness.report("step", .completed)
        case .unknown: harness.order(.cancel)
        case .stuck: harness.report("step", .refused)
        case .waiting:
            harness.report("step", .refused)
            harness.order(.pause)
            harness.order(.retry, "step")
        case .skipped: harness.order(.skip, "step")
        case .pending, .omitted: return nil
        }
        return harness
    }

    @Test func commands() throws {
        try check(Self.commands, Self.commandState)
    }

    @Test func childSagas() throws {
        try check(Self.children, Self.childState)
    }

    @Test func whatATableLacksOrSaysTwiceIsFound() {
        let lines = "succeeded, failed, succeeded: ignored\nretry: gone\nlate: ignored\nbeat"
        let table = TransitionTable(
            [.init(.action, .running, lines), .init(.action, .running, ""), .init(.action, .none, "")],
            impossible: [Place(.action, .none)])
        for fault in [
            "action running: succeeded is listed twice", "action running: 'gone' is no outcome",
            "action running: nothing is called 'late'", "action running: 'beat' is no line",
            "action running has two rows", "action none has a row, and is impossible",
            "action running: nothing is said of cancel", "compensation stuck has no row",
        ] {
            #expect(table.faults.contains(fault))
        }
    }

    private func check(_ table: TransitionTable, _ make: (Place) throws -> MachineHarness?) throws {
        #expect(table.faults == [])
        for (place, said) in table.outcomes {
            guard let state = try make(place) else {
                Issue.record("there is no way to \(place)")
                continue
            }
            let before = status(state, place.phase)
            #expect(before.status == place.status, "the way to \(place)")
            for (happening, expected) in said {
                var harness = state
                let (event, span) = happening.event("step", place.phase, attempts: before.attempts)
                let outcome: String
                switch harness.feed(event, after: span) {
                case .accept: outcome = status(harness, place.phase).status.rawValue
                case .ignore: outcome = "ignored"
                case .refuse: outcome = "refused"
                }
                #expect(outcome == expected, "\(place): \(happening)")
            }
        }
    }

    private func status(_ harness: MachineHarness, _ phase: Phase) -> PhaseState {
        phase == .action ? harness.action("step") : harness.compensation("step")
    }
}
