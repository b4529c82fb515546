public import Logging
public import RedisTransport
package import SagaCore
import SagaScripts
public import SagaStore
import Synchronization

/// The store on Redis: logs, alarms and streams of one namespace, changed by atomic scripts only.
public final class RedisSagaStore: SagaStore {
    public struct Options: Sendable {
        /// Accept a server that may evict keys. Sagas vanish without an error there.
        public var allowsEviction = false
        /// Whether to ask for the server's settings (`CONFIG GET appendfsync`), to know whether it confirms writes without
        /// replicas. Nil: where nobody logs in by name. Users of their own seldom have that right, and each refusal is an
        /// entry of the server's ACL log.
        public var looksAtSettings: Bool?
        public var connection = ConnectionOptions()

        public init() {}
    }

    /// The version of the wire protocol that this store speaks.
    public static let protocolVersion = "1"
    /// Partitions of a new namespace where nobody asks for another number.
    public static let defaultPartitions = 16
    public static let maxPartitions = 16_384

    /// The scripts that orchestrators and clients load.
    package static var scripts: [RedisScript] { SagaScripts.all.map(RedisScript.init) }

    public let endpoint: RedisEndpoint
    public let namespace: String
    private let options: Options
    let logger: Logger
    let client: RedisRouter
    /// Prepared once: its digest is needed several times a second.
    private let memberBeat = RedisScript(SagaScripts.memberBeat)
    private let keySpace = Mutex<KeySpace?>(nil)

    public init(endpoint: RedisEndpoint, namespace: String, options: Options = Options(), logger: Logger) {
        self.endpoint = endpoint
        self.namespace = namespace
        self.options = options
        self.logger = logger
        // Whoever works on the store says that it fails: once, and not once for each of its connections.
        var connectionLogger = logger
        connectionLogger.logLevel = max(.error, logger.logLevel)
        client = RedisRouter(endpoint: endpoint, options: options.connection, logger: connectionLogger)
    }

    /// Opens the namespace, after a look at whether the server can keep a saga log at all.
    public func open(partitions: Int?) async throws(StoreError) -> Int {
        if let partitions, !(1...Self.maxPartitions).contains(partitions) {
            throw StoreError(.refused, .notApplied, "a namespace has 1 to \(Self.maxPartitions) partitions")
        }
        try await checkRights(KeySpace(namespace: namespace, partitions: 1))
        try await checkServer()
        try await createPartitions(partitions ?? Self.defaultPartitions)
        let stored = try await meta(partitions ?? Self.defaultPartitions).value
        guard stored[1].string == Self.protocolVersion else {
            throw StoreError(
                .refused, .notApplied,
                "namespace '\(namespace)' has protocol \(stored[1].string ?? "unknown"), this version speaks "
                    + "\(Self.protocolVersion): use a matching version of skald or another namespace")
        }
        guard let count = stored[0].string.flatMap(Int.init), (1...Self.maxPartitions).contains(count) else {
            throw StoreError(.corrupt, .notApplied, "\(KeySpace.meta(of: namespace)) has no usable partition count")
        }
        if let partitions, partitions != count {
            throw StoreError(
                .refused, .notApplied,
                "namespace '\(namespace)' has \(count) partitions, not \(partitions): the number is fixed when a "
                    + "namespace is first used")
        }
        keySpace.withLock { $0 = KeySpace(namespace: namespace, partitions: count) }
        return count
    }

    /// What the namespace was opened with; opens it where it is new. A full server can be worked on where it is not.
    private func meta(_ partitions: Int) async throws(StoreError) -> RedisReply {
        let key = KeySpace.meta(of: namespace)
        return try await translating { () async throws(RedisError) in
            let stored = try await client.send(RedisCommand("HMGET", key, "partitions", "protocol", "incarnation"))
            guard stored.value[0].isNull else { return stored }
            return try await client.evaluate(RedisScript(SagaScripts.namespaceOpen), keys: [key]) { command in
                command.append(partitions)
                command.append(Self.protocolVersion)
                command.append(String(UInt64.random(in: .min ... .max), radix: 16))
            }
        }
    }

    /// Begins the histories of a new namespace's partitions. They come before the namespace's own key, which everybody
    /// waits for: where that is, a partition without a state has lost it.
    private func createPartitions(_ count: Int) async throws(StoreError) {
        try await translating { () async throws(RedisError) in
            let partitions = RedisCommand("HGET", KeySpace.meta(of: namespace), "partitions")
            guard try await client.send(partitions).value.isNull else { return }
            let keys = KeySpace(namespace: namespace, partitions: count)
            let script = RedisScript(SagaScripts.partitionCreate)
            try await client.load([script])
            let pending = (0..<count).map { client.submit(script, keys: [keys.state($0)]) }
            for reply in pending { _ = try await reply.get() }
        }
    }

    private func checkServer() async throws(StoreError) {
        let replies = try await translating { () async throws(RedisError) in
            try await client.sendToEach(RedisCommand("INFO", "memory"))
        }
        let policies = replies.compactMap { ServerInfo($0)["maxmemory_policy"] }
        guard let policy = policies.first(where: { $0 != "noeviction" }) else { return }
        guard options.allowsEviction else {
            throw StoreError(
                .refused, .notApplied,
                "the Redis server at \(endpoint.redacted) may evict keys (maxmemory-policy \(policy)), and sagas "
                    + "with them: set it to noeviction, or pass --allow-eviction")
        }
        logger.warning("the Redis server may evict sagas", metadata: ["maxmemory_policy": "\(policy)"])
    }

    public func definitions() async throws(StoreError) -> [[UInt8]] {
        var command = RedisCommand("HVALS")
        command.append(KeySpace.definitions(of: namespace))
        let reply = try await translating { () async throws(RedisError) in try await client.send(command) }.value
        return (0..<reply.count).compactMap { reply[$0].bytes }
    }

    public func register(id: String, canonical: [UInt8]) async throws(StoreError) -> Bool {
        let reply = try await translating { () async throws(RedisError) in
            try await client.evaluate(
                RedisScript(SagaScripts.definitionRegister), keys: [KeySpace.definitions(of: namespace)]
            ) { command in
                command.append(id)
                command.append(canonical)
            }
        }
        return reply.value[0].string == "registered"
    }

    /// What became of a definition that was to be registered.
    package enum Registration: Sendable, Hashable {
        /// It is there and, where the server has replicas, one of them has it.
        case registered
        /// It is there, and no replica has said in time that it has it.
        case unconfirmed
        /// Its name and version are there with other content.
        case refused
    }

    /// Registers a definition, and waits for a replica to have it, where there is one and this user may ask.
    package func registerConfirmed(
        id: String, canonical: [UInt8], timeout: Milliseconds
    ) async throws(StoreError) -> Registration {
        try await translating { () async throws(RedisError) in
            // WAIT is about what its own connection wrote.
            let connection = try await client.connection(for: KeySpace.definitions(of: namespace))
            let reply = try await connection.evaluate(
                RedisScript(SagaScripts.definitionRegister), keys: [KeySpace.definitions(of: namespace)]
            ) { command in
                command.append(id)
                command.append(canonical)
            }
            guard reply.value[0].string == "registered" else { return .refused }
            do throws(RedisError) {
                let info = ServerInfo(try await connection.send(RedisCommand("INFO", "everything")))
                guard let count = info["connected_slaves"].flatMap(Int.init), count > 0 else { return .registered }
                let wait = RedisCommand("WAIT", "1", "\(timeout)")
                let confirmed = try await connection.blocking(wait, for: .milliseconds(timeout)).value.integer ?? 0
                return confirmed > 0 ? .registered : .unconfirmed
            } catch {
                guard error.code == .noPermission else { throw error }
                return .registered
            }
        }
    }

    public func secret(proposal: [UInt8]) async throws(StoreError) -> [UInt8] {
        let key = KeySpace.secret(of: namespace)
        var propose = RedisCommand("SET", key)
        propose.append(proposal)
        propose.append("NX")
        let read = RedisCommand("GET", key)
        let commands = [propose, read]
        let stored = try await translating { () async throws(RedisError) -> [UInt8]? in
            // First alone: a full server refuses a transaction that would write.
            if let stored = try await client.send(read).value.bytes { return stored }
            return try await client.transaction(commands).value[1].bytes
        }
        guard let secret = stored, secret.count >= 16 else {
            throw StoreError(.corrupt, .notApplied, "\(key) holds no usable secret")
        }
        return secret
    }

    public func beat(_ heartbeat: Heartbeat) async throws(StoreError) -> [Member] {
        let reply = try await translating { () async throws(RedisError) in
            try await client.evaluate(memberBeat, keys: [KeySpace.members(of: namespace)]) { command in
                for word in MemberRecord.arguments(of: heartbeat) { command.append(word) }
            }
        }
        return MemberRecord.members(reply.value)
    }

    /// - Precondition: The namespace was opened.
    public func session() -> any StoreSession {
        guard let keySpace = keySpace.withLock({ $0 }) else {
            preconditionFailure("a session of a namespace that was not opened")
        }
        var session = RedisSession(client, keys: keySpace)
        session.looksAtSettings = options.looksAtSettings ?? (endpoint.username == nil)
        return session
    }

    public func close() async { await client.close() }
}

extension RedisScript {
    init(_ script: SagaScripts.Script) {
        self.init(name: script.name, source: script.source)
    }
}

/// Runs a Redis call, and turns its error into the store's where the layer changes.
func translating<Result>(
    _ body: () async throws(RedisError) -> Result
) async throws(StoreError) -> Result {
    do throws(RedisError) {
        return try await body()
    } catch {
        throw StoreError(error)
    }
}

extension StoreError {
    /// The store's error for one of Redis.
    package init(_ error: RedisError) {
        let effect: Effect = error.effect == .notApplied ? .notApplied : .indeterminate
        switch error.code {
        case .outOfMemory, .misconf: self.init(.full, effect, error.message)
        case .wrongType: self.init(.corrupt, effect, error.message)
        case .noAuth, .wrongPass, .noPermission, .crossSlot: self.init(.refused, effect, error.message)
        case .moved, .ask:
            self.init(
                .refused, effect, "the server is a node of a Redis Cluster: use redis-cluster:// (\(error.message))")
        default: self.init(.unavailable, effect, error.message)
        }
    }
}
