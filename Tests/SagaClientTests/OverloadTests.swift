import LocalRedis
import RedisTransport
import SagaClient
import SagaCore
import SagaRedis
import SagaTesting
import SagaWire
import Testing

@Suite struct OverloadTests {
    /// A server of 32 MiB is filled by starts, until starters are refused; what is begun ends, and when the server is given more there
    /// is room again.
    @Test func startersAreRefusedBeforeTheServerIsFull() async throws {
        try await withRedisNamespace(partitions: 2, .init(extra: ["maxmemory 32mb"])) { namespace, server in
            let scenario = Scenario(namespace)
            try await scenario.register(order)
            let client = SagaClient(endpoint: server.endpoint, namespace: "test", logger: quietLogger)
            let input = #"""# + String(repeating: "x", count: 16_384) + #"""#
            try await scenario.run {
                var sagas: [String] = []
                var refusal: ClientError?
                while refusal == nil, sagas.count < 2_000 {
                    let chunk = (0..<5).map { "s\(sagas.count + $0)" }
                    do throws(ClientError) {
                        try await client.start(chunk.map { start($0, input: input) })
                        sagas += chunk
                    } catch {
                        refusal = error
                    }
                    // Memory is looked at several times a second: no faster than that can be heard of.
                    try await Task.sleep(for: .milliseconds(120))
                    // No faster than they are begun.
                    let count = sagas.count
                    try await eventually("they end, or are held up") {
                        if try await client.status().overload != nil { return true }
                        return try await scenario.endedCount() == count
                    }
                }
                guard case .overloaded(let reason) = refusal else {
                    Issue.record("not overloaded: \(String(describing: refusal))")
                    return
                }
                #expect(reason.wholeMatch(of: #/Redis uses [89][0-9] % of its memory \(limit 80 %\)/#) != nil)
                #expect(ClientError.overloaded(reason).description.hasPrefix("overloaded: Redis uses"))
                _ = try await namespace.client.send(RedisCommand("CONFIG", "SET", "maxmemory", "128mb"))
                try await eventually("there is room again") { try await client.status().overload == nil }
                try await eventually("a start is accepted") {
                    do throws(ClientError) {
                        try await client.start(start("late"))
                        return true
                    } catch {
                        guard case .overloaded = error else { throw error }
                        return false
                    }
                }
                try await eventually("it ends") { try await scenario.end(of: "late") == .completed }
            }
            await client.close()
        }
    }

    @Test func aWordThatNobodyRenewsHoldsNoLonger() async throws {
        try await withFixture { fixture in
            let meta = fixture.namespace.keys.meta
            for stale in ["83 80 1000", "", "83", "a b c", "83 80 99999999999999999999"] {
                _ = try await fixture.send(RedisCommand("HSET", meta, "overloaded", stale))
                let client = SagaClient(endpoint: fixture.server.endpoint, namespace: "test", logger: quietLogger)
                try await client.start(start("s1"))
                await client.close()
            }
            _ = try await fixture.send(RedisCommand("HSET", meta, "overloaded", "83 80 99999999999999"))
            await #expect(throws: ClientError.overloaded("Redis uses 83 % of its memory (limit 80 %)")) {
                try await fixture.client.start(start("s1"))
            }
            let findings = try await fixture.client.examine(localTime: { 0 })
            #expect(findings.contains { $0.check == "admission" && $0.severity == .warning })
        }
    }
}
