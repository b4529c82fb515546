import SagaCore

/// A saga under test with its log: feeds events, keeps entries, writes a readable transcript.
struct MachineHarness {
    private(set) var saga: Saga
    private(set) var log: [LogEntry]
    /// What was directed by the last event.
    private(set) var directives: [Directive] = []
    /// One line for each directive since the start: `create action 1`, `compensated`.
    private(set) var transcript: [String] = []
    var now: Milliseconds

    init(_ definition: Definition, id: String = "order-1", now: Milliseconds = 1_000, started: Started? = nil) {
        let started = started ?? Started(definition: definition.name, version: definition.version, era: 1)
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
        return decision
    }

    @discardableResult
    mutating func succeed(_ step: String, _ phase: Phase = .action, attempt: Int = 1, result: String? = nil) -> Decision
    {
        feed(
            .reply(
                Reply(
                    step: step, phase: phase, attempt: attempt, outcome: .succeeded,
                    result: result.map { Array($0.utf8) })))
    }

    @discardableResult
    mutating func fail(_ step: String, _ phase: Phase = .action, attempt: Int = 1, error: String = "no") -> Decision {
        feed(.reply(Reply(step: step, phase: phase, attempt: attempt, outcome: .failed, error: error)))
    }

    @discardableResult
    mutating func retry(_ step: String, _ phase: Phase = .action, attempt: Int = 1, after: Milliseconds? = nil)
        -> Decision
    {
        feed(
            .reply(
                Reply(
                    step: step, phase: phase, attempt: attempt, outcome: .retry, error: "busy", retryAfter: after)))
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
