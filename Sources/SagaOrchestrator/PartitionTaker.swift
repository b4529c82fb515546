import SagaCore
import SagaStore

/// Takes partitions, and begins a new history of one whose newest writes may have been lost.
struct PartitionTaker: Sendable {
    let session: any StoreSession
    let holdings: Holdings
    let confirmations: Confirmations
    let name: String
    let lease: Milliseconds
    let surroundings: Surroundings

    enum Outcome {
        case taken(PartitionState, Claim)
        case held(TakeOutcome.Holder)
    }

    /// Takes a partition, raising its era where that is due.
    ///
    /// - Parameter eraToExceed: An era that somebody has seen and the partition doesn't know.
    func take(
        _ partition: Int, stale: TakeOutcome.Holder? = nil, previous: String? = nil, eraToExceed: Int64? = nil
    ) async throws(StoreError) -> Outcome {
        let claim = Claim(
            owner: surroundings.randomText(), name: name, instance: holdings.instance, lease: lease, previous: previous)
        var state: PartitionState
        switch try await session.take(partition, as: claim, stale: stale) {
        case .held(let holder): return .held(holder)
        case .taken(let taken): state = taken
        }
        let hasGoneBack = state.fence.sequence < holdings.highestSequence(of: partition)
        if state.mayBeRewound || hasGoneBack || eraToExceed.map({ $0 > state.era }) ?? false {
            state = try await raise(state, above: eraToExceed ?? 0)
        }
        holdings.noteEra(state.era, of: partition)
        holdings.resetSequence(state.fence.sequence, of: partition)
        return .taken(state, claim)
    }

    /// Raises the era above every one that anybody can know: the stored one, those seen here, and both clocks, plus a
    /// random part, so that two owners who don't know of each other don't meet on one number.
    private func raise(_ state: PartitionState, above seen: Int64) async throws(StoreError) -> PartitionState {
        let partition = state.fence.partition
        let known = max(state.era, seen, holdings.highestEra(of: partition))
        var generator = surroundings.generator
        let era =
            max(known + 1, state.now, surroundings.wall())
            + Int64.random(in: 0...999, using: &generator)
        guard case .committed = try await session.raise(state.fence, era: era) else {
            throw StoreError(.unavailable, .notApplied, "partition \(partition) was taken while its era was raised")
        }
        await confirmRaise(of: partition)
        var raised = state
        raised.era = era
        raised.wasRewound = true
        raised.mayBeRewound = false
        return raised
    }

    /// Waits until replicas have the new era, where there are some: a failover that lost it would leave commands under an
    /// era that the log does not know. They are not waited for without end, since an era is raised above the clocks, too.
    private func confirmRaise(of partition: Int) async {
        guard confirmations.mayAwaitRaise(at: surroundings.monotonic()) else { return }
        do throws(StoreError) {
            let means = try await session.confirmationMeans(replicas: confirmations.replicas)
            guard case .replicas = means else { return }
            if try await session.confirm([partition], by: means, timeout: 500).outcome().isEmpty {
                confirmations.noteLateRaise(at: surroundings.monotonic())
            }
        } catch {
            // The next call meets the same trouble, and deals with it.
        }
    }
}
