import Logging
import SagaCore
import SagaStore

/// Takes free partitions and renews the leases of held ones, apart from the lanes, so that a long round costs no lease.
struct LeaseKeeper: Sendable {
    let session: any StoreSession
    let registry: DefinitionRegistry
    let partitionCount: Int
    let options: OrchestratorOptions
    let holdings: Holdings
    let logger: Logger

    /// A holder as it was seen first, and since when.
    private struct Sighting {
        var holder: TakeOutcome.Holder
        var since: ContinuousClock.Instant
    }

    /// Runs until the orchestrator stops.
    func run() async {
        let taker = PartitionTaker(session: session, holdings: holdings, name: options.name, lease: options.lease)
        var sightings: [Int: Sighting] = [:]
        var failures = 0
        while !holdings.isStopping {
            do throws(StoreError) {
                for partition in 0..<partitionCount where !holdings.isStopping {
                    try await attend(partition, taker, &sightings)
                }
                // Behind the leases, which must not depend on it.
                try await noteDefinitions()
                holdings.noteContact(.leases)
                tellRecovery()
                failures = 0
                // A fifth of the lease: a crashed owner's partition is found free soon after its lease has run out.
                await pause(.milliseconds(max(20, options.lease / 5)))
            } catch {
                failures += 1
                if holdings.noteFailure(.leases, error.message) {
                    logger.warning("leases cannot be kept", metadata: ["error": "\(error)"])
                }
                await pause(backoff(after: failures, within: options.backoff))
            }
        }
        await session.close()
    }

    /// Looks for new definitions. Those that are asked for by name are found when they are; what is triggered by events has
    /// to be known before anybody reads them.
    private func noteDefinitions() async throws(StoreError) {
        guard try await session.definitionCount() != registry.storedCount else { return }
        for unreadable in try await registry.reload() {
            logger.error("a registered definition cannot be read", metadata: ["error": "\(unreadable)"])
        }
    }

    private func attend(
        _ partition: Int, _ taker: PartitionTaker, _ sightings: inout [Int: Sighting]
    ) async throws(StoreError) {
        if let claim = holdings.claim(on: partition) {
            switch try await session.renew(partition, as: claim) {
            case .renewed(let mayBeRewound):
                if mayBeRewound { holdings.requestReacquisition(of: partition) }
            case .lost:
                holdings.lose(partition, owner: claim.owner)
            }
            return
        }
        var stale: TakeOutcome.Holder?
        if let sighting = sightings[partition],
            .now - sighting.since > .milliseconds(sighting.holder.lease + sighting.holder.lease / 5)
        {
            stale = sighting.holder
        }
        switch try await taker.take(partition, stale: stale) {
        case .taken(let state, let claim):
            sightings[partition] = nil
            // A former owner may know more topics, whose streams must not be trimmed as if nobody here read them.
            defer { holdings.adopt(state, claim) }
            let triggers = Set(registry.triggers)
            if !triggers.isSuperset(of: state.positions.events.keys) { try await noteDefinitions() }
        case .held(let holder):
            if sightings[partition]?.holder != holder {
                sightings[partition] = Sighting(holder: holder, since: .now)
            }
        }
    }

    /// Says once that a trouble is over.
    private func tellRecovery() {
        guard let span = holdings.endTrouble(after: options.lease * 2) else { return }
        logger.notice("the store does all that it is asked again", metadata: ["trouble_ms": "\(span)"])
    }

    private func pause(_ duration: Duration) async {
        // Not cancelled: see `Orchestrator.run()`.
        try? await Task.sleep(for: duration)
    }
}
