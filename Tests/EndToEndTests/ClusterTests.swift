import LocalRedis
import RedisTransport
import SagaClient
import SagaCore
import SagaWire
import Testing

/// The services and the client as users have them, on a cluster.
@Suite struct ClusterTests {
    @Test func servicesAndClientsWorkOnACluster() async throws {
        let sagas = (0..<60).map { "s-\($0)" }
        let refused = Set(sagas.enumerated().filter { $0.offset % 5 == 0 }.map(\.element))
        try await withLocalCluster { cluster in
            let shop = Shop(at: cluster.endpoint, refused: refused)
            try await shop.run {
                try await shop.register()
                try await shop.start(sagas)
                try await shop.untilEnded(sagas)
                try await Self.look(shop.client, refused.count)
            }
            let ends = await shop.ends(of: sagas)
            for saga in sagas {
                let isRefused = refused.contains(saga)
                #expect(ends[saga] == (isRefused ? .compensated : .completed), "\(saga)")
                #expect(shop.effects(of: saga) == (isRefused ? [0, 0, 0] : [1, 1, 1]), "\(saga)")
            }
            await shop.client.close()
        }
    }

    private static func look(_ client: SagaClient, _ refused: Int) async throws {
        let message = StartMessage(saga: "waited-for", definition: "order", input: Array("{}".utf8))
        let end = try await client.startAndWait(message, timeout: .seconds(60))
        #expect(end == .ended(.completed, error: nil))
        #expect(try await client.list(limit: 100).sagas.count == 61)
        #expect(try await client.list(SagaFilter(status: .compensated), limit: 100).sagas.count == refused)
        let status = try await client.status()
        #expect(status.partitions.count == 4 && status.partitions.allSatisfy { $0.owner != nil })
        #expect(status.services.allSatisfy { !$0.consumers.isEmpty } && status.usedMemory > 0)
        #expect(try await client.deadLetters().isEmpty)
        let reason = try await client.order(
            ControlMessage(saga: "waited-for", operation: .cancel, reason: "test", by: "ann"), timeout: .seconds(30))
        #expect(reason != nil)
        let findings = try await client.examine { 0 }
        #expect(findings.contains { $0.check == "ownership" && $0.severity == .ok }, "\(findings)")
        // What an operator writes was tried where it would go.
        #expect(!findings.contains { $0.what.contains("MOVED") }, "\(findings)")
    }
}
