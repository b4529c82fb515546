import RedisTransport
import SagaCore
public import SagaStore

/// Every Redis key of a namespace. The only place that spells keys.
///
/// All keys of one partition share its hash tag, `{NS:P}`, so they lie in one Redis Cluster slot and one script can
/// change them together.
public struct KeySpace: Sendable, Hashable {
    public let namespace: String
    public let partitions: Int
    private let tags: [String]

    /// - Precondition: `namespace` is allowed by ``Names/isNamespace(_:)`` and there is at least one partition.
    public init(namespace: String, partitions: Int) {
        precondition(Names.isNamespace(namespace), "not a namespace: \(namespace)")
        precondition(partitions > 0, "a namespace has at least one partition, not \(partitions)")
        self.namespace = namespace
        self.partitions = partitions
        tags = (0..<partitions).map { "{\(namespace):\($0)}:" }
    }

    /// The partition of a saga: CRC-16/XMODEM of its routing key, modulo the number of partitions.
    public func partition(of saga: String) -> Int {
        Int(crc16(Names.routingKey(of: saga).utf8)) % partitions
    }

    // MARK: the namespace's own keys

    /// Hash: `partitions`, `protocol`, `incarnation`.
    public static func meta(of namespace: String) -> String { "{\(namespace)}:meta" }
    public var meta: String { Self.meta(of: namespace) }
    /// Hash: `name@version` to the definition's canonical JSON.
    public static func definitions(of namespace: String) -> String { "{\(namespace)}:definitions" }
    public var definitions: String { Self.definitions(of: namespace) }
    /// Hash: each orchestrator's instance to its last heartbeat.
    public static func members(of namespace: String) -> String { "{\(namespace)}:members" }
    public var members: String { Self.members(of: namespace) }
    /// String: the secret of the reply tokens, where no other is configured.
    public static func secret(of namespace: String) -> String { "{\(namespace)}:secret" }
    public var secret: String { Self.secret(of: namespace) }

    // MARK: a partition's keys

    public func intake(_ partition: Int) -> String { tags[partition] + "intake" }
    public func reply(_ partition: Int) -> String { tags[partition] + "reply" }
    public func control(_ partition: Int) -> String { tags[partition] + "control" }
    public func command(_ partition: Int, service: String) -> String { tags[partition] + "cmd:" + service }
    public func event(_ partition: Int, topic: String) -> String { tags[partition] + "event:" + topic }
    public func outcome(_ partition: Int) -> String { tags[partition] + "outcome" }
    public func dead(_ partition: Int) -> String { tags[partition] + "dead" }
    /// Hash: owner and its instance, epoch, lease, commit sequence, positions in the inbox and in topics, era, the server's identity.
    public func state(_ partition: Int) -> String { tags[partition] + "state" }
    /// Sorted set: sagas that are not ended, by the instant to look at them next.
    public func open(_ partition: Int) -> String { tags[partition] + "open" }
    /// Sorted set: ended sagas, by the instant of their removal.
    public func ended(_ partition: Int) -> String { tags[partition] + "ended" }
    /// List: the log of one saga; after its removal, its tombstone.
    public func log(_ partition: Int, saga: String) -> String { tags[partition] + "log:" + saga }
    /// Sorted set: sagas by the instant of their start.
    public func index(_ partition: Int, _ index: SagaIndex) -> String {
        switch index {
        case .definition(let name): tags[partition] + "by:definition:" + name
        // A name of a label has no `=`, and whatever stands behind the first braces of a key is not its tag.
        case .label(let name, let value): tags[partition] + "by:label:" + name + "=" + value
        case .status(let status): tags[partition] + "by:status:" + status.rawValue
        }
    }
}
