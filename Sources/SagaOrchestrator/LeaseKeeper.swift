import Logging
import SagaCore
import SagaStore

/// Renews the leases of held partitions, takes those that fall to this orchestrator and has others given up, apart from
/// the lanes, so that a long round costs no lease.
///
/// Not Sendable: runs in one task, and owns all it touches.
final class LeaseKeeper {
    let session: any StoreSession
    let registry: DefinitionRegistry
    let partitionCount: Int
    let options: OrchestratorOptions
    let holdings: Holdings
    let confirmations: Confirmations
    let logger: Logger
    let surroundings: Surroundings
    let pace: PlacementPace
    let taker: PartitionTaker
    var placement: Placement
    var sightings = Sightings()
    /// Partitions that nobody holds, or whose holder is dead, with how to take them.
    var free: [Int: FreePartition] = [:]
    /// When starters were last told that the store is overloaded.
    var lastAnnouncement: Milliseconds?
    private var lastRound = Milliseconds.min
    private var failures = 0

    struct FreePartition {
        /// The dead one; nil where the partition was given up.
        var holder: TakeOutcome.Holder?
    }

    init(
        session: any StoreSession, registry: DefinitionRegistry, partitionCount: Int, options: OrchestratorOptions,
        holdings: Holdings, confirmations: Confirmations, logger: Logger, surroundings: Surroundings
    ) {
        self.session = session
        self.registry = registry
        self.partitionCount = partitionCount
        self.options = options
        self.holdings = holdings
        self.confirmations = confirmations
        self.logger = logger
        self.surroundings = surroundings
        pace = PlacementPace(lease: options.lease)
        taker = PartitionTaker(
            session: session, holdings: holdings, confirmations: confirmations, name: options.name,
            lease: options.lease, surroundings: surroundings)
        placement = Placement(instance: holdings.instance, partitionCount: partitionCount, pace: pace)
    }

    /// Runs until the orchestrator stops and its partitions are handed over, or nobody is there to take them.
    func run() async {
        while !holdings.isStopping {
            if await look() { await pause(.milliseconds(pace.glance)) }
        }
        let end = surroundings.monotonic() + pace.farewell
        while !holdings.heldPartitions.isEmpty, holdings.hasSuccessors, surroundings.monotonic() < end, await look() {
            await pause(.milliseconds(pace.glance))
        }
        // What is left the lanes give up at once.
        holdings.close()
        await session.close()
    }

    /// Looks around and does what is due; a failure is endured.
    private func look() async -> Bool {
        do throws(StoreError) {
            let now = surroundings.monotonic()
            if lastRound == .min || now - lastRound >= pace.round {
                // The leases first: nothing else must delay them.
                try await renewAll()
                lastRound = now
                try await sight(0..<partitionCount)
                try await act()
                try await noteDefinitions()
                try await watchMemory()
                holdings.noteContact(.leases, at: now)
                tellRecovery()
            } else {
                if holdings.isRestless { try await sight(movingPartitions) }
                try await act()
            }
            failures = 0
            return true
        } catch {
            failures += 1
            sightings.forgetAll()
            if holdings.noteFailure(.leases, error.message, at: surroundings.monotonic()) {
                logger.warning("leases cannot be kept", metadata: ["error": "\(error)"])
            }
            await pause(surroundings.backoff(after: failures, within: options.backoff))
            return false
        }
    }

    private func renewAll() async throws(StoreError) {
        for partition in holdings.heldPartitions {
            guard let claim = holdings.claim(on: partition) else { continue }
            switch try await session.renew(partition, as: claim) {
            case .renewed(let mayBeRewound):
                if mayBeRewound { holdings.requestReacquisition(of: partition) }
            case .lost:
                guard holdings.lose(partition, owner: claim.owner) else { continue }
                // One that was to move is where it was to go.
                if placement.move?.partition != partition {
                    holdings.tellLoss(logger, ["partition": "\(partition)"])
                }
            }
        }
    }

    /// Looks for new definitions. Those that are asked for by name are found when they are; what is triggered by events has
    /// to be known before anybody reads them.
    func noteDefinitions() async throws(StoreError) {
        guard try await session.definitionCount() != registry.storedCount else { return }
        for unreadable in try await registry.reload() {
            logger.error("a registered definition cannot be read", metadata: ["error": "\(unreadable)"])
        }
    }

    /// Says once that a trouble is over.
    private func tellRecovery() {
        guard let span = holdings.endTrouble(after: options.lease * 2, at: surroundings.monotonic()) else { return }
        logger.notice("the store does all that it is asked again", metadata: ["trouble_ms": "\(span)"])
    }

    private func pause(_ duration: Duration) async {
        // Not cancelled: see `Orchestrator.run()`.
        await surroundings.sleep(duration)
    }
}
