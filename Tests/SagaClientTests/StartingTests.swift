import LocalRedis
import RedisTransport
import SagaClient
import SagaCore
import SagaRedis
import SagaTesting
import SagaWire
import Testing

@Suite struct StartingTests {
    /// The numbers of messages in each entry of the intake, of all partitions.
    private func entries(_ fixture: Fixture) async throws -> [[String]] {
        var entries: [[String]] = []
        for partition in 0..<fixture.namespace.keys.partitions {
            for entry in try await fixture.namespace.inbox(.intake, of: partition) {
                let messages = entry.fields.withViews { InboxMessage.decode(entry: $0, of: .intake) }
                entries.append(try messages.map { try $0.content.get().saga })
            }
        }
        return entries
    }

    @Test func manyStartsShareEntriesAndEachGoesToItsPartition() async throws {
        try await withFixture { fixture in
            let sagas = (0..<300).map { "s\($0)" }
            try await fixture.client.start(sagas.map { start($0) })
            let entries = try await entries(fixture)
            #expect(entries.flatMap(\.self).sorted() == sagas.sorted())
            #expect(entries.allSatisfy { $0.count <= 64 })
            #expect(entries.count < 10)
            for saga in sagas {
                let partition = fixture.namespace.keys.partition(of: saga)
                #expect(entries.contains { $0.contains(saga) && fixture.scenario.partition(of: $0[0]) == partition })
            }
        }
    }

    @Test func largeMessagesDoNotShareAnEntry() async throws {
        try await withFixture(partitions: 1) { fixture in
            let input = #"""# + String(repeating: "x", count: 120_000) + #"""#
            try await fixture.client.start((0..<3).map { start("s\($0)", input: input) })
            #expect(try await entries(fixture) == [["s0"], ["s1"], ["s2"]])
        }
    }

    @Test func whatTheCoordinatorWouldBuryIsRefusedAndNothingIsSent() async throws {
        try await withFixture { fixture in
            let large = start("s1", input: String(repeating: "x", count: 262_144))
            let nameless = start("s1", "no such name")
            var labelled = start("s1")
            for label in 0..<33 { labelled.labels["label\(label)"] = "x" }
            for message in [large, nameless, labelled, start("no id"), start("")] {
                let failure = await error { () async throws(ClientError) in
                    try await fixture.client.start([start("good"), message])
                }
                guard case .refused(let reason) = failure else {
                    Issue.record("not refused: \(message.saga) \(message.definition)")
                    continue
                }
                #expect(!reason.contains("\n"))
            }
            let sent = try await entries(fixture)
            #expect(sent == [])
        }
    }

    @Test func aStartWaitsForTheFirstOrchestratorToInitialiseTheNamespace() async throws {
        try await withLocalRedis { server in
            let impatient = SagaClient(endpoint: server.endpoint, namespaceWait: .zero, logger: quietLogger)
            let failure = await error { () async throws(ClientError) in try await impatient.start(start("s1")) }
            #expect(failure == .noNamespace("skald"))
            await impatient.close()

            let client = SagaClient(endpoint: server.endpoint, namespaceWait: .seconds(60), logger: quietLogger)
            async let isStarted: Void = client.start(start("s1"))
            let namespace = try await RedisNamespace(at: server.endpoint, namespace: "skald", partitions: 1)
            try await isStarted
            #expect(try await namespace.inbox(.intake, of: 0).count == 1)
            await client.close()
            await namespace.close()
        }
    }

    @Test func anotherProtocolIsRefused() async throws {
        try await withFixture { fixture in
            _ = try await fixture.send(RedisCommand("HSET", "{test}:meta", "protocol", "2"))
            let failure = await error { () async throws(ClientError) in try await fixture.client.start(start("s1")) }
            #expect(failure == .refused("namespace 'test' has protocol 2, this version speaks 1"))
        }
    }

    @Test func aServerOutOfReachIsToldFromOneThatRefuses() async throws {
        try await withLocalRedis { server in
            let client = SagaClient(endpoint: server.endpoint, logger: quietLogger)
            server.kill()
            let failure = await error { () async throws(ClientError) in try await client.list() }
            guard case .unreachable = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
            await client.close()
        }
        try await withLocalRedis { server in
            let admin = try await RedisConnection.connect(to: server.endpoint)
            _ = try await admin.send(RedisCommand("ACL", "SETUSER", "default", "-hmget"))
            let client = SagaClient(endpoint: server.endpoint, logger: quietLogger)
            let failure = await error { () async throws(ClientError) in try await client.list() }
            guard case .refused = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
            await client.close()
            await admin.close()
        }
    }

    @Test func aDefinitionIsRegisteredOnceAndNeverChanges() async throws {
        try await withLocalRedis { server in
            // On a server that no orchestrator has seen.
            let client = SagaClient(endpoint: server.endpoint, logger: quietLogger)
            let definition = try Definition(validating: order)
            #expect(try await client.register(definition))
            #expect(try await client.register(definition))
            var changed = order
            changed.steps[0].timeout = 1_000
            #expect(try await !client.register(try Definition(validating: changed)))
            changed.version = 2
            let second = try Definition(validating: changed)
            #expect(try await client.register(second))
            #expect(try await client.definitions() == [definition, second])
            await client.close()
        }
    }
}
