import SagaCore
import Testing

/// A saga under test with its log: feeds events, keeps entries, writes a readable transcript. After each event the log
/// has to give the same saga.
struct MachineHarness {
    private(set) var saga: Saga
    private(set) var log: [LogEntry]
    /// What was directed by the last event.
    private(set) var directives: [Directive] = []
    /// One line for each directive since the start: `create action 1`, `compensated`.
    private(set) var transcript: [String] = []
    /// How much of the transcript was taken.
    private var taken = 0
    var now: Milliseconds

    init(
        _ definition: Definition, id: String = "order-1", now: Milliseconds = 1_000, input: String = "",
        started: Started? = nil
    ) {
        let started =
            started
            ?? Started(definition: definition.name, version: definition.version, era: 1, input: Array(input.utf8))
        self.now = now
        saga = Saga(id: id, definition: definition, started: started, at: now, directives: &directives)
        log = [LogEntry(index: 0, at: now, fact: .started(started))]
        write()
    }

    /// Feeds an event; returns what the saga decided.
    @discardableResult
    mutating func feed(_ event: Event, after span: Milliseconds = 0) -> Decision {
        now += span
        directives = []
        let decision = saga.decide(event, at: now)
        guard case .accept(let fact) = decision else { return decision }
        let entry = LogEntry(index: saga.entryCount, at: now, fact: fact)
        log.append(entry)
        saga.evolve(entry, directives: &directives)
        write()
        if replayed() != saga { Issue.record("the log gives another saga after \(event)") }
        return decision
    }

    /// The lines of the transcript since the last time.
    mutating func take() -> [String] {
        defer { taken = transcript.count }
        return Array(transcript[taken...])
    }

    /// The step's action as it is now.
    func action(_ step: String, item: Int? = nil) -> PhaseState { state(step, item, .action) }

    /// The step's compensation as it is now.
    func compensation(_ step: String, item: Int? = nil) -> PhaseState { state(step, item, .compensation) }

    private func state(_ name: String, _ item: Int?, _ phase: Phase) -> PhaseState {
        let index = saga.definition.step(named: name)
        if index == nil { Issue.record("there is no step \(name)") }
        let step = index.map { saga.steps[$0] } ?? StepState()
        guard let item else { return phase == .action ? step.action : step.compensation }
        return phase == .action ? step.items[item].action : step.items[item].compensation
    }

    /// The step's result as text.
    func result(_ step: String) -> String? {
        saga.definition.step(named: step).flatMap { saga.steps[$0].result }.map { String(decoding: $0, as: UTF8.self) }
    }

    @discardableResult
    mutating func succeed(
        _ step: String, item: Int? = nil, _ phase: Phase = .action, attempt: Int = 1, result: String? = nil
    ) -> Decision {
        feed(
            .reply(
                Reply(
                    step: step, item: item, phase: phase, attempt: attempt, outcome: .succeeded,
                    result: result.map { Array($0.utf8) })))
    }

    @discardableResult
    mutating func fail(
        _ step: String, item: Int? = nil, _ phase: Phase = .action, attempt: Int = 1, error: String = "no",
        code: String? = nil
    ) -> Decision {
        feed(
            .reply(
                Reply(
                    step: step, item: item, phase: phase, attempt: attempt, outcome: .failed, error: error, code: code))
        )
    }

    @discardableResult
    mutating func retry(
        _ step: String, item: Int? = nil, _ phase: Phase = .action, attempt: Int = 1, code: String? = nil,
        after: Milliseconds? = nil
    ) -> Decision {
        feed(
            .reply(
                Reply(
                    step: step, item: item, phase: phase, attempt: attempt, outcome: .retry, error: "busy", code: code,
                    retryAfter: after)))
    }

    @discardableResult
    mutating func report(
        _ step: String, _ outcome: ChildReport.Outcome, result: String? = nil, error: String? = nil
    ) -> Decision {
        feed(
            .child(ChildReport(step: step, outcome: outcome, result: result.map { Array($0.utf8) }, error: error)))
    }

    @discardableResult
    mutating func order(_ operation: Order.Operation, _ step: String? = nil, result: String? = nil) -> Decision {
        feed(.order(Order(operation, step: step, by: "ann", result: result.map { Array($0.utf8) })))
    }

    /// Lets time pass until the next alarm, and rings it.
    @discardableResult
    mutating func ring() -> Decision {
        guard let alarm = saga.nextAlarm else { return .ignore }
        return feed(.tick, after: max(0, alarm - now))
    }

    /// The saga that the log gives.
    func replayed() -> Saga {
        guard case .started(let started) = log[0].fact else { preconditionFailure("a log begins with its start") }
        var ignored: [Directive] = []
        var saga = Saga(
            id: self.saga.id, definition: self.saga.definition, started: started, at: log[0].at, directives: &ignored)
        for entry in log.dropFirst() { saga.evolve(entry, directives: &ignored) }
        return saga
    }

    private mutating func write() {
        for directive in directives {
            switch directive {
            case .send(let dispatch):
                let name = saga.name(of: dispatch.branch)
                let known = dispatch.isEffectKnown ? " known" : ""
                transcript.append("\(name) \(dispatch.phase.rawValue) \(dispatch.attempt)\(known)")
            case .finish(let status): transcript.append(status.rawValue)
            case .reopen: transcript.append("reopened")
            case .startChild(let step): transcript.append("\(saga.definition.steps[step].name) child")
            case .undoChild(let step): transcript.append("\(saga.definition.steps[step].name) child undone")
            case .verifyChild(let step): transcript.append("\(saga.definition.steps[step].name) child verified")
            case .verified: transcript.append("verified")
            case .emit(let step, let outcome):
                transcript.append("\(saga.definition.steps[step].name) event \(outcome.rawValue)")
            }
        }
    }
}

/// A definition of steps that each have a compensation unless they are or follow the pivot.
func definition(
    _ names: String..., pivot: String? = nil, deadline: Milliseconds? = nil, order: CompensationOrder? = nil,
    whenStuck: WhenStuck? = nil, change: (inout StepDraft) -> Void = { _ in }
) throws -> Definition {
    let pivotIndex = pivot.flatMap { names.firstIndex(of: $0) } ?? names.count
    let steps = names.enumerated().map { index, name in
        var step = StepDraft(
            name: name, service: "\(name)-service", action: "do-\(name)",
            compensation: index < pivotIndex ? .operation("undo-\(name)") : .absent, isPivot: name == pivot)
        change(&step)
        return step
    }
    return try Definition(
        validating: DefinitionDraft(
            name: "order", version: 1, deadline: deadline, order: order, whenStuck: whenStuck, steps: steps))
}

/// A command that can be undone.
func command(_ name: String) -> StepDraft {
    StepDraft(name, service: "\(name)-service", action: "do-\(name)").compensated(by: "undo-\(name)")
}

/// A command that can not be undone, as the pivot and those after it.
func finalCommand(_ name: String) -> StepDraft {
    StepDraft(name, service: "\(name)-service", action: "do-\(name)")
}
