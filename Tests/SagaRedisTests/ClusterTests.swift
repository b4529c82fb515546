import LocalRedis
import RedisTransport
import SagaRedis
import SagaStore
import SagaTesting
import SagaWire
import TestSupport
import Testing

/// Sagas on a cluster whose slots move, and whose masters are succeeded by their replicas.
@Suite struct ClusterTests {
    @Test func sagasGoOnWhileTheirSlotMoves() async throws {
        let seed = SeededRandom.pickSeed()
        let faults = try await withLocalCluster { cluster in
            let namespace = try await RedisNamespace(at: cluster.endpoint, partitions: 4)
            let faults = try await TopologyPlay(on: namespace, seed: seed).run { play in
                try await play.start(40)
                let slot = KeySlot.of(namespace.keys.state(0).utf8)
                let source = cluster.master(of: slot)
                let target = try #require(cluster.masters.first { $0 !== source })
                try await cluster.beginMove(of: slot, from: source, to: target)
                var moved = 0
                while try await cluster.moveNextKey(of: slot, from: source, to: target) {
                    moved += 1
                    // Now and then, others get on with what is there and what is here.
                    if moved % 8 == 0 { try await play.start(4) }
                }
                try await cluster.endMove(of: slot, from: source, to: target)
                try await play.start(40)
            }
            await namespace.close()
            return faults
        }
        #expect(faults == [], "seed \(seed)")
    }

    @Test func sagasGoOnWhenAMasterIsSucceeded() async throws {
        let seed = SeededRandom.pickSeed()
        var options = LocalCluster.Options()
        options.replicas = 1
        let faults = try await withLocalCluster(options) { cluster in
            let namespace = try await RedisNamespace(at: cluster.endpoint, partitions: 4)
            let before = try await Self.era(of: 0, namespace)
            let faults = try await TopologyPlay(on: namespace, seed: seed).run { play in
                try await play.start(60)
                cluster.master(of: KeySlot.of(namespace.keys.state(0).utf8)).kill()
                try await play.start(60)
            }
            // Nobody can tell whether newest writes were lost.
            #expect(try await Self.era(of: 0, namespace) > before)
            await namespace.close()
            return faults
        }
        #expect(faults == [], "seed \(seed)")
    }

    private static func era(of partition: Int, _ namespace: RedisNamespace) async throws -> Int {
        let command = RedisCommand("HGET", namespace.keys.state(partition), "era")
        return try await namespace.client.send(command).value.string.flatMap { Int($0) } ?? 0
    }

    /// What one partition has to tell is told though others are silent, and none of it is told twice or left out.
    @Test func partitionsAreReadSideBySide() async throws {
        try await withLocalCluster { cluster in
            let namespace = try await RedisNamespace(at: cluster.endpoint, partitions: 6)
            let session = namespace.store.session()
            var cursors = (0..<6).map { InboxCursor(partition: $0, positions: .beginning) }
            #expect(try await session.read(cursors, count: 10, block: 0).isEmpty)
            #expect(try await session.read(cursors, count: 10, block: 20).isEmpty)
            var expected: [Int: [String]] = [:]
            var read: [Int: [String]] = [:]
            for round in 0..<30 {
                let partition = round * 5 % 6
                let start = StartMessage(saga: "s\(round)", definition: "order", input: [])
                expected[partition, default: []].append(
                    try await namespace.append(start.fields, to: .intake, of: partition))
                // What is there before a call is in it, whether it waits or not.
                let batches = try await session.read(cursors, count: 10, block: round % 3 == 0 ? 0 : 10_000)
                #expect(!batches.isEmpty)
                for batch in batches {
                    read[batch.partition, default: []] += batch.entries.map(\.id)
                    cursors[batch.partition].positions[batch.stream] = batch.entries.last?.id ?? "0-0"
                }
            }
            #expect(read == expected)
            await session.close()
            await namespace.close()
        }
    }
}
