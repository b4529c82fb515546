import SagaCore
import SagaStore
import SagaTesting
import Testing

@Suite("Indexes and the removal of ended sagas, on both stores")
struct RetentionConformanceTests {
    private func with(
        _ kind: StoreKind, _ body: (any TestNamespace, any StoreSession) async throws -> Void
    ) async throws {
        try await withNamespace(on: kind) { namespace in
            let session = namespace.store.session()
            try await body(namespace, session)
            await session.close()
        }
    }

    private static let label = SagaIndex.label(name: "city", value: "Köln {1}=\u{0}")

    /// Sagas `e0`, `e1`, … that ended, to be removed at 10, 20, …; the odd ones compensated.
    private func end(_ count: Int, _ session: any StoreSession) async throws -> PartitionState {
        let state = try await session.mustTake()
        var commit = state.commit
        commit.changes = (0..<count).map { number in
            var indexes: [IndexChange] = [
                .put(.definition("d"), startedAt: Int64(number)), .put(Self.label, startedAt: Int64(number)),
            ]
            if number % 2 == 1 { indexes.append(.put(.status(.compensated), startedAt: Int64(number))) }
            return SagaChange(
                saga: "e\(number)", firstIndex: 0, entries: [[1, UInt8(number)], [2], [3, UInt8(number)]],
                alarm: .ended(Int64(10 * number + 10)), indexes: indexes)
        }
        #expect(try await session.apply(commit).isCommitted)
        return state
    }

    @Test(arguments: StoreKind.allCases)
    func indexesHoldWhatIsPutUntilItIsTakenOut(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await session.mustTake()
            let steps: [([IndexChange], [String: Milliseconds], [String: Milliseconds])] = [
                ([.put(.definition("d"), startedAt: 1_700_000_000_123)], ["s": 1_700_000_000_123], [:]),
                ([.put(Self.label, startedAt: 5), .remove(.status(.stuck))], ["s": 1_700_000_000_123], ["s": 5]),
                ([.put(.definition("d"), startedAt: 7), .put(Self.label, startedAt: 6)], ["s": 7], ["s": 6]),
                ([.remove(.definition("d"))], [:], ["s": 6]), ([.remove(Self.label)], [:], [:]),
            ]
            for (number, step) in steps.enumerated() {
                var commit = state.commit
                commit.fence.sequence = Int64(number)
                commit.changes = [
                    SagaChange(saga: "s", firstIndex: 0, indexes: step.0), SagaChange(saga: "t", firstIndex: 0),
                ]
                #expect(try await session.apply(commit).isCommitted)
                #expect(try await namespace.sagas(in: .definition("d"), of: 0) == step.1)
                #expect(try await namespace.sagas(in: Self.label, of: 0) == step.2)
            }
            #expect(try await namespace.sagas(in: .definition("d"), of: 1).isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func expiredSagasComeLongestDueFirstWithWhatTombstonesNeed(on kind: StoreKind) async throws {
        try await with(kind) { _, session in
            #expect(try await session.expired(0, by: 100, limit: 10) == ExpiredSagas(sagas: [], next: nil))
            _ = try await end(3, session)
            func expired(_ number: Int) -> ExpiredSaga {
                ExpiredSaga(
                    saga: "e\(number)", removal: Int64(10 * number + 10), first: [1, UInt8(number)],
                    last: [3, UInt8(number)], isCompensated: number % 2 == 1)
            }
            for (instant, limit, count, next) in [
                (9, 10, 0, 10), (10, 10, 1, 20), (29, 10, 2, 30), (30, 10, 3, nil), (.max - 1, 2, 2, 30),
                (15, 1, 1, 20), (.max - 1, 3, 3, nil),
            ] as [(Milliseconds, Int, Int, Milliseconds?)] {
                let found = try await session.expired(0, by: instant, limit: limit)
                #expect(found == ExpiredSagas(sagas: (0..<count).map(expired), next: next), "\(instant) \(limit)")
            }
            #expect(try await session.expired(1, by: 100, limit: 10) == ExpiredSagas(sagas: [], next: nil))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aRemovedSagaLeavesATombstoneForItsTime(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await end(4, session)
            let late = state.now + 3_600_000
            func retirement(_ number: Int, _ tombstone: [UInt8]?, _ expiry: Milliseconds) -> Retirement {
                Retirement(
                    saga: "e\(number)", removal: Int64(10 * number + 10),
                    indexes: [.definition("d"), Self.label] + (number % 2 == 1 ? [.status(.compensated)] : []),
                    tombstone: tombstone, expiry: expiry)
            }
            let retirements = [retirement(0, [9], late), retirement(1, nil, 0), retirement(3, [9], 1)]
            #expect(try await session.retire(state.fence, retirements).isCommitted)
            #expect(try await namespace.log(of: "e0", in: 0) == [[9]])
            #expect(try await namespace.logExpiry(of: "e0", in: 0) == late)
            for saga in ["e1", "e3"] { #expect(try await namespace.log(of: saga, in: 0) == [], "\(saga)") }
            #expect(try await namespace.log(of: "e2", in: 0).count == 3)
            #expect(try await namespace.logExpiry(of: "e2", in: 0) == nil)
            #expect(try await namespace.endedSagas(of: 0) == ["e2": 30])
            #expect(try await namespace.sagas(in: .definition("d"), of: 0) == ["e2": 2])
            #expect(try await namespace.sagas(in: Self.label, of: 0) == ["e2": 2])
            #expect(try await namespace.sagas(in: .status(.compensated), of: 0).isEmpty)
            #expect(try await session.load(["e0", "e1"], of: 0) == [[[9]], []])

            // The id is taken as long as the tombstone stands, and free without one.
            for (saga, outcome) in [("e0", CommitOutcome.logMoved), ("e1", .committed(now: 0))] {
                var commit = state.commit
                commit.fence.sequence = 1
                commit.changes = [SagaChange(saga: saga, firstIndex: 0, entries: [[1]], alarm: .never)]
                #expect(try await session.apply(commit).isCommitted == outcome.isCommitted)
            }
            #expect(try await namespace.logExpiry(of: "e1", in: 0) == nil, "what is open never expires")
        }
    }

    @Test(arguments: StoreKind.allCases)
    func onlyEndedSagasAndOnlyByTheOwnerAreRemoved(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await end(2, session)
            var commit = state.commit
            commit.fence.sequence = 1
            commit.changes = [
                SagaChange(saga: "open", firstIndex: 0, entries: [[1]], alarm: .at(5)),
                SagaChange(saga: "rested", firstIndex: 0, entries: [[1]], alarm: .rested),
            ]
            #expect(try await session.apply(commit).isCommitted)
            let sagas = ["e0", "e1", "open", "rested"]
            let before = try await Holding(namespace, sagas: sagas, services: [])
            func retirement(_ saga: String, _ removal: Milliseconds) -> Retirement {
                Retirement(
                    saga: saga, removal: removal, indexes: [.definition("d")], tombstone: [9],
                    expiry: state.now + 60_000)
            }
            var (owner, epoch) = (state.fence, state.fence)
            owner.owner = "o2"
            epoch.epoch += 1
            for fence in [owner, epoch] {
                #expect(try await session.retire(fence, [retirement("e0", 10)]) == .fenced)
            }
            let others = [
                retirement("open", 5), retirement("rested", 5), retirement("nobody", 5), retirement("e0", 11),
                retirement("e1", 10),
            ]
            #expect(try await session.retire(state.fence, others).isCommitted)
            #expect(try await Holding(namespace, sagas: sagas, services: []) == before)
            #expect(try await session.retire(state.fence, []).isCommitted)

            // One that was taken back after its end keeps everything.
            var reopening = commit
            reopening.fence.sequence = 2
            reopening.changes = [SagaChange(saga: "e0", firstIndex: 3, alarm: .never)]
            #expect(try await session.apply(reopening).isCommitted)
            #expect(try await session.retire(state.fence, [retirement("e0", 10)]).isCommitted)
            var expected = before
            (expected.open["e0"], expected.ended["e0"]) = (.max, nil)
            #expect(try await Holding(namespace, sagas: sagas, services: []) == expected)
        }
    }
}
