import Logging
import SagaCore
import SagaStore

/// The wait for confirmations: one for all that a lane's last round has written, and for whatever still waits.
extension Lane {
    struct Confirming {
        var pending: any PendingConfirmation
        /// The sagas that waited when it was begun, with the lengths of their logs.
        var sagas: [(partition: OwnedPartition, waiting: [String: Int])]
    }

    /// Looks at the server where somebody wants confirmations and nobody has looked lately.
    func lookAtConfirmations() async throws(StoreError) {
        guard
            confirmations.durability == .replicated || registry.hasReplicated
                || partitions.values.contains(where: { !$0.unconfirmed.isEmpty }),
            confirmations.isStale(at: surroundings.monotonic())
        else { return }
        let seen = try await session.confirmationMeans(replicas: confirmations.replicas)
        guard let news = confirmations.note(seen, at: surroundings.monotonic()) else { return }
        confirmations.tell(news, asking: registry.all.filter(confirmations.isWanted), logger)
    }

    /// Begins the next confirmation. What waits for one must hear of a server that has changed, also where nothing else
    /// happens.
    func renewConfirmation() async {
        if partitions.values.contains(where: { !$0.unconfirmed.isEmpty }) {
            do throws(StoreError) {
                try await lookAtConfirmations()
            } catch {
                // The confirmation, or the next read, meets the same trouble and deals with it.
                confirmations.expire()
            }
        }
        beginConfirmation()
    }

    /// Asks for a confirmation of what was just submitted, right behind it on its connection, and of what waits longer.
    func beginConfirmation() {
        guard confirming == nil else { return }
        let batches = Dictionary(uniqueKeysWithValues: pending.map { ($0.batch.partition.index, $0.batch.awaiting) })
        let sagas = ordered.filter { !$0.isInDoubt }.compactMap { partition in
            let waiting = partition.unconfirmed.merging(batches[partition.index] ?? [:]) { $1 }
            return waiting.isEmpty ? nil : (partition: partition, waiting: waiting)
        }
        guard !sagas.isEmpty, surroundings.monotonic() >= nextConfirmation else { return }
        confirming = Confirming(
            pending: session.confirm(
                sagas.map(\.partition.index), by: confirmations.means, timeout: confirmationTimeout),
            sagas: sagas)
    }

    /// Awaits the confirmation under way; the commits that it is about are settled.
    func settleConfirmation() async {
        guard let confirming else { return }
        self.confirming = nil
        do throws(StoreError) {
            let confirmed = try await confirming.pending.outcome()
            // Where the server cannot confirm, and need not, nobody is kept waiting.
            let isMoot = !confirmations.isPossible
            for (partition, waiting) in confirming.sagas
            where isMoot || confirmed.contains(partition.index) {
                partition.release(waiting)
            }
            pace(isMoot || confirming.sagas.allSatisfy { confirmed.contains($0.partition.index) })
        } catch {
            // What the lost connection wrote is confirmed by a later write, as each partition's taking is one.
            for (partition, _) in confirming.sagas { partition.doubt() }
            await endure(error, "writes cannot be confirmed")
        }
    }

    /// A confirmation that did not come holds up whatever is written on its connection, so the next one waits for longer
    /// than it took, and then may take longer: replicas that are always some way behind are waited for at last.
    private func pace(_ isDone: Bool) {
        let range = options.confirmationTimeout
        guard !isDone else {
            confirmationTimeout = range.lowerBound
            nextConfirmation = .min
            return
        }
        nextConfirmation = surroundings.monotonic().adding(confirmationTimeout * 2)
        confirmationTimeout = min(range.upperBound, confirmationTimeout * 2)
        // Replicas may be gone altogether.
        if confirmationTimeout == range.upperBound { confirmations.expireSoon(at: surroundings.monotonic()) }
    }

    /// Tells the sagas whose logs are confirmed.
    func tellConfirmed(_ batch: inout Batch) {
        let partition = batch.partition
        for saga in partition.confirmed.keys.sorted() {
            guard !batch.budget.isSpent, let entries = partition.confirmed.removeValue(forKey: saga) else { break }
            if let cell = partition.sagas[saga] { batch.feed(cell, .confirm(entries: entries)) }
        }
        batch.budget.renew()
    }
}

extension OwnedPartition {
    /// Notes that logs are confirmed, as far as their sagas still wait for just that.
    fileprivate func release(_ waiting: [String: Int]) {
        guard !isInDoubt else { return }
        for (saga, entries) in waiting where unconfirmed[saga] == entries {
            unconfirmed[saga] = nil
            confirmed[saga] = entries
        }
    }
}
