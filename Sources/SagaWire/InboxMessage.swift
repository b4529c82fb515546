public import SagaCore

/// One message of a partition's inbox, decoded and checked for form.
public enum InboxMessage: Sendable, Hashable {
    case start(StartMessage)
    case signal(SignalMessage)
    case reply(ReplyMessage)
    case heartbeat(HeartbeatMessage)
    case control(ControlMessage)
    case event(DomainEvent)

    /// The saga that the message is about; of an event, which is about none yet, its routing key.
    public var saga: String {
        switch self {
        case .start(let message): message.saga
        case .signal(let message): message.saga
        case .reply(let message): message.saga
        case .heartbeat(let message): message.saga
        case .control(let message): message.saga
        case .event(let event): event.key
        }
    }
}

/// A starter's wish for a new saga. The id is the idempotency key: a second start with it changes nothing.
public struct StartMessage: Sendable, Hashable {
    public var saga: String
    public var definition: String
    /// Nil asks for the highest registered version.
    public var version: Int?
    public var input: [UInt8]
    /// Time for the whole saga, counted from when the start is applied; overrides the definition's.
    public var deadline: Milliseconds?
    public var labels: [String: String]
    public var traceparent: String?
    /// Instant not to start before.
    public var at: Milliseconds?

    public init(
        saga: String, definition: String, version: Int? = nil, input: [UInt8], deadline: Milliseconds? = nil,
        labels: [String: String] = [:], traceparent: String? = nil, at: Milliseconds? = nil
    ) {
        self.saga = saga
        self.definition = definition
        self.version = version
        self.input = input
        self.deadline = deadline
        self.labels = labels
        self.traceparent = traceparent
        self.at = at
    }
}

/// Something from outside that a saga waits for.
public struct SignalMessage: Sendable, Hashable {
    public var saga: String
    public var name: String
    public var payload: [UInt8]
    /// Deduplicates repeated sends.
    public var id: String?

    public init(saga: String, name: String, payload: [UInt8] = [], id: String? = nil) {
        self.saga = saga
        self.name = name
        self.payload = payload
        self.id = id
    }
}

/// What names one attempt of a step, and proves that the sender was given its command.
public struct AttemptID: Sendable, Hashable {
    public var saga: String
    public var step: String
    public var phase: Phase
    /// From 1.
    public var attempt: Int
    public var era: Int64
    public var token: String

    /// Of a `forEach` step: which item the command was about. A reply echoes no item, so the token names it.
    package var item: Int? {
        guard let dot = token.utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        let text = token[token.index(after: dot)...]
        return Int(text).flatMap { String($0) == text ? $0 : nil }
    }

    public init(saga: String, step: String, phase: Phase, attempt: Int, era: Int64, token: String) {
        self.saga = saga
        self.step = step
        self.phase = phase
        self.attempt = attempt
        self.era = era
        self.token = token
    }
}

/// A participant's answer to a command.
public struct ReplyMessage: Sendable, Hashable {
    public var id: AttemptID
    public var outcome: ReplyOutcome
    public var result: [UInt8]?
    public var error: String?
    public var code: String?
    /// With `retry`: shortest time until the next attempt.
    public var retryAfter: Milliseconds?
    /// With `stale`: the higher era that the participant has recorded for the saga.
    public var seen: Int64?

    public var saga: String { id.saga }

    public init(
        id: AttemptID, outcome: ReplyOutcome, result: [UInt8]? = nil, error: String? = nil, code: String? = nil,
        retryAfter: Milliseconds? = nil, seen: Int64? = nil
    ) {
        self.id = id
        self.outcome = outcome
        self.result = result
        self.error = error
        self.code = code
        self.retryAfter = retryAfter
        self.seen = seen
    }
}

/// How an attempt ended.
public enum ReplyOutcome: String, Sendable, Hashable, CaseIterable {
    case succeeded
    /// Refused for good, without an effect. Not retried.
    case failed
    /// Passing trouble; retried by the step's policy.
    case retry
    /// The command's era is older than one that the participant has seen; it did nothing.
    case stale
}

/// A sign of life of a long attempt: restarts its timeout.
public struct HeartbeatMessage: Sendable, Hashable {
    public var id: AttemptID
    public var details: String?

    public var saga: String { id.saga }

    public init(id: AttemptID, details: String? = nil) {
        self.id = id
        self.details = details
    }
}

/// An operator's order.
public struct ControlMessage: Sendable, Hashable {
    public var saga: String
    public var operation: Order.Operation
    public var step: String?
    /// With `skip`: the result that later steps need.
    public var result: [UInt8]?
    public var reason: String?
    public var by: String?
    /// Where present, the order is answered in the outcome stream under this id.
    public var id: String?

    public init(
        saga: String, operation: Order.Operation, step: String? = nil, result: [UInt8]? = nil,
        reason: String? = nil, by: String? = nil, id: String? = nil
    ) {
        self.saga = saga
        self.operation = operation
        self.step = step
        self.result = result
        self.reason = reason
        self.by = by
        self.id = id
    }
}

/// A stream of a partition that its owner reads in order, by position.
public enum InboxStream: Sendable, Hashable {
    case reply, control, intake
    /// The domain events of a topic by which some definition is triggered.
    case event(String)

    /// The partition's inbox, in the order in which it is served: what is begun is finished before more is begun.
    public static let inbox: [InboxStream] = [.reply, .control, .intake]

    /// What the stream is called within its partition: the last part of its key.
    public var name: String {
        switch self {
        case .reply: "reply"
        case .control: "control"
        case .intake: "intake"
        case .event(let topic): "event:\(topic)"
        }
    }

    /// The topic of a stream of events.
    public var topic: String? { if case .event(let topic) = self { topic } else { nil } }
}

/// A message that cannot be processed: the stable code and the sentence of its dead letter.
public struct DeadReason: Sendable, Hashable, Error, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// A reply of an era that lies far ahead of the clock.
        case futureEra = "future-era"
        case malformed, oversized, conflict, ended, forged, unreadable
        case unknownSaga = "unknown-saga"
        case unknownStep = "unknown-step"
        case unknownDefinition = "unknown-definition"
        case unexpectedSignal = "unexpected-signal"
        case poison
    }

    public var code: Code
    public var sentence: String

    public init(_ code: Code, _ sentence: String) {
        self.code = code
        self.sentence = sentence
    }

    public var description: String { "\(code.rawValue): \(sentence)" }
}
