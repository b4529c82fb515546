import LocalRedis
import RedisTransport
import SagaCore
import SagaOrchestrator
import SagaTesting
import SagaWire
import Testing

/// An orchestrator's memory is bounded: sagas that nothing happens to leave it, and come back from their logs.
@Suite struct CacheTests {
    /// How often the server has executed a command since its statistics were reset.
    private func calls(of command: String, _ connection: RedisConnection) async throws -> Int {
        let info = ServerInfo(try await connection.send(RedisCommand("INFO", "commandstats")))
        let calls = info["cmdstat_\(command)"]?.firstMatch(of: /calls=(\d+)/)
        return calls.flatMap { Int($0.output.1) } ?? 0
    }

    @Test func sagasBeyondTheBoundAreReadAgainWhenTheyAreNeeded() async throws {
        let (count, bound) = (40, 3)
        try await withRedisNamespace(partitions: 1) { namespace, server in
            let scenario = Scenario(namespace)
            let draft = DefinitionDraft(
                name: "order", version: 1, steps: [StepDraft("approval", signal: "approved")])
            try await scenario.register(draft)
            let connection = try await RedisConnection.connect(to: server.endpoint)
            try await scenario.run(
                participants: false,
                configure: { options in
                    options.cachedSagas = bound
                    options.lanes = 1
                }
            ) {
                for index in 0..<count { try await scenario.start("s\(index)") }
                try await eventually("all wait") { try await scenario.openCount() == count }
                _ = try await connection.send(RedisCommand("CONFIG", "RESETSTAT"))
                // The bound is kept now and then, not in each round.
                try await eventually("rounds have passed") { try await calls(of: "xread", connection) > 150 }
                #expect(try await calls(of: "lrange", connection) == 0, "nothing has asked for them")
                for index in 0..<count {
                    let signal = SignalMessage(saga: "s\(index)", name: "approved")
                    try await namespace.append(signal.fields, to: .intake, of: 0)
                }
                try await eventually("all end") { try await scenario.endedCount() == count }
                #expect(try await calls(of: "lrange", connection) >= count - bound)
            }
            await connection.close()
            for index in 0..<count { #expect(try await scenario.end(of: "s\(index)") == .completed) }
        }
    }
}
