import Logging
import SagaCore
import SagaStore
import SagaWire

/// One loop over some of the orchestrator's partitions: read their inboxes, decide, commit, again.
///
/// A round reads all partitions of the lane with one call, decides partition by partition, and begins each partition's
/// commit as soon as it is decided, so the store works on the first while the last is being decided. The commits are
/// awaited while the next read is under way: a partition has at most one in flight, and nothing is decided on a state
/// that the store might yet refuse.
///
/// Not Sendable: runs in one task, and owns all it touches.
final class Lane {
    let index: Int
    let session: any StoreSession
    let registry: DefinitionRegistry
    let signer: TokenSigner
    let options: OrchestratorOptions
    let holdings: Holdings
    let logger: Logger
    let surroundings: Surroundings
    let taker: PartitionTaker
    let confirmations: Confirmations
    /// The confirmation under way, and what it is about.
    var confirming: Confirming?
    /// When the next one may be asked for, by the monotonic clock, and how long that may take.
    var nextConfirmation = Milliseconds.min
    var confirmationTimeout: Milliseconds
    var partitions: [Int: OwnedPartition] = [:]
    var pending: [(batch: Batch, commit: any PendingCommit)] = []
    var roundNumber: UInt64 = 0
    /// Whether this round leaves starts where they are.
    var holdsStarts = false
    /// Failures of the store in a row.
    var failures = 0

    init(
        index: Int, session: any StoreSession, registry: DefinitionRegistry, signer: TokenSigner,
        options: OrchestratorOptions, holdings: Holdings, confirmations: Confirmations, logger: Logger,
        surroundings: Surroundings
    ) {
        self.index = index
        self.session = session
        self.registry = registry
        self.signer = signer
        self.options = options
        self.holdings = holdings
        self.logger = logger
        self.surroundings = surroundings
        self.confirmations = confirmations
        confirmationTimeout = options.confirmationTimeout.lowerBound
        taker = PartitionTaker(
            session: session, holdings: holdings, confirmations: confirmations, name: options.name,
            lease: options.lease, surroundings: surroundings)
    }

    /// Runs until the orchestrator stops; then hands the partitions over.
    func run() async {
        while !holdings.isClosed {
            await heed(holdings.takeNotices(for: index))
            if partitions.isEmpty {
                // Whoever has them now meets what was in their way here.
                holdings.noteRest(.lane(index))
                await pause(.milliseconds(20))
            } else if await clearDoubts() {
                await round()
            }
        }
        await settle()
        for partition in ordered { _ = await release(partition) }
        await session.close()
    }

    private func heed(_ notices: [Holdings.Notice]) async {
        for notice in notices {
            switch notice {
            case .adopt(let state, let claim):
                // 1. This lane takes the partition anew, and waits for the answer. 2. The keeper finds the old claim lost and
                // takes the partition, too. 3. The lane's answer comes, and its claim is the one that is renewed. Working with
                // the other one, it would be refused and let go of what the keeper goes on to hold.
                guard holdings.claim(on: state.fence.partition)?.owner == claim.owner else { continue }
                let partition = OwnedPartition(state: state, claim: claim, monotonic: surroundings.monotonic())
                partitions[partition.index] = partition
                logger.debug("partition taken", metadata: metadata(partition))
            case .drop(let index, let owner):
                guard partitions[index]?.claim.owner == owner else { continue }
                drop(index)
            case .giveUp(let index, let owner):
                guard partitions[index]?.claim.owner == owner else { continue }
                await handOver(index)
            case .reacquire(let index):
                partitions[index]?.doubt()
            }
        }
    }

    /// One round. Never throws: a failure is dealt with where it shows.
    private func round() async {
        roundNumber += 1
        let (session, count, block) = (session, options.readCount, blockTime())
        let topics = registry.triggers
        holdsStarts = holdings.admission.overload != nil
        let cursors = ordered.map { $0.cursor(topics: topics, holdsStarts: holdsStarts) }
        let (trims, removals, looks) = (dueTrims(), dueRemovals(), dueConsumerLooks())
        let (services, options) = (registry.services, options)
        async let reading = Self.read(session, cursors, count: count, block: block)
        async let trimming = Self.trim(session, trims)
        async let removing = Self.remove(session, removals)
        async let looking: Void = Self.removeConsumers(session, looks, services: services, options: options)
        await settle()
        let result = await reading
        for index in await trimming { partitions[index]?.hasChangedSinceTrim = true }
        await looking
        note(await removing)
        let batches: [InboxBatch]
        switch result {
        case .success(let read): batches = read
        case .failure(let error):
            // The connection may have ended on a server that is another one now: take everything anew.
            for partition in partitions.values { partition.doubt() }
            await endure(error, "inbox cannot be read")
            return
        }
        let positions = Dictionary(uniqueKeysWithValues: cursors.map { ($0.partition, $0.positions) })
        // What was read from where a refused commit left off is void: it is read again.
        var valid = batches.filter { partitions[$0.partition]?.positions == positions[$0.partition] }
        if !holdsStarts, holdings.admission.overload != nil {
            // There was room when the read began, and there is none now.
            holdsStarts = true
            valid.removeAll { $0.stream != .reply && $0.stream != .control }
        }
        await decide(Dictionary(grouping: valid, by: \.partition))
        if pending.isEmpty, !partitions.values.contains(where: \.isInDoubt) {
            // Nothing is left that the store could refuse.
            failures = 0
            holdings.noteContact(.lane(index), at: surroundings.monotonic())
        }
        await renewConfirmation()
        evict()
    }

    private static func read(
        _ session: any StoreSession, _ cursors: [InboxCursor], count: Int, block: Milliseconds
    ) async -> Result<[InboxBatch], StoreError> {
        do throws(StoreError) {
            return .success(try await session.read(cursors, count: count, block: block))
        } catch {
            return .failure(error)
        }
    }

    /// How long the next read may wait: not beyond the next alarm, and not at all while there is something to do.
    private func blockTime() -> Milliseconds {
        // The end of a confirmation is awaited beside the read.
        guard confirming == nil else { return 0 }
        // A partition that is to be given up has to wait for the read to end.
        var block = holdings.isRestless ? min(options.block, 20) : options.block
        let monotonic = surroundings.monotonic()
        for partition in partitions.values {
            if !partition.confirmed.isEmpty { return 0 }
            if !partition.unconfirmed.isEmpty { block = min(block, max(0, nextConfirmation - monotonic)) }
            if partition.sweepCursor != nil || partition.nextAlarm == .min || !partition.suspects.isEmpty { return 0 }
            guard partition.nextAlarm != .max else { continue }
            block = min(block, max(0, partition.nextAlarm - partition.clock.now(monotonic: monotonic)))
        }
        return block
    }

    /// Drops the longest unused sagas where there are too many; they are read again when they are needed.
    private func evict() {
        let count = partitions.values.reduce(0) { $0 + $1.sagas.count }
        guard count > options.cachedSagas else { return }
        let ages = partitions.values.flatMap { $0.sagas.values.map(\.lastRound) }.sorted()
        let oldest = ages[min(ages.count - 1, count - options.cachedSagas * 9 / 10)]
        // A saga of the batch in flight has to stay until that is settled.
        for partition in partitions.values {
            partition.sagas = partition.sagas.filter { $0.value.lastRound > oldest || $0.value.isTouched }
        }
    }

    /// The partitions, always in one order: what a run of the simulator does must not hang on where a table put them.
    var ordered: [OwnedPartition] { partitions.values.sorted { $0.index < $1.index } }

    func pause(_ duration: Duration) async {
        // Not cancelled: see `Orchestrator.run()`.
        await surroundings.sleep(duration)
    }

    func metadata(_ partition: OwnedPartition) -> Logger.Metadata {
        ["partition": "\(partition.index)", "epoch": "\(partition.fence.epoch)", "era": "\(partition.era)"]
    }
}
