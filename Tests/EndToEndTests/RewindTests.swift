import Foundation
import LocalRedis
import RedisTransport
import SagaClient
import SagaCore
import Testing

/// A server that comes back without its newest writes, while the services' books still have what it forgot.
@Suite("A lost suffix", .serialized)
struct RewindTests {
    @Test(arguments: [UInt64.random(in: 0...9_999), 7, 42])
    func everySagaEndsAllOrNothing(seed: UInt64) async throws {
        var random = Seeded(state: seed)
        let sagas = (0..<60).map { "s-\(seed)-\($0)" }
        let refused = Set(sagas.filter { _ in random.next() % 3 == 0 })
        // How many sagas have ended when the file is written, and how many more when the server is killed.
        let (saved, killed) = (Int(random.next() % 20), 20 + Int(random.next() % 30))
        let file = FileManager.default.temporaryDirectory.appending(path: "skald-rewind-\(UUID().uuidString).rdb")
        // What cannot be removed stays in the system's temporary directory, and harms nobody.
        defer { try? FileManager.default.removeItem(at: file) }

        try await withLocalRedis { redis in
            let shop = Shop(redis, refused: refused)
            try await shop.run {
                // The namespace is there as soon as an orchestrator has opened it; starting waits for that.
                try await shop.register()
                try await shop.start(Array(sagas.prefix(40)))
                try await shop.untilEnded(sagas, atLeast: saved)
                try await Self.save(redis, to: file)
                try await shop.start(Array(sagas.suffix(20)))
                try await shop.untilEnded(sagas, atLeast: killed)

                redis.kill()
                let dump = URL(filePath: redis.directory).appending(path: "dump.rdb")
                if FileManager.default.fileExists(atPath: dump.path) { try FileManager.default.removeItem(at: dump) }
                try FileManager.default.copyItem(at: file, to: dump)
                try await redis.restart()

                try await shop.start(sagas)
                try await shop.untilEnded(sagas)
            }
            let ends = await shop.ends(of: sagas)
            for saga in sagas {
                let effects = shop.effects(of: saga)
                switch ends[saga] {
                case .completed: #expect(effects == [1, 1, 1], "\(saga), seed \(seed): completed")
                case .compensated: #expect(effects == [0, 0, 0], "\(saga), seed \(seed): compensated")
                default: Issue.record("\(saga), seed \(seed): \(String(describing: ends[saga]))")
                }
                #expect(refused.contains(saga) == (ends[saga] == .compensated), "\(saga), seed \(seed)")
            }
            await shop.client.close()
        }
    }

    private static func save(_ redis: LocalRedisServer, to file: URL) async throws {
        let connection = try await RedisConnection.connect(to: redis.endpoint)
        _ = try await connection.send(RedisCommand("SAVE"))
        await connection.close()
        try FileManager.default.copyItem(at: URL(filePath: redis.directory).appending(path: "dump.rdb"), to: file)
    }

    private struct Seeded {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }
}
