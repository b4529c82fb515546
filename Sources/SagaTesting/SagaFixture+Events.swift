public import SagaCore
import SagaSimulation

/// When: what happens to the saga.
extension SagaFixture {
    /// A service answers the attempt of a step that is under way: its compensation where the saga goes backward. For a
    /// child saga: it has ended; refused means that it left no effect, or cannot be undone.
    ///
    /// - Parameter item: Of a `forEach` step: place in its list, from 0.
    public mutating func reply(
        _ step: String, item: Int? = nil, _ answer: StepAnswer, fileID: String = #fileID, filePath: String = #filePath,
        line: Int = #line, column: Int = #column
    ) throws {
        let place = SourcePlace(fileID: fileID, filePath: filePath, line: line, column: column)
        guard let index = state.definition.step(named: step) else {
            return try fail("\(state.definition.id) has no step '\(step)'", place)
        }
        let phase: Phase = state.isCompensating ? .compensation : .action
        let branch = Branch(step: index, item: item)
        let event: Event
        switch state.definition.steps[index].answerer {
        case .child: event = .child(answer.report(of: step, phase))
        case .service, .clock, .signal:
            let attempts = state.parts.first { $0.branch == branch }?[phase].attempts ?? 0
            event = .reply(answer.reply(of: step, item, phase, attempt: max(1, attempts)))
        }
        let name = state.name(of: branch)
        let what = phase == .action ? "'\(name)'" : "the compensation of '\(name)'"
        try when(event, "\(what) answers \(answer.outcome.rawValue)", place)
    }

    /// A signal comes.
    public mutating func signal(
        _ name: String, payload: String = "{}", fileID: String = #fileID, filePath: String = #filePath,
        line: Int = #line, column: Int = #column
    ) throws {
        let place = SourcePlace(fileID: fileID, filePath: filePath, line: line, column: column)
        try when(.signal(Signal(name, payload: Array(payload.utf8))), "signal '\(name)' comes", place)
    }

    /// An operator gives an order that is accepted.
    public mutating func order(
        _ operation: Order.Operation, step: String? = nil, result: String? = nil, fileID: String = #fileID,
        filePath: String = #filePath, line: Int = #line, column: Int = #column
    ) throws {
        let place = SourcePlace(fileID: fileID, filePath: filePath, line: line, column: column)
        let order = Order(operation, step: step, by: "test", result: result.map { Array($0.utf8) })
        try when(.order(order), "order to \(operation.rawValue)", place)
    }

    /// Time passes: every alarm until then rings at its instant.
    public mutating func letPass(
        _ span: Duration, fileID: String = #fileID, filePath: String = #filePath, line: Int = #line,
        column: Int = #column
    ) throws {
        let place = SourcePlace(fileID: fileID, filePath: filePath, line: line, column: column)
        try requireNothingOutstanding("before time passed", place)
        transcript.append("\(offset) \(span) pass")
        let target = now.adding(span.milliseconds)
        // Nobody answers meanwhile, so there are as many alarms as timeouts and backoffs fit in.
        while let alarm = state.nextAlarm, alarm <= target { ring(alarm) }
        now = target
    }

    /// Time passes until the next alarm rings: the end of a timeout, a backoff, a delay or the deadline.
    public mutating func letNextAlarmRing(
        fileID: String = #fileID, filePath: String = #filePath, line: Int = #line, column: Int = #column
    ) throws {
        let place = SourcePlace(fileID: fileID, filePath: filePath, line: line, column: column)
        try requireNothingOutstanding("before the next alarm", place)
        guard let alarm = state.nextAlarm else {
            return try fail("no alarm is set: only a message moves the saga", place)
        }
        ring(alarm)
        transcript.append("\(offset) the alarm rang")
    }

    private mutating func ring(_ alarm: Milliseconds) {
        now = max(now, alarm)
        guard case .accept(let fact) = state.decide(.tick, at: now) else { return }
        evolve(fact)
    }

    private mutating func when(_ event: Event, _ text: String, _ place: SourcePlace) throws {
        try requireNothingOutstanding("before \(text)", place)
        transcript.append("\(offset) \(text)")
        switch state.decide(event, at: now) {
        case .accept(let fact): evolve(fact)
        case .ignore: try fail("\(text): nothing waits for that; under way: \(underWay)", place)
        case .refuse(let reason): try fail("\(text): refused, \(reason)", place)
        }
    }

    private mutating func evolve(_ fact: Fact) {
        var directives: [Directive] = []
        state.evolve(LogEntry(index: state.entryCount, at: now, fact: fact), directives: &directives)
        take(directives)
    }
}
