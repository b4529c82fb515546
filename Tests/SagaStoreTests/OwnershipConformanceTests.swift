import SagaCore
import SagaStore
import SagaTesting
import Testing

@Suite("Ownership, on both stores")
struct OwnershipConformanceTests {
    private func with(
        _ kind: StoreKind, _ body: (any TestNamespace, any StoreSession) async throws -> Void
    ) async throws {
        try await withNamespace(on: kind) { namespace in
            let session = namespace.store.session()
            try await body(namespace, session)
            await session.close()
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aNewPartitionBeginsAtTheBeginning(on kind: StoreKind) async throws {
        try await with(kind) { _, session in
            let state = try await session.mustTake(1, as: claim("o1"))
            #expect(state.fence == Fence(partition: 1, owner: "o1", epoch: 1, sequence: 0))
            #expect(state.positions == .beginning)
            #expect(state.era <= state.now && state.verifiedEra == state.era)
            #expect(!state.wasRewound && !state.mayBeRewound)
            // The partitions are apart.
            #expect(try await session.mustTake(0, as: claim("o2")).fence.epoch == 1)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aLeaseThatRunsIsRespected(on kind: StoreKind) async throws {
        try await with(kind) { _, session in
            _ = try await session.mustTake(as: claim("o1", name: "ann", lease: 60_000))
            guard case .held(let holder) = try await session.take(0, as: claim("o2", lease: 10), stale: nil) else {
                Issue.record("taken")
                return
            }
            #expect(holder.name == "ann" && holder.lease == 60_000)
            let again = try await session.take(0, as: claim("o3"), stale: nil)
            #expect(again == .held(holder), "no sign of life yet")
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aLeaseThatHasRunOutIsFree(on kind: StoreKind) async throws {
        try await with(kind) { _, session in
            let first = try await session.mustTake(as: claim("o1", lease: 200))
            var second: PartitionState?
            try await eventually("the lease runs out") {
                guard case .taken(let state) = try await session.take(0, as: claim("o2"), stale: nil) else {
                    return false
                }
                second = state
                return true
            }
            #expect(second?.fence.epoch == 2)
            #expect(second.map { $0.now >= first.now + 200 } == true)
            #expect(try await session.renew(0, as: claim("o1")) == .lost)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aRenewedLeaseGoesOn(on kind: StoreKind) async throws {
        try await with(kind) { _, session in
            _ = try await session.mustTake(as: claim("o1", lease: 40))
            #expect(try await session.renew(0, as: claim("o1", lease: 60_000)) == .renewed(mayBeRewound: false))
            try await Task.sleep(for: .milliseconds(60))
            guard case .held = try await session.take(0, as: claim("o2"), stale: nil) else {
                Issue.record("taken")
                return
            }
            #expect(try await session.renew(0, as: claim("o2")) == .lost)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aReleasedPartitionIsFreeAtOnce(on kind: StoreKind) async throws {
        try await with(kind) { _, session in
            _ = try await session.mustTake(as: claim("o1"))
            try await session.release(0, as: claim("o2"))
            guard case .held = try await session.take(0, as: claim("o3"), stale: nil) else {
                Issue.record("released by somebody else")
                return
            }
            try await session.release(0, as: claim("o1"))
            #expect(try await session.renew(0, as: claim("o1")) == .lost)
            #expect(try await session.mustTake(as: claim("o3")).fence.epoch == 2)
            // Harmless: it is somebody else's already.
            try await session.release(0, as: claim("o1"))
            #expect(try await session.renew(0, as: claim("o3")) == .renewed(mayBeRewound: false))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anOwnerTakesItsOwnPartitionAnew(on kind: StoreKind) async throws {
        try await with(kind) { _, session in
            let first = try await session.mustTake(as: claim("o1"))
            let second = try await session.mustTake(as: claim("o2", previous: "o1"))
            #expect(second.fence.epoch == 2 && second.fence.sequence == 0)
            #expect(try await session.apply(first.commit) == .fenced)
            #expect(try await session.apply(second.commit).isCommitted)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aHolderWithoutASignOfLifeIsDead(on kind: StoreKind) async throws {
        try await with(kind) { _, session in
            _ = try await session.mustTake(as: claim("o1"))
            guard case .held(let seen) = try await session.take(0, as: claim("o2"), stale: nil) else {
                throw NotTaken()
            }
            #expect(try await session.renew(0, as: claim("o1")) == .renewed(mayBeRewound: false))
            guard case .held(let later) = try await session.take(0, as: claim("o2"), stale: seen) else {
                Issue.record("the holder has renewed since")
                return
            }
            #expect(later != seen)
            let state = try await session.mustTake(as: claim("o2"), stale: later)
            #expect(state.fence.epoch == 2)
            guard case .held = try await session.take(0, as: claim("o3"), stale: later) else {
                Issue.record("the mark was another holder's")
                return
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anotherServerMeansThatWritesMayBeLostUntilTheEraIsRaised(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let first = try await session.mustTake(as: claim("o1"))
            try await namespace.changeServer()
            #expect(try await session.renew(0, as: claim("o1")) == .renewed(mayBeRewound: true))
            let second = try await session.mustTake(as: claim("o2", previous: "o1"))
            #expect(second.mayBeRewound && !second.wasRewound && second.era == first.era)
            #expect(try await session.raise(first.fence, era: first.era + 5) == .fenced)
            #expect(try await session.raise(second.fence, era: first.era) == .outOfSequence)
            let raised = try await session.raise(second.fence, era: first.era + 5)
            #expect(raised.isCommitted)
            #expect(try await session.raise(second.fence, era: first.era + 5) == .outOfSequence)
            let third = try await session.mustTake(as: claim("o3", previous: "o2"))
            #expect(!third.mayBeRewound && third.wasRewound)
            #expect(third.era == first.era + 5 && third.verifiedEra == first.era)
            #expect(third.fence.sequence == 0)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anEraIsRaisedOnlyByWhoIsUpToDate(on kind: StoreKind) async throws {
        try await with(kind) { _, session in
            var state = try await session.mustTake()
            #expect(try await session.apply(state.commit).isCommitted)
            #expect(try await session.raise(state.fence, era: state.era + 5) == .outOfSequence)
            state.fence.sequence = 1
            #expect(try await session.raise(state.fence, era: state.era + 5).isCommitted)
        }
    }
}
