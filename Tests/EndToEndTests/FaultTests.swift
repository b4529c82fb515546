import LocalRedis
import RedisTransport
import SagaClient
import SagaCore
import SagaRedis
import Testing

/// A real server in trouble, and owners that come and go, while sagas run.
@Suite("Faults", .serialized)
struct FaultTests {
    private let sagas = (0..<200).map { "s-\($0)" }

    /// Every saga ended as it had to, and each effect stands once or not at all.
    private func audit(_ shop: Shop, refused: Set<String>) async {
        let ends = await shop.ends(of: sagas)
        for saga in sagas {
            let isRefused = refused.contains(saga)
            #expect(ends[saga] == (isRefused ? .compensated : .completed), "\(saga)")
            #expect(shop.effects(of: saga) == (isRefused ? [0, 0, 0] : [1, 1, 1]), "\(saga)")
        }
    }

    private func run(
        _ options: LocalRedisServer.Options = .init(), orchestrators: Int = 1,
        trouble: @escaping @Sendable (LocalRedisServer) async throws -> Void
    ) async throws {
        let (sagas, refused) = (sagas, Set(sagas.enumerated().filter { $0.offset % 5 == 0 }.map(\.element)))
        try await withLocalRedis(options) { redis in
            let shop = Shop(redis, refused: refused)
            try await shop.run(orchestrators: orchestrators) {
                try await shop.register()
                try await shop.start(Array(sagas.prefix(100)))
                try await trouble(redis)
                try await shop.start(sagas)
                try await trouble(redis)
                try await shop.untilEnded(sagas)
            }
            await audit(shop, refused: refused)
            await shop.client.close()
        }
    }

    @Test func aKilledServerWithAnAppendOnlyFileLosesNothing() async throws {
        try await run(.init(appendOnly: .always)) { redis in
            redis.kill()
            try await redis.restart()
        }
    }

    @Test func cutConnectionsAndForgottenScriptsAreMadeUpFor() async throws {
        try await run { redis in
            let connection = try await RedisConnection.connect(to: redis.endpoint)
            for _ in 0..<10 {
                _ = try await connection.send(RedisCommand("SCRIPT", "FLUSH"))
                _ = try await connection.send(RedisCommand("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
                try await Task.sleep(for: .milliseconds(30))
            }
            await connection.close()
        }
    }

    @Test func aFullServerRefusesAndRecovers() async throws {
        try await run { redis in
            let connection = try await RedisConnection.connect(to: redis.endpoint)
            _ = try await connection.send(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
            try await Task.sleep(for: .milliseconds(300))
            _ = try await connection.send(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
            await connection.close()
        }
    }

    @Test func twoOrchestratorsDoNothingTwice() async throws {
        try await run(orchestrators: 2) { _ in }
    }

    @Test func aFormerOwnersCommitIsRefusedByItsEpoch() async throws {
        try await withLocalRedis { redis in
            let shop = Shop(redis)
            try await shop.run(lease: 300) {
                try await shop.register()
                try await shop.start(["s-0"])
                try await shop.untilEnded(["s-0"])
                // Somebody else takes all partitions, as after a lease that ran out while the owner was frozen.
                let connection = try await RedisConnection.connect(to: redis.endpoint)
                let keys = KeySpace(namespace: "skald", partitions: 4)
                for partition in 0..<4 {
                    var steal = RedisCommand("HSET", keys.state(partition), "owner", "thief", "epoch", "999")
                    steal.append("until")
                    steal.append("0")
                    _ = try await connection.send(steal)
                }
                await connection.close()
                // The orchestrator notices, and takes them again under a still higher epoch.
                try await shop.start(["s-1"])
                try await shop.untilEnded(["s-1"])
            }
            #expect(shop.effects(of: "s-1") == [1, 1, 1])
            await shop.client.close()
        }
    }
}
