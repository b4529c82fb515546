public import RedisTransport
public import SagaCore
public import SagaRedis
public import SagaStore
public import SagaWire

/// A namespace on a Redis server.
public struct RedisNamespace: TestNamespace {
    public let endpoint: RedisEndpoint
    public let keys: KeySpace
    public let redis: RedisSagaStore
    public var store: any SagaStore { redis }
    /// The test's own connection.
    public let client: RedisRouter

    /// Opens a namespace.
    public init(
        at endpoint: RedisEndpoint, namespace: String = "test", partitions: Int = 2,
        options: RedisSagaStore.Options = RedisSagaStore.Options()
    ) async throws {
        self.endpoint = endpoint
        redis = RedisSagaStore(endpoint: endpoint, namespace: namespace, options: options, logger: quietLogger)
        let count = try await redis.open(partitions: partitions)
        keys = KeySpace(namespace: namespace, partitions: count)
        client = RedisRouter(endpoint: endpoint, logger: quietLogger)
    }

    public func close() async {
        await client.close()
        await redis.close()
    }

    @discardableResult
    public func append(_ fields: Fields, to stream: InboxStream, of partition: Int) async throws -> String {
        var command = RedisCommand("XADD", keys.inbox(stream, of: partition), "*")
        command.append(fields)
        return try await client.send(command).value.string ?? ""
    }

    public func commandSource(of service: String) -> any CommandSource {
        RedisCommandSource(router: client, keys: keys, service: service)
    }

    public func commands(of service: String, in partition: Int) async throws -> [TestEntry] {
        try await entries(of: keys.command(partition, service: service))
    }

    public func inbox(_ stream: InboxStream, of partition: Int) async throws -> [TestEntry] {
        try await entries(of: keys.inbox(stream, of: partition))
    }

    public func outcomes(of partition: Int) async throws -> [TestEntry] {
        try await entries(of: keys.outcome(partition))
    }

    public func deadLetters(of partition: Int) async throws -> [TestEntry] {
        try await entries(of: keys.dead(partition))
    }

    public func log(of saga: String, in partition: Int) async throws -> [[UInt8]] {
        let reply = try await client.send(RedisCommand("LRANGE", keys.log(partition, saga: saga), "0", "-1")).value
        return (0..<reply.count).map { reply[$0].bytes ?? [] }
    }

    public func openSagas(of partition: Int) async throws -> [String: Milliseconds] {
        try await members(of: keys.open(partition))
    }

    public func endedSagas(of partition: Int) async throws -> [String: Milliseconds] {
        try await members(of: keys.ended(partition))
    }

    public func sagas(in index: SagaIndex, of partition: Int) async throws -> [String: Milliseconds] {
        try await members(of: keys.index(partition, index))
    }

    public func logExpiry(of saga: String, in partition: Int) async throws -> Milliseconds? {
        let reply = try await client.send(RedisCommand("PEXPIRETIME", keys.log(partition, saga: saga)))
        return reply.value.integer.flatMap { $0 < 0 ? nil : $0 }
    }

    public func hastenRemovals() async throws {
        for partition in 0..<keys.partitions {
            for saga in try await endedSagas(of: partition).keys {
                _ = try await client.send(RedisCommand("ZADD", keys.ended(partition), "1", saga))
            }
        }
    }

    public func changeServer() async throws {
        for partition in 0..<keys.partitions {
            _ = try await client.send(RedisCommand("HSET", keys.state(partition), "run_id", "another"))
        }
    }

    private func members(of key: String) async throws -> [String: Milliseconds] {
        let reply = try await client.send(RedisCommand("ZRANGE", key, "0", "-1", "WITHSCORES")).value
        var members: [String: Milliseconds] = [:]
        for index in stride(from: 0, to: reply.count, by: 2) {
            let score = reply[index + 1].string.flatMap(Double.init) ?? 0
            members[reply[index].string ?? ""] = Milliseconds(exactly: score) ?? .max
        }
        return members
    }

    /// All entries of a stream.
    public func entries(of key: String) async throws -> [TestEntry] {
        let reply = try await client.send(RedisCommand("XRANGE", key, "-", "+")).value
        return (0..<reply.count).map { index in
            var fields = Fields()
            let values = reply[index][1]
            for field in stride(from: 0, to: values.count, by: 2) {
                fields.append("", suffix: values[field].string ?? "", values[field + 1].bytes ?? [])
            }
            return TestEntry(id: reply[index][0].string ?? "", fields: fields)
        }
    }
}

extension KeySpace {
    /// An inbox stream's key.
    func inbox(_ stream: InboxStream, of partition: Int) -> String {
        switch stream {
        case .reply: reply(partition)
        case .control: control(partition)
        case .intake: intake(partition)
        case .event(let topic): event(partition, topic: topic)
        }
    }
}
