import LocalRedis
import RedisTransport
import Testing

@Suite struct TransactionTests {
    private static let increment = RedisCommand("INCR", "n")

    private static func error(
        _ connection: RedisConnection, _ commands: [RedisCommand], sourceLocation: SourceLocation = #_sourceLocation
    ) async -> RedisError? {
        await failure(
            of: { () async throws(RedisError) in try await connection.transaction(commands) },
            sourceLocation: sourceLocation)
    }

    @Test func allRepliesComeInOneArray() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let reply = try await connection.transaction([Self.increment, RedisCommand("GET", "n"), Self.increment])
            #expect(reply.value.count == 3)
            #expect(reply.value[0].integer == 1)
            #expect(reply.value[1].string == "1")
            #expect(try await connection.transaction([]).value.count == 0)
        }
    }

    @Test func transactionsAndCommandsDoNotMix() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let pending = (0..<100).map { index in
                (
                    connection.submitTransaction([Self.increment, Self.increment]), connection.submit(Self.increment),
                    index
                )
            }
            for (transaction, single, index) in pending {
                let values = try await transaction.get().value
                #expect(values[0].integer == Int64(3 * index + 1) && values[1].integer == Int64(3 * index + 2))
                #expect(try await single.get().value.integer == Int64(3 * index + 3))
            }
        }
    }

    @Test func aRefusedCommandDiscardsAllAndIsNamed() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let error = await Self.error(connection, [Self.increment, RedisCommand("NONSENSE")])
            #expect(error?.message.contains("unknown command") == true)
            #expect(error?.effect == .notApplied)
            _ = try await connection.send(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
            let full = await Self.error(connection, [Self.increment])
            #expect(full?.code == .outOfMemory)
            #expect(full?.effect == .notApplied)
            _ = try await connection.send(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
            #expect(try await connection.send(RedisCommand("EXISTS", "n")).value.integer == 0)
        }
    }

    @Test func errorsWhileItRunsAreElements() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let reply = try await connection.transaction([
                RedisCommand("SET", "a", "x"), RedisCommand("LPUSH", "a", "y"), Self.increment,
            ])
            #expect(reply.value[1].error?.code == .wrongType)
            #expect(reply.value[2].integer == 1)
        }
    }

    @Test func aChangedKeyGivesANull() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let other = try await RedisConnection.connect(to: server.endpoint)
            _ = try await connection.send(RedisCommand("WATCH", "n"))
            _ = try await other.send(Self.increment)
            #expect(try await connection.transaction([Self.increment]).value.isNull)
            #expect(try await connection.send(RedisCommand("GET", "n")).value.string == "1")
        }
    }

    @Test func withoutTheRightToMULTITheFateOfTheCommandsIsUnknown() async throws {
        let users = ["user a on >pw ~* +@all -multi", "user b on >pw ~* -@all +ping"]
        try await withLocalRedis(.init(extra: users)) { server in
            let some = try await RedisConnection.connect(
                to: RedisEndpoint(url: "redis://a:pw@127.0.0.1:\(server.port)"))
            let ran = await Self.error(some, [Self.increment])
            #expect(ran?.code == .noPermission)
            #expect(ran?.effect == .indeterminate)
            #expect(try await some.send(RedisCommand("GET", "n")).value.string == "1", "it ran alone")
            let none = try await RedisConnection.connect(
                to: RedisEndpoint(url: "redis://b:pw@127.0.0.1:\(server.port)"))
            let refused = await Self.error(none, [Self.increment])
            #expect(refused?.code == .noPermission)
            #expect(refused?.effect == .notApplied)
        }
    }

    @Test func aReplicaRefusesWrites() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let pending = connection.submit(RedisCommand("REPLICAOF", "127.0.0.1", "1"))
            _ = try await pending.get()
            let error = await Self.error(connection, [Self.increment])
            #expect(error?.code == .readOnly)
            #expect(error?.effect == .notApplied)
        }
    }
}
