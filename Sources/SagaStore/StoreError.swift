/// A store's failure. What the caller may do next follows from ``effect``.
public struct StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable {
        /// Out of reach, or passing trouble: starting up, busy, read-only for the moment. Retry with a backoff.
        case unavailable
        /// Out of memory or disk: retry with a backoff, and tell an operator.
        case full
        /// What is stored is not what this version writes: an operator's business.
        case corrupt
        /// Not allowed, or otherwise refused by the server for good.
        case refused
    }

    /// Whether the change may have happened.
    public enum Effect: Sendable, Hashable {
        /// It has not: retry freely.
        case notApplied
        /// Unknown: reload, then compare.
        case indeterminate
    }

    public var code: Code
    public var effect: Effect
    public var message: String

    public init(_ code: Code, _ effect: Effect, _ message: String) {
        self.code = code
        self.effect = effect
        self.message = message
    }

    public var description: String { message }
}
