public import SagaCore
public import SagaWire

/// How an orchestrator works. Every bound of it stands here.
public struct OrchestratorOptions: Sendable {
    /// The orchestrator's name, for people and logs.
    public var name: String
    /// How long a partition stays held without renewal; a crashed owner's partitions are taken within this plus 1 s.
    public var lease: Milliseconds = 3_000
    /// Partitions of a new namespace; nil takes what is there.
    public var partitions: Int?
    /// Loops that share the partitions among them, each with connections of its own. Several serve a process of several
    /// cores, and keep the number of streams that one blocking read waits on, which Redis pays for at each wake-up, small.
    public var lanes = 4
    /// Entries that one read takes from each inbox stream.
    public var readCount = 256
    /// Log entries, commands and events of one commit, and their bytes, above which it takes no more messages: one message
    /// can overdraw them. Orders, alarms and sagas to be verified may add as much again, each kind.
    public var commitEntries = 16_384
    public var commitBytes = 67_108_864
    /// Longest wait of one blocking read.
    public var block: Milliseconds = 250
    /// Open sagas that a lane keeps in memory; more are read from their logs when they are needed.
    public var cachedSagas = 50_000
    /// Alarms, and sagas to be verified, that one round takes from a partition.
    public var alarmCount = 256
    /// Time between two trims of a partition's streams.
    public var trimInterval: Milliseconds = 400
    /// Time between two trims of a partition at rest, where definitions name topics: their subscribers read on.
    public var idleTrimInterval: Milliseconds = 10_000
    /// How long a consumer of a service, that holds no command, has not asked for any before it is removed from its group.
    public var consumerRetention: Milliseconds = 3_600_000
    /// Time between two looks for such consumers in a partition, and the most that one of them removes.
    public var consumerInterval: Milliseconds = 600_000
    public var consumerCount = 256
    /// How much of the store's memory may be used, in per cent, for sagas to be begun; nil: as long as there is room. Says
    /// nothing where the store has no limit.
    public var memoryShare: Int? = 80
    /// How far below that the used part must be for sagas to be begun again.
    public var memoryMargin = 5
    /// How long starters take for true that the store is overloaded. It is told anew a few times in between.
    public var overloadValidity: Milliseconds = 10_000
    /// How long events stay in the stream of a topic that nobody reads: no consumer group, and no triggered definition.
    public var eventRetention: Milliseconds = 604_800_000
    /// How long outcomes stay in their stream.
    public var outcomeRetention: Milliseconds = 86_400_000
    /// Ended sagas whose time is over that one trim removes from a partition.
    public var removalCount = 64
    /// How long after its end the id of a removed saga stays taken: as long as participants may hold its records.
    public var tombstoneRetention: Milliseconds = 30 * 86_400_000
    /// Largest accepted message, and the like.
    public var limits = InboxMessage.Limits()
    /// What sagas keep to whose definition is `async` and has no pivot.
    public var durability = Durability.async
    /// Replicas that a confirmation takes, from 1.
    public var replicas = 1
    /// Whether the orchestrator refuses to work where the server cannot confirm, rather than go on as under `async`.
    public var requiresConfirmation = false
    /// How long a server that had replicas may be without them before it counts as one that cannot confirm.
    public var confirmationPatience: Milliseconds = 60_000
    /// First and longest time that one confirmation may take. The lane's other commits may wait as long.
    public var confirmationTimeout: ClosedRange<Milliseconds> = 100...500
    /// Time between two looks at whether the server can confirm, where somebody wants that.
    public var confirmationCheckInterval: Milliseconds = 5_000
    /// First and longest time after which a saga that waits for a confirmation is looked at again by itself.
    public var confirmationAlarm: ClosedRange<Milliseconds> = 1_000...30_000
    /// Shortest and longest pause after a failure of the store.
    public var backoff: ClosedRange<Milliseconds> = 50...2_000
    /// All of them, but where a test shows what one is good for.
    package var safeguards = Safeguards.all

    public init(name: String) {
        self.name = name
    }
}
