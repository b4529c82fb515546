import SagaCore
import SagaStore

/// Takes partitions, and begins a new history of one whose newest writes may have been lost.
struct PartitionTaker: Sendable {
    let session: any StoreSession
    let holdings: Holdings
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
        var raised = state
        raised.era = era
        raised.wasRewound = true
        raised.mayBeRewound = false
        return raised
    }
}
