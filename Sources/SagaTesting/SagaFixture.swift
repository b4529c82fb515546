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
    public internal(set) var state: Saga
    /// Simulated time since the saga's start.
    public var elapsed: Duration { .milliseconds(now - startedAt) }
    /// What was done and what was directed so far, a line each.
    public internal(set) var transcript: [String] = []

    private let startedAt: Milliseconds
    var now: Milliseconds
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

    mutating func take(_ directives: [Directive]) {
        for directive in directives {
            let directed = SagaExpectation(directive, of: state.definition)
            outstanding.append(directed)
            transcript.append("\(offset) → \(directed)")
        }
    }

    // MARK: Failures

    mutating func requireNothingOutstanding(_ moment: String, _ place: SourcePlace) throws {
        guard !outstanding.isEmpty else { return }
        let left = list(outstanding)
        // Said once: what follows is not to fail for the same reason.
        outstanding = []
        try fail("not expected \(moment): \(left)", place)
    }

    func fail(_ reason: String, _ place: SourcePlace) throws {
        let failure = SagaFixtureFailure(
            reason: reason, transcript: transcript, fileID: place.fileID, filePath: place.filePath, line: place.line,
            column: place.column)
        guard let report else { throw failure }
        report(failure)
    }

    var offset: String { Timeline.offset(now - startedAt) }

    private func list(_ directed: [SagaExpectation]) -> String { directed.map(\.description).joined(separator: "; ") }

    var underWay: String {
        let names = state.parts.flatMap { part in
            Phase.allCases.filter { part[$0].isActive }.map { "'\(state.name(of: part.branch))' (\($0.rawValue))" }
        }
        return names.isEmpty ? "nothing" : names.joined(separator: ", ")
    }
}
