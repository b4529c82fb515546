import LocalRedis
import RedisTransport
import SagaClient
import SagaCore
import SagaTesting
import SagaWire
import Testing

/// What clients are told while replicas lag.
@Suite struct DurabilityTests {
    private func with(
        _ body: (SagaClient, Scenario, _ replica: LocalRedisServer) async throws -> Void
    ) async throws {
        try await withReplica { master, replica in
            let namespace = try await RedisNamespace(at: master.endpoint)
            let client = SagaClient(endpoint: master.endpoint, namespace: "test", logger: quietLogger)
            try await body(client, Scenario(namespace), replica)
            replica.thaw()
            await client.close()
            await namespace.close()
        }
    }

    @Test func anEndIsToldByNobodyBeforeItIsConfirmed() async throws {
        try await with { client, scenario, replica in
            var careful = order
            careful.durability = .replicated
            try await scenario.register(careful)
            scenario.participants.setPlan { command in
                if command.saga == "s2", command.step == "charge" { replica.freeze() }
                return Behaviour()
            }
            try await scenario.run {
                #expect(
                    try await client.startAndWait(start("s1"), timeout: .seconds(20)) == .ended(.completed, error: nil))
                try await client.start(start("s2"))
                try await eventually("all is done") {
                    try await scenario.saga("s2")?.steps.last?.action.status == .succeeded
                }
                #expect(try await client.wait(for: "s2", timeout: .milliseconds(300)) == .timedOut)
                #expect(try await client.saga("s2")?.saga.status == .running)
                #expect(try await client.list(SagaFilter(status: .completed)).sagas.map(\.id) == ["s1"])
                #expect(try await client.list(SagaFilter(status: .running)).sagas.map(\.id) == ["s2"])
                replica.thaw()
                #expect(try await client.wait(for: "s2", timeout: .seconds(20)) == .ended(.completed, error: nil))
                #expect(try await client.list(SagaFilter(status: .completed)).sagas.count == 2)
            }
        }
    }

    @Test func aRegistrationIsConfirmedOrSaidNotToBe() async throws {
        try await with { client, _, replica in
            let definition = try Definition(validating: order)
            replica.freeze()
            let failure = await error { () async throws(ClientError) in
                try await client.register(definition, timeout: 100)
            }
            #expect(failure?.description.hasPrefix("order@1 is registered, but no replica") == true)
            #expect(try await client.definitions().map(\.id) == ["order@1"])
            replica.thaw()
            #expect(try await client.register(definition, timeout: 10_000))
        }
    }
}
