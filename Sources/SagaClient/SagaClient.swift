public import Logging
public import RedisTransport
import SagaCore
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
    let client: RedisRouter
    let endpoint: RedisEndpoint
    let logger: Logger
    /// Seals what is sent, and opens what is shown.
    let payloadKeys: PayloadKeys?
    private let namespaceWait: Duration
    private let keySpace = Mutex<KeySpace?>(nil)
    let seenOverload = Mutex<(overload: Overload?, at: ContinuousClock.Instant)?>(nil)
    let definitionCache = Mutex<[String: Definition]>([:])

    /// Connects when it is first used.
    ///
    /// - Parameters:
    ///   - endpoint: The Redis server.
    ///   - namespace: 1 to 32 of `a-z`, `0-9` and `-`; anything else is a programmer's mistake.
    ///   - namespaceWait: How long starts and waits give the first orchestrator to initialise the namespace.
    ///   - payloadKeys: Keys by which inputs, signals and results are encrypted; nil: they are sent as they are.
    ///   - logger: Told when the connection is lost and when it is back.
    public init(
        endpoint: RedisEndpoint, namespace: String = "skald", namespaceWait: Duration = .seconds(5),
        payloadKeys: PayloadKeys? = nil, logger: Logger
    ) {
        precondition(Names.isNamespace(namespace), "not a namespace: \(namespace)")
        self.namespace = namespace
        self.namespaceWait = namespaceWait
        self.endpoint = endpoint
        self.logger = logger
        self.payloadKeys = payloadKeys
        // Whoever waits in front of a terminal wants to know soon that nobody is there.
        var options = ConnectionOptions()
        options.connectTimeout = .seconds(2)
        options.name = "skald-client"
        client = RedisRouter(endpoint: endpoint, options: options, logger: logger)
    }

    /// Ends the client's connection. The client cannot be used again.
    public func close() async { await client.close() }

    // MARK: Starting and signalling

    /// Asks for a saga. Returns when the wish is in the intake stream; see ``wait(for:timeout:)`` for the end.
    ///
    /// Redis: O(1).
    public func start(_ message: StartMessage) async throws(ClientError) {
        try await start([message])
    }

    /// Asks for many sagas, in one transaction for each partition, several messages an entry.
    ///
    /// Where one cannot be, none is sent; likewise, with ``ClientError/overloaded(_:)``, where Redis' memory is nearly used
    /// up. After ``ClientError/unreachable(_:)`` a part of the partitions may have theirs.
    /// Redis: O(sagas).
    public func start(_ messages: [StartMessage]) async throws(ClientError) {
        var messages = messages
        for index in messages.indices {
            messages[index].input = try sealed(messages[index].input, of: messages[index].saga)
            let message = messages[index]
            guard Names.isSagaID(message.saga, limit: Names.maxSagaIDLength) else {
                throw .refused("'\(message.saga)' is no saga id: use 1 to 128 of A-Z a-z 0-9 . _ : @ / -")
            }
            try check(message.fields, for: .intake)
        }
        let keys = try await keys(waiting: true)
        if let overload = try await overload() { throw .overloaded(overload.description) }
        for (partition, group) in Dictionary(grouping: messages, by: { keys.partition(of: $0.saga) }) {
            try await add(group.map(\.fields), to: keys.intake(partition))
        }
    }

    /// Sends a signal to a started saga. It is kept where no step waits for it yet.
    ///
    /// Redis: O(1).
    public func signal(_ message: SignalMessage) async throws(ClientError) {
        var message = message
        message.payload = try sealed(message.payload, of: message.saga)
        try check(message.fields, for: .intake)
        let keys = try await keys()
        try await add([message.fields], to: keys.intake(keys.partition(of: message.saga)))
    }

    /// A payload as it goes to Redis.
    func sealed(_ payload: [UInt8], of saga: String) throws(ClientError) -> [UInt8] {
        guard let payloadKeys else { return payload }
        do {
            return try payloadKeys.seal(payload, of: saga)
        } catch {
            throw .refused(error.description)
        }
    }

    /// Reads a message as the coordinator will: what would go to the dead letters, where its sender doesn't look, is
    /// refused here.
    func check(_ message: Fields, for stream: InboxStream) throws(ClientError) {
        let decoded = message.withViews { InboxMessage.decode(entry: $0, of: stream) }
        for message in decoded {
            if case .failure(let reason) = message.content { throw .refused(reason.sentence) }
        }
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
        _ = try await asking { () async throws(RedisError) in
            commands.count == 1 ? try await client.send(commands[0]) : try await client.transaction(commands)
        }
    }

    // MARK: The namespace

    /// The namespace's keys, once an orchestrator has initialised it.
    ///
    /// - Parameter waiting: Whether to wait for that a while.
    func keys(waiting: Bool = false) async throws(ClientError) -> KeySpace {
        let end = ContinuousClock.now + namespaceWait
        while true {
            do throws(ClientError) {
                return try await readKeys()
            } catch {
                guard case .noNamespace = error, waiting, ContinuousClock.now < end else { throw error }
                do {
                    try await Task.sleep(for: .milliseconds(50))
                } catch _ {
                    throw error
                }
            }
        }
    }

    private func readKeys() async throws(ClientError) -> KeySpace {
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
}
