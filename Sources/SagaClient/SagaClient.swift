public import Logging
public import RedisTransport
public import SagaCore
import SagaRedis
import SagaStore
public import SagaWire
import Synchronization

/// Starts, follows, asks about and steers sagas, through Redis alone: the orchestrators need not be reachable.
///
/// All calls may be made from any task at any time. Starting is idempotent by the saga's id; after an
/// ``ClientError/unreachable(_:)`` a start may be repeated as it is.
public final class SagaClient: Sendable {
    public let namespace: String
    let client: RedisClient
    let endpoint: RedisEndpoint
    let logger: Logger
    private let keySpace = Mutex<KeySpace?>(nil)
    private let definitionCache = Mutex<[String: Definition]>([:])

    /// - Precondition: `namespace` is allowed by ``Names/isNamespace(_:)``.
    public init(endpoint: RedisEndpoint, namespace: String = "skald", logger: Logger) {
        precondition(Names.isNamespace(namespace), "not a namespace: \(namespace)")
        self.namespace = namespace
        self.endpoint = endpoint
        self.logger = logger
        // Whoever waits in front of a terminal wants to know soon that nobody is there.
        var options = ConnectionOptions()
        options.connectTimeout = .seconds(2)
        client = RedisClient(endpoint: endpoint, options: options, logger: logger)
    }

    /// Ends the client's connection.
    public func close() async { await client.close() }

    // MARK: Starting and signalling

    /// Asks for a saga. Returns when the wish is in the intake stream; see ``wait(for:timeout:)`` for the end.
    ///
    /// Redis: O(1).
    public func start(_ message: StartMessage) async throws(ClientError) {
        try await start([message])
    }

    /// Asks for many sagas, in one transaction for each partition.
    ///
    /// Redis: O(sagas).
    public func start(_ messages: [StartMessage]) async throws(ClientError) {
        let keys = try await keys()
        for message in messages where !Names.isSagaID(message.saga, limit: Names.maxSagaIDLength) {
            throw .refused("'\(message.saga)' is no saga id: use 1 to 128 of A-Z a-z 0-9 . _ : @ / -")
        }
        for (partition, group) in Dictionary(grouping: messages, by: { keys.partition(of: $0.saga) }) {
            try await add(group.map(\.fields), to: keys.intake(partition))
        }
    }

    /// Sends a signal to a started saga. It is kept where no step waits for it yet.
    public func signal(_ message: SignalMessage) async throws(ClientError) {
        let keys = try await keys()
        try await add([message.fields], to: keys.intake(keys.partition(of: message.saga)))
    }

    /// Bounds of one entry that carries several messages.
    private static let (messagesPerEntry, bytesPerEntry) = (64, 196_608)

    func add(_ messages: [Fields], to stream: String) async throws(ClientError) {
        var entries: [Fields] = []
        var count = 0
        for message in messages {
            if let last = entries.last, count < Self.messagesPerEntry,
                last.bytes.count + message.bytes.count <= Self.bytesPerEntry
            {
                entries[entries.count - 1].append(contentsOf: message)
                count += 1
            } else {
                entries.append(message)
                count = 1
            }
        }
        let commands = entries.map { fields in
            var command = RedisCommand("XADD", stream, "*")
            command.append(fields)
            return command
        }
        _ = try await asking { () async throws(RedisError) in try await client.transaction(commands) }
    }

    // MARK: The namespace

    /// The namespace's keys, once an orchestrator has initialised it.
    func keys() async throws(ClientError) -> KeySpace {
        if let keys = keySpace.withLock({ $0 }) { return keys }
        let command = RedisCommand("HMGET", KeySpace.meta(of: namespace), "partitions", "protocol")
        let reply = try await asking { () async throws(RedisError) in try await client.send(command) }.value
        guard let partitions = reply[0].string.flatMap(Int.init), partitions > 0 else {
            throw .noNamespace(namespace)
        }
        guard reply[1].string == RedisSagaStore.protocolVersion else {
            throw .refused(
                "namespace '\(namespace)' has protocol \(reply[1].string ?? "unknown"), this version speaks "
                    + RedisSagaStore.protocolVersion)
        }
        let keys = KeySpace(namespace: namespace, partitions: partitions)
        keySpace.withLock { $0 = keys }
        return keys
    }

    // MARK: Definitions

    /// Registers a definition; works on a namespace that no orchestrator has initialised yet.
    ///
    /// - Returns: False where the name and version are registered with other content.
    public func register(_ definition: Definition) async throws(ClientError) -> Bool {
        let store = RedisSagaStore(endpoint: endpoint, namespace: namespace, logger: logger)
        defer { definitionCache.withLock { $0[definition.id] = nil } }
        do {
            let isRegistered = try await store.register(id: definition.id, canonical: definition.canonicalJSON)
            await store.close()
            return isRegistered
        } catch {
            throw error.code == .unavailable ? .unreachable(error.message) : .refused(error.message)
        }
    }

    /// All registered definitions, by name and version.
    public func definitions() async throws(ClientError) -> [Definition] {
        let command = RedisCommand("HVALS", KeySpace.definitions(of: namespace))
        let reply = try await asking { () async throws(RedisError) in try await client.send(command) }.value
        var definitions: [Definition] = []
        for index in 0..<reply.count {
            do {
                definitions.append(try Definition.decode(canonical: reply[index].bytes ?? []))
            } catch {
                throw .unreadable("a registered definition cannot be read: \(error)")
            }
        }
        return definitions.sorted { ($0.name, $0.version) < ($1.name, $1.version) }
    }

    /// Looks up one definition; a registered one never changes, so it is read once.
    func definition(_ name: String, _ version: Int) async throws(ClientError) -> Definition? {
        let id = "\(name)@\(version)"
        if let known = definitionCache.withLock({ $0[id] }) { return known }
        let command = RedisCommand("HGET", KeySpace.definitions(of: namespace), id)
        let reply = try await asking { () async throws(RedisError) in try await client.send(command) }
        guard let canonical = reply.value.bytes else { return nil }
        do {
            let definition = try Definition.decode(canonical: canonical)
            definitionCache.withLock { $0[id] = definition }
            return definition
        } catch {
            throw .unreadable("definition \(id) cannot be read: \(error)")
        }
    }
}
