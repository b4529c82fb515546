public import SagaCore
public import SagaWire

/// Who asks for a partition.
public struct Claim: Sendable, Hashable {
    /// Random and new for each taking: tells two takings apart even where a lost one reused an epoch number.
    public var owner: String
    /// The orchestrator's name, for people.
    public var name: String
    /// The orchestrator's process: random text, as in its heartbeats.
    public var instance: String
    /// How long the lease lasts without renewal.
    public var lease: Milliseconds
    /// The owner under which the claimant held the partition until now, where it takes it anew.
    public var previous: String?

    public init(
        owner: String, name: String, instance: String = "", lease: Milliseconds, previous: String? = nil
    ) {
        self.owner = owner
        self.name = name
        self.instance = instance
        self.lease = lease
        self.previous = previous
    }
}

/// The right to write to a partition: each commit names it, and extends the sequence that it names.
public struct Fence: Sendable, Hashable {
    public var partition: Int
    public var owner: String
    /// Rises with each taking of the partition.
    public var epoch: Int64
    /// Commits so far; a commit's owner and sequence together are its id.
    public var sequence: Int64

    public init(partition: Int, owner: String, epoch: Int64, sequence: Int64) {
        self.partition = partition
        self.owner = owner
        self.epoch = epoch
        self.sequence = sequence
    }
}

/// How far a partition's streams have been applied: the id of the last entry of each.
public struct InboxPositions: Sendable, Hashable {
    public var reply: String
    public var control: String
    public var intake: String
    /// By topic; one that was never read stands at its beginning.
    public var events: [String: String]

    public static let beginning = InboxPositions(reply: "0-0", control: "0-0", intake: "0-0")

    public init(reply: String, control: String, intake: String, events: [String: String] = [:]) {
        self.reply = reply
        self.control = control
        self.intake = intake
        self.events = events
    }

    public subscript(stream: InboxStream) -> String {
        get {
            switch stream {
            case .reply: reply
            case .control: control
            case .intake: intake
            case .event(let topic): events[topic] ?? "0-0"
            }
        }
        set {
            switch stream {
            case .reply: reply = newValue
            case .control: control = newValue
            case .intake: intake = newValue
            case .event(let topic): events[topic] = newValue
            }
        }
    }
}

/// What a partition's new owner finds.
public struct PartitionState: Sendable, Hashable {
    public var fence: Fence
    public var positions: InboxPositions
    /// Number of the partition's history.
    public var era: Int64
    /// Whether the era was ever raised: from then on a compensation covers every step.
    public var wasRewound: Bool
    /// Whether the server is another one than the partition was last written on (another run or replication id), so
    /// that newest writes may be lost.
    public var mayBeRewound: Bool
    /// The era under which every open saga was last known to be verified or on its way to be.
    public var verifiedEra: Int64
    /// The partition's clock.
    public var now: Milliseconds

    public init(
        fence: Fence, positions: InboxPositions, era: Int64, wasRewound: Bool, mayBeRewound: Bool,
        verifiedEra: Int64, now: Milliseconds
    ) {
        self.fence = fence
        self.positions = positions
        self.era = era
        self.wasRewound = wasRewound
        self.mayBeRewound = mayBeRewound
        self.verifiedEra = verifiedEra
        self.now = now
    }
}

/// The answer to a claim.
public enum TakeOutcome: Sendable, Hashable {
    case taken(PartitionState)
    /// Somebody else's lease runs.
    case held(Holder)

    /// Who holds a partition. Two equal values seen a lease apart, by the observer's own clock, mean that the holder
    /// has not renewed, whatever the server's clock did.
    public struct Holder: Sendable, Hashable {
        public var name: String
        /// Empty where the holder's version doesn't tell it.
        public var instance: String
        public var lease: Milliseconds
        /// Changes with each renewal.
        public var mark: String

        public init(name: String, instance: String = "", lease: Milliseconds, mark: String) {
            self.name = name
            self.instance = instance
            self.lease = lease
            self.mark = mark
        }
    }
}

/// The answer to a renewal.
public enum RenewOutcome: Sendable, Hashable {
    case renewed(mayBeRewound: Bool)
    /// Taken by somebody else, or unknown after a rewind.
    case lost
}
