import SagaCore
public import SagaWire

/// How a participant reads, and its bounds.
public struct ParticipantOptions: Sendable {
    /// The consumer's name: stable, one per instance slot, so that an instance that comes back finds what it left
    /// behind. Nil stands for the service's name and `-1`. Two instances must not share one.
    public var consumer: String?
    /// The most commands that share one local transaction, and one round of answers.
    public var batch = 256
    /// The most entries that one read takes from each partition.
    public var readCount = 128
    /// How long a read waits for commands. A graceful shutdown takes up to this long; at most 2 s.
    public var block: Duration = .seconds(1)
    /// The most calls outside of the transaction that run side by side.
    public var concurrency = 64
    /// How long a command is pending with another consumer before it is taken for abandoned. Longer than the longest
    /// batch; raised by itself above the longest external call.
    public var claimAfter: Duration = .seconds(30)
    /// How often a command is delivered, without ever being answered, before it is taken for one that kills its
    /// consumer: it is answered `retry`, since its effect is unknown, and copied to the dead letters. Only deliveries of
    /// other processes count, and from the third on only those after which it was performed alone: at most two deaths
    /// are put down to commands that merely shared a process with the one to blame.
    public var deliveryLimit = 5
    /// A command larger than this, all its fields together, goes to the dead letters. It has room for an input and some
    /// results, of which each may have 256 KiB.
    public var commandBytes = 4 << 20
    /// How long records are kept after the last command of their saga. The protocol asks for 30 days at least.
    public var retention: Duration = .seconds(30 * 86_400)
    /// How often records past their retention are looked for.
    public var purgeInterval: Duration = .seconds(3_600)
    /// Keys by which payloads are encrypted: handlers see them plain, and what they return goes out encrypted. Nil: as
    /// they are. A command whose key is missing here is answered `retry`.
    public var payloadKeys: PayloadKeys?

    public init() {}

    /// What is wrong with the options; nil where nothing is.
    package var fault: String? {
        if let consumer, !Names.isName(consumer) { return "not a consumer's name: \(consumer)" }
        if !(1...10_000).contains(batch) { return "batch must be from 1 to 10,000" }
        if !(1...10_000).contains(readCount) { return "readCount must be from 1 to 10,000" }
        if !(.milliseconds(1) ... .seconds(2)).contains(block) { return "block must be from 1 ms to 2 s" }
        if concurrency < 1 { return "concurrency must be at least 1" }
        if claimAfter <= .zero { return "claimAfter must be longer than nothing" }
        if deliveryLimit < 2 { return "deliveryLimit must be at least 2" }
        if commandBytes < 1 { return "commandBytes must be at least 1" }
        if retention <= .zero || purgeInterval <= .zero { return "retention and purgeInterval must be positive" }
        return nil
    }
}

/// A participant that cannot go on.
public enum ParticipantError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The namespace follows a protocol that this version does not know.
    case unsupportedProtocol(namespace: String, found: String)
    /// The namespace's meta key holds what no orchestrator writes.
    case invalidNamespace(namespace: String, reason: String)

    public var description: String {
        switch self {
        case .unsupportedProtocol(let namespace, let found):
            "namespace \(namespace) follows protocol \(found); this participant knows protocol 1: update it"
        case .invalidNamespace(let namespace, let reason):
            "namespace \(namespace) is damaged: \(reason)"
        }
    }
}
