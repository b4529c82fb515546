import Foundation
import LocalRedis
import RedisTransport
import SagaTesting
import Testing

/// Durability as a user asks for it and hears of it.
@Suite("Durability, by the command")
struct DurabilityTests {
    @Test func itRefusesAServerThatCannotConfirm() async throws {
        try await withLocalRedis(.init(appendOnly: .everysec)) { redis in
            let result = try await Program(redis: redis.url).run("orchestrator", "--durability", "replicated")
            #expect(result.code == 1)
            #expect(result.errors.contains("the Redis server cannot confirm writes: it has no replica, and"))
            for wrong in ["sync", "async:2", "replicated:0", "replicated:x"] {
                #expect(try await Program(redis: redis.url).run("orchestrator", "--durability", wrong).code == 64)
            }
        }
    }

    /// Calls `body` with the path of a definition file.
    private func withDefinition(_ body: (String) async throws -> Void) async throws {
        try await withDirectory { directory in
            let file = directory.appending(path: "pay.yaml").path
            let text = "name: pay\nversion: 1\nsteps: [{name: charge, service: s, action: charge, pivot: true}]\n"
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            try await body(file)
        }
    }

    @Test func whatCannotBeConfirmedIsSaid() async throws {
        try await withDefinition { file in try await checkDoctor(file) }
    }

    private func checkDoctor(_ file: String) async throws {
        try await withLocalRedis(.init(appendOnly: .everysec)) { redis in
            let skald = Program(redis: redis.url)
            #expect(try await skald.run("apply", file).code == 0)
            #expect(try await skald.run("doctor").output.contains("pay@1: durability replicated is treated as async"))
            let admin = try await RedisConnection.connect(to: redis.endpoint)
            _ = try await admin.send(RedisCommand("CONFIG", "SET", "appendfsync", "always"))
            await admin.close()
            #expect(try await skald.run("doctor").output.contains("the disk confirms what pay@1 must not lose"))
        }
    }

    @Test func applyReturnsWhenAReplicaHasIt() async throws {
        try await withDefinition { file in try await checkApply(file) }
    }

    private func checkApply(_ file: String) async throws {
        try await withReplica { master, replica in
            let skald = Program(redis: master.url)
            #expect(try await skald.run("apply", file).code == 0)
            let connection = try await RedisConnection.connect(to: replica.endpoint)
            let there = RedisCommand("HEXISTS", "{skald}:definitions", "pay@1")
            #expect(try await connection.send(there).value.integer == 1)
            await connection.close()
        }
    }
}
