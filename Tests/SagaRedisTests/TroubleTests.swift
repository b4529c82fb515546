import LocalRedis
import RedisTransport
import SagaCore
import SagaOrchestrator
import SagaRedis
import SagaStore
import SagaTesting
import SagaWire
import Testing

/// Sagas on a server in trouble: they are late, and that is all.
@Suite(.serialized) struct TroubleTests {
    /// Starts sagas, lets `trouble` happen while they run, and expects that each ends as it should.
    private func play(
        _ count: Int, _ options: LocalRedisServer.Options = LocalRedisServer.Options(),
        _ trouble: @escaping @Sendable (LocalRedisServer, Scenario) async throws -> Void
    ) async throws {
        try await withRedisNamespace(partitions: 4, options) { namespace, server in
            let scenario = Scenario(namespace)
            try await scenario.register(orderDraft())
            // A part of the orders is refused at the last step.
            scenario.participants.setPlan { command in
                Behaviour(command.step == "charge" && command.saga.hasSuffix("7") ? .failed : .succeeded)
            }
            let sagas = (0..<count).map { "s\($0)" }
            try await scenario.run {
                for saga in sagas { try await scenario.start(saga) }
                try await eventually("sagas begin to end") { try await scenario.endedCount() > 0 }
                try await trouble(server, scenario)
                try await eventually("all sagas end", within: .seconds(30)) {
                    // The test's own connection may be what is in trouble.
                    (try? await scenario.endedCount()) == count
                }
            }
            #expect(try await scenario.audit(sagas) == [])
            for saga in sagas {
                let expected: Saga.Status = saga.hasSuffix("7") ? .compensated : .completed
                #expect(try await scenario.saga(saga)?.status == expected)
            }
            #expect(try await scenario.openCount() == 0)
            #expect(try await scenario.deadReasons() == [])
        }
    }

    /// A connection that survives what the test does to all others.
    private func withAdmin(
        _ server: LocalRedisServer, _ body: (RedisConnection) async throws -> Void
    ) async throws {
        let admin = try await RedisConnection.connect(to: server.endpoint)
        try await body(admin)
        await admin.close()
    }

    @Test(arguments: [LocalRedisServer.Options.AppendOnly.everysec, .always])
    func aKilledAndRestartedServer(_ appendOnly: LocalRedisServer.Options.AppendOnly) async throws {
        try await play(500, .init(appendOnly: appendOnly)) { server, scenario in
            for _ in 0..<2 {
                server.kill()
                try await Task.sleep(for: .milliseconds(100))
                try await server.restart()
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    @Test(arguments: ["ALL", "WRITE"])
    func aServerThatPauses(_ mode: String) async throws {
        try await play(300) { server, _ in
            try await withAdmin(server) { admin in
                // Longer than the lease.
                _ = try await admin.send(RedisCommand("CLIENT", "PAUSE", "900", mode))
            }
        }
    }

    @Test func aFrozenServer() async throws {
        try await play(300) { server, _ in
            server.freeze()
            try await Task.sleep(for: .milliseconds(900))
            server.thaw()
        }
    }

    @Test func aFullServerThatHasRoomAgain() async throws {
        try await play(300) { server, scenario in
            try await withAdmin(server) { admin in
                _ = try await admin.send(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
                try await eventually("nothing moves") {
                    let count = try await scenario.endedCount()
                    try await Task.sleep(for: .milliseconds(100))
                    return try await scenario.endedCount() == count
                }
                // Partitions are kept all the while.
                try await Task.sleep(for: .milliseconds(700))
                for partition in 0..<4 {
                    let epoch = try await admin.send(
                        RedisCommand("HGET", scenario.namespace.keys.state(partition), "epoch")
                    ).value.string
                    #expect(epoch == "1")
                }
                _ = try await admin.send(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
            }
        }
    }

    @Test func aVanishedOwnersPartitionsAreTakenWithinItsLeaseAndASecond() async throws {
        try await withRedisNamespace(partitions: 4) { namespace, _ in
            let scenario = Scenario(namespace)
            try await scenario.register(orderDraft())
            let session = namespace.store.session()
            let lease: Milliseconds = 1_000
            for partition in 0..<4 {
                let claim = Claim(owner: "gone\(partition)", name: "gone", lease: lease)
                guard case .taken = try await session.take(partition, as: claim, stale: nil) else {
                    Issue.record("not taken")
                    return
                }
            }
            await session.close()
            let start = ContinuousClock.now
            let sagas = (0..<20).map { "s\($0)" }
            try await scenario.run(configure: { $0.lease = 3_000 }) {
                for saga in sagas { try await scenario.start(saga) }
                try await eventually("all partitions are taken") {
                    for partition in 0..<4 {
                        let key = namespace.keys.state(partition)
                        let name = try await namespace.client.send(RedisCommand("HGET", key, "name")).value.string
                        guard name == "o0" else { return false }
                    }
                    return true
                }
                let time = ContinuousClock.now - start
                #expect(time > .milliseconds(lease - 100))
                // A second on a machine that has nothing else to do.
                #expect(time < .milliseconds(lease + 3_000))
                try await eventually("all sagas end") { try await scenario.endedCount() == sagas.count }
            }
            #expect(try await scenario.audit(sagas) == [])
        }
    }
}
