public import SagaCore

/// What a participant has recorded under one idempotency key.
public struct BarrierRecord: Sendable, Hashable {
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
        case succeeded
        /// Refused, without an effect. Final for an action; a compensation runs again, but blocks its action.
        case failed
        /// A call outside of the transaction may be under way, or may have taken effect.
        case intended
    }

    public var outcome: Outcome
    public var result: [UInt8]?
    public var error: String?
    public var code: String?
    /// Of an intended call: the instant from which on it can no longer arrive.
    public var until: Milliseconds?

    public init(
        _ outcome: Outcome, result: [UInt8]? = nil, error: String? = nil, code: String? = nil,
        until: Milliseconds? = nil
    ) {
        self.outcome = outcome
        self.result = result
        self.error = error
        self.code = code
        self.until = until
    }
}

/// All that is recorded about a command's saga and step when the command arrives.
public struct RecordedState: Sendable, Hashable {
    /// The highest era of the saga; nil for a saga of which nothing is recorded.
    public var era: Int64?
    public var action: BarrierRecord?
    public var compensation: BarrierRecord?

    public init(era: Int64? = nil, action: BarrierRecord? = nil, compensation: BarrierRecord? = nil) {
        self.era = era
        self.action = action
        self.compensation = compensation
    }

    /// The record of one phase.
    public subscript(phase: Phase) -> BarrierRecord? {
        get { phase == .action ? action : compensation }
        set {
            switch phase {
            case .action: action = newValue
            case .compensation: compensation = newValue
            }
        }
    }
}
