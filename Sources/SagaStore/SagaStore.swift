public import SagaCore
public import SagaWire

/// What the orchestrator needs of a store.
///
/// The Redis store and the in-memory store, the reference model, pass one conformance suite.
public protocol SagaStore: Sendable {
    /// Opens the namespace: the first orchestrator fixes the number of partitions, everybody else must agree with it.
    ///
    /// - Parameter partitions: The number that the caller was told, or nil to take what is there (16 for a new one).
    /// - Returns: The number of partitions.
    func open(partitions: Int?) async throws(StoreError) -> Int

    /// All registered definitions, as canonical JSON.
    func definitions() async throws(StoreError) -> [[UInt8]]

    /// Registers a definition unless its name and version are there with other content.
    ///
    /// - Returns: Whether it is registered now, with this content.
    func register(id: String, canonical: [UInt8]) async throws(StoreError) -> Bool

    /// The secret of the reply tokens; the first caller's proposal is kept.
    func secret(proposal: [UInt8]) async throws(StoreError) -> [UInt8]

    /// Says that an orchestrator runs.
    ///
    /// Heartbeats are judged by the store's clock, and only decide how the partitions are shared: a member that is
    /// missed, or remembered too long, costs balance and never safety.
    ///
    /// - Returns: Those whose last heartbeat is no older than their lease, the caller among them unless it is `gone`.
    func beat(_ heartbeat: Heartbeat) async throws(StoreError) -> [Member]

    /// Connections for one sequential user.
    func session() -> any StoreSession
}

/// A store as one sequential user sees it: its calls take effect in their order.
public protocol StoreSession: Sendable {
    /// Takes a partition whose lease is free, was the claimant's, or whose holder still shows `stale`'s mark; raises
    /// its epoch.
    func take(
        _ partition: Int, as claim: Claim, stale: TakeOutcome.Holder?
    ) async throws(StoreError) -> TakeOutcome

    /// Says who holds a partition, and takes nothing.
    func look(at partition: Int) async throws(StoreError) -> Occupancy

    /// Extends the lease of the claim's owner.
    func renew(_ partition: Int, as claim: Claim) async throws(StoreError) -> RenewOutcome

    /// Gives a partition up, so that anybody can take it at once. Harmless where it is lost already.
    func release(_ partition: Int, as claim: Claim) async throws(StoreError)

    /// Begins a new history: sets the era, if it is above the stored one, and the server's identity.
    func raise(_ fence: Fence, era: Int64) async throws(StoreError) -> CommitOutcome

    /// Reads what follows the positions, at most `count` entries of each stream, and waits up to `block` for the first.
    ///
    /// The batches of one call are one consistent view: whatever was in a stream before is in them, up to the count.
    /// Where less than the count can be read at once, because entries are large, a partition's control entries are held
    /// back as long as its intake and topics were not read to their end: an order must not overtake what starts the saga
    /// that it is about.
    func read(
        _ cursors: [InboxCursor], count: Int, block: Milliseconds
    ) async throws(StoreError) -> [InboxBatch]

    /// The logs of sagas; an unknown one's is empty.
    func load(_ sagas: [String], of partition: Int) async throws(StoreError) -> [[[UInt8]]]

    /// Open sagas whose alarm rings by `instant`, earliest first, at most `limit` of them, and the alarm after them.
    func due(_ partition: Int, by instant: Milliseconds, limit: Int) async throws(StoreError) -> DueSagas

    /// Some of the open sagas, and the cursor to go on with. A walk from `"0"` until `"0"` comes back meets every saga
    /// that is open all the while, perhaps more than once.
    func openSagas(_ partition: Int, after cursor: String) async throws(StoreError) -> (sagas: [String], next: String)

    /// How much of the store's memory is used.
    func memory() async throws(StoreError) -> StoreMemory

    /// Tells starters that the store is overloaded, for the time `validity` from now on, or that it isn't.
    func announce(_ overload: Overload?, validity: Milliseconds) async throws(StoreError)

    /// How many definitions are registered.
    func definitionCount() async throws(StoreError) -> Int

    /// Begins a commit. A command that replaces another one and is in it takes that one off its stream, unless somebody was
    /// given it. Commits of one session are executed in the order of these calls.
    func submit(_ commit: PartitionCommit) -> any PendingCommit

    /// How the server can confirm writes, with this many replicas.
    func confirmationMeans(replicas: Int) async throws(StoreError) -> ConfirmationMeans

    /// Begins to confirm all that this session has written in some partitions: what it submitted before, and whatever was
    /// written there earlier, by anybody.
    ///
    /// - Parameter timeout: How long it may take. What is submitted meanwhile may have to wait as long.
    func confirm(
        _ partitions: [Int], by means: ConfirmationMeans, timeout: Milliseconds
    ) -> any PendingConfirmation

    /// Trims what is applied from the inbox, what is settled from the command streams, outcomes older than
    /// `outcomesBefore`, and from topics what nobody needs any more: what all consumer groups have acknowledged and, of a
    /// topic by which definitions are triggered, what is applied. A topic that nobody reads keeps its events until they
    /// are older than `eventsBefore`.
    ///
    /// What is applied is for the store to know: after a rewind it may be less than the caller remembers, who still
    /// passes for the owner until the next commit. The sequence doesn't matter.
    func trim(
        _ fence: Fence, services: [String], topics: [TrimmedTopic], outcomesBefore: Milliseconds,
        eventsBefore: Milliseconds
    ) async throws(StoreError) -> CommitOutcome

    /// Removes consumers of services that hold no command and have not asked for any for `idle`, at most `limit` of them.
    /// The sequence doesn't matter.
    func removeConsumers(
        _ fence: Fence, services: [String], idle: Milliseconds, limit: Int
    ) async throws(StoreError) -> CommitOutcome

    /// Ended sagas whose removal is due by `instant`, at most `limit` of them.
    func expired(_ partition: Int, by instant: Milliseconds, limit: Int) async throws(StoreError) -> ExpiredSagas

    /// Removes ended sagas, each with its log and from its indexes; tombstones stay in the place of the logs. The
    /// sequence doesn't matter. A saga that is not ended, or is to be removed at another instant, is left as it is; one that
    /// is open again is only taken out of the ended ones.
    func retire(_ fence: Fence, _ retirements: [Retirement]) async throws(StoreError) -> CommitOutcome

    /// Ends the session's connections.
    func close() async
}

/// A commit under way.
public protocol PendingCommit: Sendable {
    func result() async throws(StoreError) -> CommitResult
}

extension PendingCommit {
    public func outcome() async throws(StoreError) -> CommitOutcome { try await result().outcome }
}

/// Where to read on in one partition.
public struct InboxCursor: Sendable, Hashable {
    public var partition: Int
    public var positions: InboxPositions
    /// Topics to be read beside the inbox.
    public var topics: [String]
    /// Whether the intake is read. Not where starts have to wait.
    public var readsIntake: Bool

    public init(partition: Int, positions: InboxPositions, topics: [String] = [], readsIntake: Bool = true) {
        self.partition = partition
        self.positions = positions
        self.topics = topics
        self.readsIntake = readsIntake
    }

    /// The streams of the inbox that are read, those that go first before.
    public var inbox: [InboxStream] { readsIntake ? InboxStream.inbox : InboxStream.inbox.filter { $0 != .intake } }
}

/// A topic whose stream is to be trimmed.
public struct TrimmedTopic: Sendable, Hashable {
    public var name: String
    /// Whether a definition is triggered by it.
    public var isTrigger: Bool

    public init(_ name: String, isTrigger: Bool) {
        self.name = name
        self.isTrigger = isTrigger
    }
}

/// Entries of one stream, in order.
public struct InboxBatch: Sendable {
    public var partition: Int
    public var stream: InboxStream
    public var entries: [InboxEntry]

    public init(partition: Int, stream: InboxStream, entries: [InboxEntry]) {
        self.partition = partition
        self.stream = stream
        self.entries = entries
    }
}

/// One entry of a stream that is read by position.
public struct InboxEntry: Sendable {
    public var id: String
    public var messages: [DecodedMessage]

    public init(id: String, messages: [DecodedMessage]) {
        self.id = id
        self.messages = messages
    }
}

/// Sagas to be looked at.
public struct DueSagas: Sendable, Hashable {
    public var sagas: [String]
    /// The earliest alarm that is not among them; nil where there is none.
    public var next: Milliseconds?

    public init(sagas: [String], next: Milliseconds?) {
        self.sagas = sagas
        self.next = next
    }
}
