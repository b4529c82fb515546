import LocalRedis
import RedisTransport
import SagaTesting
import TestSupport
import Testing

/// Sagas on a master that dies, and on one that freezes and comes back as a second master.
@Suite struct SentinelTests {
    enum Mishap: CaseIterable { case death, freeze }

    @Test(arguments: Mishap.allCases)
    func sagasGoOnWhenTheMasterChanges(_ mishap: Mishap) async throws {
        let seed = SeededRandom.pickSeed()
        let faults = try await withLocalSentinel { group in
            let namespace = try await RedisNamespace(at: group.endpoint)
            let master = group.servers[0]
            let faults = try await TopologyPlay(on: namespace, seed: seed).run { play in
                try await play.start(60)
                mishap == .death ? master.kill() : master.freeze()
                try await play.start(60)
                if mishap == .freeze {
                    try await eventually("another master is named", within: .seconds(40)) {
                        // While there is none, there is no connection.
                        let address = try? await RedisConnection.connect(to: group.endpoint).address
                        return address == group.servers[1].endpoint.address
                    }
                    master.thaw()
                    try await play.start(60)
                }
            }
            await namespace.close()
            return faults
        }
        #expect(faults == [], "seed \(seed)")
    }
}
