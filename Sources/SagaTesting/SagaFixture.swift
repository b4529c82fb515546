public import SagaCore
import SagaSimulation

/// Given a definition, when this happens to one of its sagas, then these commands go out: a test of a definition on the
/// machine alone, without Redis, services or waiting.
///
/// ```swift
/// try SagaFixture.given(order, input: #"{"total": 5}"#) { saga in
///     try saga.expect(.command("create"))
///     try saga.reply("create", .succeeded)
///     try saga.expect(.command("charge"))
///     try saga.reply("charge", .refused("no-money"))
///     try saga.expect(.compensation("create", effectKnown: true))
///     try saga.reply("create", .succeeded)
///     try saga.expect(.end(.compensated))
/// }
/// ```
///
/// The test is complete or it fails: whatever the saga directs has to be expected before the next thing happens to it,
/// and at the latest when the body ends.
public struct SagaFixture {
    /// The saga as it is now.
    public private(set) var state: Saga
    /// Simulated time since the saga's start.
    public var elapsed: Duration { .milliseconds(now - startedAt) }
    /// What was done and what was directed so far, a line each.
    public private(set) var transcript: [String] = []

    private let startedAt: Milliseconds
    private var now: Milliseconds
    /// Directed, and not yet expected.
    private var outstanding: [SagaExpectation] = []
    private let report: ((SagaFixtureFailure) -> Void)?

    /// Runs a test's body on a saga that has just started, and then checks that it left nothing out.
    ///
    /// - Parameters:
    ///   - input: JSON.
    ///   - deadline: Overrides the definition's.
    ///   - startedAt: The start, in Unix time in milliseconds.
    ///   - report: Told of each failure, after which the body goes on. Nil: the first failure is thrown.
    /// - Throws: ``SagaFixtureFailure``, or what the body throws.
    public static func given(
        _ definition: Definition, input: String = "{}", deadline: Duration? = nil, startedAt: Milliseconds = 0,
        report: ((SagaFixtureFailure) -> Void)? = nil, fileID: String = #fileID, filePath: String = #filePath,
        line: Int = #line, column: Int = #column, _ body: (inout SagaFixture) throws -> Void
    ) throws {
        var fixture = SagaFixture(definition, input, deadline?.milliseconds, startedAt, report)
        try body(&fixture)
        let place = SourcePlace(fileID: fileID, filePath: filePath, line: line, column: column)
        try fixture.requireNothingOutstanding("at the end", place)
    }

    private init(
        _ definition: Definition, _ input: String, _ deadline: Milliseconds?, _ startedAt: Milliseconds,
        _ report: ((SagaFixtureFailure) -> Void)?
    ) {
        self.startedAt = startedAt
        self.report = report
        now = startedAt
        var directives: [Directive] = []
        let started = Started(
            definition: definition.name, version: definition.version, era: 1, deadline: deadline,
            input: Array(input.utf8))
        state = Saga(id: "fixture", definition: definition, started: started, at: now, directives: &directives)
        transcript = ["\(definition.id) starts"]
        take(directives)
    }

    // MARK: Then

    /// Expects commands or an end among what was directed since the last thing that happened, in any order; with no
    /// expectation, expects that nothing was directed.
    public mutating func expect(
        _ expectations: SagaExpectation..., fileID: String = #fileID, filePath: String = #filePath, line: Int = #line,
        column: Int = #column
    ) throws {
        let place = SourcePlace(fileID: fileID, filePath: filePath, line: line, column: column)
        if expectations.isEmpty { try requireNothingOutstanding("where nothing was expected", place) }
        for expectation in expectations {
            if let index = outstanding.firstIndex(where: { expectation.isMet(by: $0) }) {
                outstanding.remove(at: index)
            } else {
                let there = outstanding.isEmpty ? "nothing" : list(outstanding)
                try fail("expected \(expectation); there was \(there)", place)
            }
        }
    }

    /// Expects that an order is refused, with a reason that contains a text.
    public mutating func expectRefusal(
        of operation: Order.Operation, step: String? = nil, because reason: String = "", fileID: String = #fileID,
        filePath: String = #filePath, line: Int = #line, column: Int = #column
    ) throws {
        let place = SourcePlace(fileID: fileID, filePath: filePath, line: line, column: column)
        transcript.append("\(offset) order to \(operation.rawValue), to be refused")
        switch state.decide(.order(Order(operation, step: step)), at: now) {
        case .refuse(let actual):
            guard !reason.isEmpty, !actual.contains(reason) else { return }
            try fail("expected '\(operation.rawValue)' to be refused because '\(reason)'; it was: \(actual)", place)
        case .accept, .ignore:
            try fail("expected '\(operation.rawValue)' to be refused; it would be accepted", place)
        }
    }

    // MARK: When

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

    private mutating func take(_ directives: [Directive]) {
        for directive in directives {
            let directed = SagaExpectation(directive, of: state.definition)
            outstanding.append(directed)
            transcript.append("\(offset) → \(directed)")
        }
    }

    // MARK: Failures

    private mutating func requireNothingOutstanding(_ moment: String, _ place: SourcePlace) throws {
        guard !outstanding.isEmpty else { return }
        let left = list(outstanding)
        // Said once: what follows is not to fail for the same reason.
        outstanding = []
        try fail("not expected \(moment): \(left)", place)
    }

    private func fail(_ reason: String, _ place: SourcePlace) throws {
        let failure = SagaFixtureFailure(
            reason: reason, transcript: transcript, fileID: place.fileID, filePath: place.filePath, line: place.line,
            column: place.column)
        guard let report else { throw failure }
        report(failure)
    }

    private var offset: String { Timeline.offset(now - startedAt) }

    private func list(_ directed: [SagaExpectation]) -> String { directed.map(\.description).joined(separator: "; ") }

    private var underWay: String {
        let names = state.parts.flatMap { part in
            Phase.allCases.filter { part[$0].isActive }.map { "'\(state.name(of: part.branch))' (\($0.rawValue))" }
        }
        return names.isEmpty ? "nothing" : names.joined(separator: ", ")
    }
}

/// Where in a test's source something was said.
private struct SourcePlace {
    var fileID: String
    var filePath: String
    var line: Int
    var column: Int
}

/// What was not as a test of a definition expected it.
public struct SagaFixtureFailure: Error, Sendable, CustomStringConvertible {
    /// One line: what was expected, and what was there.
    public let reason: String
    /// What led there.
    public let transcript: [String]
    /// Where in the test's source.
    public let fileID: String
    public let filePath: String
    public let line: Int
    public let column: Int

    public var description: String {
        (["\(fileID):\(line): \(reason)"] + transcript.map { "    \($0)" }).joined(separator: "\n")
    }
}
