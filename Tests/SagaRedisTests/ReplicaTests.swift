import LocalRedis
import SagaCore
import SagaOrchestrator
import SagaStore
import SagaTesting
import SagaWire
import Testing

/// Durability `replicated` on real servers.
@Suite struct ReplicaTests {
    private func pivotDraft() -> DefinitionDraft {
        var draft = orderDraft(timeout: 10_000, attempts: 4)
        draft.durability = .replicated
        return draft
    }

    @Test func commandsWaitForTheReplicaAndGoWhenItIsBack() async throws {
        try await withReplica { master, replica in
            let namespace = try await RedisNamespace(at: master.endpoint)
            let scenario = Scenario(namespace)
            try await scenario.register(pivotDraft())
            try await scenario.run {
                try await scenario.start("s1")
                try await eventually("a saga ends") { try await scenario.end(of: "s1") == .completed }
                replica.freeze()
                try await scenario.start("s2")
                try await eventually("the start is in the log") { try await scenario.saga("s2") != nil }
                try await Task.sleep(for: .milliseconds(600))
                #expect(scenario.participants.effects["s2/create"] == nil)
                replica.thaw()
                try await eventually("the saga ends") { try await scenario.end(of: "s2") == .completed }
            }
            #expect(try await scenario.saga("s2")?.started.isReplicated == true)
            #expect(try await scenario.audit(["s1", "s2"]) == [])
            await namespace.close()
        }
    }

    /// A replica that is gone is not one that never was.
    @Test func aReplicaThatDiesIsWaitedFor() async throws {
        try await withReplica { master, replica in
            let namespace = try await RedisNamespace(at: master.endpoint)
            let scenario = Scenario(namespace)
            try await scenario.register(pivotDraft())
            try await scenario.run(configure: { $0.confirmationCheckInterval = 100 }) {
                try await scenario.start("s1")
                try await eventually("a saga ends") { try await scenario.end(of: "s1") == .completed }
                replica.kill()
                try await scenario.start("s2")
                try await Task.sleep(for: .milliseconds(500))
                #expect(scenario.participants.effects["s2/create"] == nil)
                try await replica.restart()
                try await eventually("the saga ends") { try await scenario.end(of: "s2") == .completed }
            }
            await namespace.close()
        }
    }

    @Test func aServerThatSyncsEachWriteConfirms() async throws {
        try await withRedisNamespace(.init(appendOnly: .always)) { namespace, _ in
            let scenario = Scenario(namespace)
            try await scenario.register(pivotDraft())
            try await scenario.run(configure: { $0.requiresConfirmation = true }) {
                for index in 0..<20 { try await scenario.start("s\(index)") }
                try await eventually("all sagas end") { try await scenario.endedCount() == 20 }
            }
            #expect(try await scenario.saga("s1")?.started.isReplicated == true)
        }
        try await withRedisNamespace(.init(appendOnly: .everysec)) { namespace, _ in
            let error = await #expect(throws: StoreError.self) {
                var options = OrchestratorOptions(name: "o")
                options.requiresConfirmation = true
                try await Orchestrator(store: namespace.store, options: options, logger: quietLogger).run()
            }
            #expect(error?.message.contains("appendfsync is everysec") == true)
        }
    }
}
