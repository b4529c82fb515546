import Logging
import SagaCore
import SagaStore

/// What of the partitions changes hands.
extension LeaseKeeper {
    /// Partitions that may be free soon: offered by others, given up here, or free already.
    var movingPartitions: [Int] {
        let offered = (holdings.members ?? []).filter { $0.instance != holdings.instance }.compactMap(\.heartbeat.offer)
        let moved = placement.move.map { [$0.partition] } ?? []
        return Set(offered + moved + free.keys).filter { (0..<partitionCount).contains($0) }.sorted()
    }

    /// Looks who holds partitions of which none is held here.
    func sight(_ partitions: some Sequence<Int>) async throws(StoreError) {
        for partition in partitions {
            guard holdings.claim(on: partition) == nil else {
                free[partition] = nil
                continue
            }
            let occupancy = try await session.look(at: partition)
            let isDead = sightings.isDead(partition, occupancy, now: surroundings.monotonic())
            switch occupancy {
            case .free: free[partition] = FreePartition(holder: nil)
            case .held(let holder), .expired(let holder):
                // One of this process that is not known here was taken, and lost with the newest writes.
                let isOwn = !holder.instance.isEmpty && holder.instance == holdings.instance
                free[partition] = isDead || isOwn ? FreePartition(holder: holder) : nil
            }
        }
    }

    /// Takes and gives up what is due.
    func act() async throws(StoreError) {
        // Without an answer yet, it isn't known how many share the partitions.
        guard let members = holdings.members else { return }
        let view = Placement.View(
            members: members, held: Set(holdings.heldPartitions),
            free: free.mapValues { $0.holder.map(\.instance) ?? "" }, isLeaving: holdings.isStopping)
        let decision = placement.decide(view, now: surroundings.monotonic())
        holdings.setMotion(offer: placement.move?.partition, isRestless: decision.isRestless)
        if let partition = decision.giveUp {
            logger.debug("partition to be given up", metadata: ["partition": "\(partition)"])
            holdings.requestRelease(of: partition)
        }
        for partition in decision.take where !holdings.isStopping { try await take(partition) }
    }

    private func take(_ partition: Int) async throws(StoreError) {
        guard let found = free.removeValue(forKey: partition), holdings.claim(on: partition) == nil else { return }
        switch try await taker.take(partition, stale: found.holder) {
        case .taken(let state, let claim):
            sightings.forget(partition)
            // A former owner may know more topics, whose streams must not be trimmed as if nobody here read them.
            defer { holdings.adopt(state, claim) }
            let triggers = Set(registry.triggers)
            if !triggers.isSuperset(of: state.positions.events.keys) { try await noteDefinitions() }
        case .held(let holder):
            // Somebody was faster.
            _ = sightings.isDead(partition, .held(holder), now: surroundings.monotonic())
        }
    }
}
