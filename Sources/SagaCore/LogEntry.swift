/// One entry of a saga's log: a fact that could not be derived, and when it became one.
///
/// The state of a saga is the fold of its log. Whatever follows from a fact (which commands to send, when to look
/// again) is derived, so it is written nowhere twice.
public struct LogEntry: Sendable, Hashable {
    /// Place in the log, from 0: an entry appended twice by a repeated script is one entry.
    public var index: Int
    /// When the coordinator applied it, on the Redis server's clock.
    public var at: Milliseconds
    public var fact: Fact

    public init(index: Int, at: Milliseconds, fact: Fact) {
        self.index = index
        self.at = at
        self.fact = fact
    }
}

/// What can stand in a saga's log.
public enum Fact: Sendable, Hashable {
    /// The first entry of every log.
    case started(Started)
    /// A participant's answer that counted.
    case replied(Reply)
    /// A sign of life of a running attempt, which restarts its timeout.
    case beat(step: String, item: Int?, phase: Phase)
    /// Time has reached the entry's instant: whatever was due by then happens.
    case ticked
    /// An operator's order that was accepted.
    case ordered(Order)
    /// A signal that a step waits for, or will.
    case signaled(Signal)
    /// The partition's history was rewound: newest writes may be lost, and everything recorded is to be verified.
    case rewound(era: Int64)
    /// What a step's child saga told.
    case childReported(ChildReport)
    /// The parent of this child saga takes it back.
    case recalled(reason: String)
    /// All entries before this one are confirmed, as the saga's durability asks for: what waited for that goes on.
    case confirmed
}

/// How a saga began.
public struct Started: Sendable, Hashable {
    public var definition: String
    public var version: Int
    public var era: Int64
    /// Whether the partition's history had been rewound before: then this saga, too, compensates every step.
    public var isAfterRewind: Bool
    /// Time for the whole saga where the starter asked for one; overrides the definition's.
    public var deadline: Milliseconds?
    /// Instant before which no step begins.
    public var notBefore: Milliseconds?
    public var labels: [String: String]
    public var traceparent: String?
    /// Whether the saga is a step of the one whose id is this one's up to its last `/`.
    public var isChild: Bool
    /// Whether the saga is entered to be undone: a child that its parent's log does not know any more.
    public var isRecalled: Bool
    /// Whether the saga waits for confirmations: of its start, of its pivot's being due, of its end. Stands in the log,
    /// so that a log means the same whatever server it is read on.
    public var isReplicated: Bool
    public var input: [UInt8]

    public init(
        definition: String, version: Int, era: Int64, isAfterRewind: Bool = false, deadline: Milliseconds? = nil,
        notBefore: Milliseconds? = nil, labels: [String: String] = [:], traceparent: String? = nil,
        isChild: Bool = false, isRecalled: Bool = false, isReplicated: Bool = false, input: [UInt8] = []
    ) {
        self.definition = definition
        self.version = version
        self.era = era
        self.isAfterRewind = isAfterRewind
        self.deadline = deadline
        self.notBefore = notBefore
        self.labels = labels
        self.traceparent = traceparent
        self.isChild = isChild
        self.isRecalled = isRecalled
        self.isReplicated = isReplicated
        self.input = input
    }
}

/// A participant's answer to one attempt of a step.
public struct Reply: Sendable, Hashable {
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
        case succeeded
        /// Refused for good, and without an effect.
        case failed
        /// Passing trouble; whether an effect was left is unknown.
        case retry
    }

    public var step: String
    /// Of a `forEach` step: place in its list, from 0.
    public var item: Int?
    public var phase: Phase
    public var attempt: Int
    public var outcome: Outcome
    public var result: [UInt8]?
    public var error: String?
    public var code: String?
    /// With `retry`: shortest time until the next attempt.
    public var retryAfter: Milliseconds?

    public init(
        step: String, item: Int? = nil, phase: Phase, attempt: Int, outcome: Outcome, result: [UInt8]? = nil,
        error: String? = nil,
        code: String? = nil, retryAfter: Milliseconds? = nil
    ) {
        self.step = step
        self.item = item
        self.phase = phase
        self.attempt = attempt
        self.outcome = outcome
        self.result = result
        self.error = error
        self.code = code
        self.retryAfter = retryAfter
    }
}

/// Something from outside that a saga waits for.
public struct Signal: Sendable, Hashable {
    public var name: String
    /// Tells a repeated send.
    public var id: String?
    public var payload: [UInt8]

    public init(_ name: String, id: String? = nil, payload: [UInt8] = []) {
        self.name = name
        self.id = id
        self.payload = payload
    }
}

/// What an operator orders, who and why.
public struct Order: Sendable, Hashable {
    public enum Operation: String, Sendable, Hashable, CaseIterable {
        /// Compensate what was done.
        case cancel
        /// Dispatch nothing until `resume`.
        case pause
        case resume
        /// A fresh set of attempts for stuck steps, at once.
        case retry
        /// Declare a step done by hand.
        case skip
    }

    public var operation: Operation
    /// The step that is meant; nil means all that the operation applies to.
    public var step: String?
    public var by: String?
    public var reason: String?
    /// With `skip`: the result that later steps need.
    public var result: [UInt8]?

    public init(
        _ operation: Operation, step: String? = nil, by: String? = nil, reason: String? = nil, result: [UInt8]? = nil
    ) {
        self.operation = operation
        self.step = step
        self.by = by
        self.reason = reason
        self.result = result
    }
}
