public import SagaCore

/// How a handler ended.
public enum HandlerOutcome: Sendable, Hashable {
    /// The effect is to be committed, together with this result.
    case succeeded([UInt8]?)
    /// Refused for good; whatever the handler did is rolled back.
    case failed(code: String, error: String)
    /// Passing trouble; whatever the handler did is rolled back, and the coordinator sends the command again.
    case retry(error: String, code: String? = nil, after: Milliseconds? = nil)
    /// A call outside of the transaction begins now, and cannot arrive any more from `until` on.
    case intended(until: Milliseconds)
}

/// Thrown by a handler to refuse a command for good: a business rule says no, and no retry will change that.
///
/// The handler's changes are rolled back and the refusal is recorded, so every repetition of the command gets it again.
/// An action that refuses makes the saga compensate the steps before it. A compensation that refuses is *stuck*: an
/// operator has to look.
public struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// Stable, for programs; at most 64 bytes are kept.
    public var code: String
    /// For people; at most 4 KiB are kept.
    public var message: String

    public init(_ code: String, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code): \(message)" }
}

/// Thrown by a handler in passing trouble, with the shortest time until the next attempt makes sense.
///
/// Every error but ``Refusal`` has the same effect; this one adds the delay.
public struct RetryLater: Error, Sendable, Hashable, CustomStringConvertible {
    public var message: String
    public var after: Duration

    public init(_ message: String, after: Duration) {
        self.message = message
        self.after = after
    }

    public var description: String { message }
}
