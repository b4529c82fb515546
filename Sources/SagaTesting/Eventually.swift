public import Logging

/// A condition that didn't come true in time.
public struct ConditionTimedOut: Error, Sendable, CustomStringConvertible {
    public var condition: String
    public var limit: Duration

    public var description: String { "'\(condition)' did not come true within \(limit)" }
}

/// Waits until a condition is true: for tests, instead of a sleep.
///
/// - Parameters:
///   - condition: What is awaited, for the error.
///   - limit: Generous by default; it is reached by failing tests only.
/// - Throws: ``ConditionTimedOut``, and whatever looking at the condition throws.
public func eventually(
    _ condition: String, within limit: Duration = .seconds(20), _ isTrue: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    var pause = Duration.milliseconds(1)
    while !(try await isTrue()) {
        guard ContinuousClock.now < end else { throw ConditionTimedOut(condition: condition, limit: limit) }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(20))
    }
}

/// A logger that says nothing.
public let quietLogger = Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() }
