public import SagaCore
public import SagaWire

/// Everything that one batch of inbox messages and alarms changes in a partition, applied atomically or not at all.
public struct PartitionCommit: Sendable {
    public var fence: Fence
    public var positions: InboxPositions
    public var changes: [SagaChange] = []
    public var commands: [OutgoingCommand] = []
    public var events: [OutgoingEvent] = []
    /// Entries for the outcome stream.
    public var outcomes: [Fields] = []
    public var dead: [DeadMark] = []
    /// Whether the commit starts sagas that somebody asks for. One that doesn't is accepted by a full store, too.
    public var startsSagas = false
    /// Set when all open sagas have been brought to this era.
    public var verifiedEra: Int64?
    private let eventsBefore: [String: String]

    /// - Parameter positions: What is applied before this commit.
    public init(fence: Fence, positions: InboxPositions) {
        self.fence = fence
        self.positions = positions
        eventsBefore = positions.events
    }

    /// The positions of topics that the commit moves. Those of other topics stay as they are stored.
    public var movedEvents: [String: String] {
        positions.events.isEmpty ? [:] : positions.events.filter { eventsBefore[$0.key] != $0.value }
    }

    /// Whether the commit changes nothing but the positions.
    public var isEmpty: Bool {
        changes.isEmpty && commands.isEmpty && events.isEmpty && outcomes.isEmpty && dead.isEmpty && verifiedEra == nil
    }
}

/// What changes in one saga.
public struct SagaChange: Sendable {
    public enum Alarm: Sendable, Hashable {
        /// The alarm that is set rings early enough.
        case keep
        /// Look at the saga at this instant.
        case at(Milliseconds)
        /// Only a message can move the saga.
        case never
        /// The saga ended, and is to be removed at this instant.
        case ended(Milliseconds)
        /// The saga ended, and stays until a later change says when it is to be removed.
        case rested
        /// There is no such saga: forget its alarm.
        case gone
    }

    public var saga: String
    /// The length that the log must have: compare-and-set on the saga's own sequence.
    public var firstIndex: Int
    /// Encoded entries to append.
    public var entries: [[UInt8]]
    public var alarm: Alarm
    public var indexes: [IndexChange]

    public init(
        saga: String, firstIndex: Int, entries: [[UInt8]] = [], alarm: Alarm = .keep, indexes: [IndexChange] = []
    ) {
        self.saga = saga
        self.firstIndex = firstIndex
        self.entries = entries
        self.alarm = alarm
        self.indexes = indexes
    }
}

/// A command for a service's stream in the commit's partition.
public struct OutgoingCommand: Sendable {
    public var service: String
    public var fields: Fields
    /// An earlier command that this one takes the place of, where nobody was given it.
    public var replaced: StreamID?

    public init(service: String, fields: Fields, replaced: StreamID? = nil) {
        self.service = service
        self.fields = fields
        self.replaced = replaced
    }
}

/// An event for a topic's stream in the commit's partition.
public struct OutgoingEvent: Sendable {
    public var topic: String
    public var fields: Fields

    public init(topic: String, fields: Fields) {
        self.topic = topic
        self.fields = fields
    }
}

/// An inbox message to be copied to the dead letters; the store copies its fields from where they are.
public struct DeadMark: Sendable, Hashable {
    public var stream: InboxStream
    public var entry: String
    /// Which message of the entry, from 0.
    public var position: Int
    public var reason: DeadReason
    public var saga: String?

    public init(stream: InboxStream, entry: String, position: Int, reason: DeadReason, saga: String?) {
        self.stream = stream
        self.entry = entry
        self.position = position
        self.reason = reason
        self.saga = saga
    }
}

/// What became of a commit that was executed, and where its commands are.
public struct CommitResult: Sendable, Hashable {
    public var outcome: CommitOutcome
    /// The entries of a committed commit's commands, in their order.
    public var commands: [StreamID]

    public init(_ outcome: CommitOutcome, commands: [StreamID] = []) {
        self.outcome = outcome
        self.commands = commands
    }
}

/// What became of a commit that was executed.
public enum CommitOutcome: Sendable, Hashable {
    case committed(now: Milliseconds)
    /// The partition is somebody else's, or the owner's own epoch has moved on. Nothing was written.
    case fenced
    /// The sequence is another one. Nothing was written: reload.
    case outOfSequence
    /// The log of one of the sagas has another length, so it isn't the one that was decided on. Nothing was written.
    case logMoved
}
