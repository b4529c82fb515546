import SagaCore
import SagaStore
import SagaTesting
import SagaWire
import Testing

@Suite("Reading, on both stores")
struct ReadingConformanceTests {
    private func with(
        _ kind: StoreKind, _ body: (any TestNamespace, any StoreSession) async throws -> Void
    ) async throws {
        try await withNamespace(on: kind) { namespace in
            let session = namespace.store.session()
            try await body(namespace, session)
            await session.close()
        }
    }

    private let cursors = [0, 1].map { InboxCursor(partition: $0, positions: .beginning) }

    @Test(arguments: StoreKind.allCases)
    func repliesComeFirstThenOrdersThenStarts(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            for partition in 0...1 {
                try await namespace.append(.start("s\(partition)"), to: .intake, of: partition)
                try await namespace.append(.cancel("c\(partition)"), to: .control, of: partition)
                try await namespace.append(.reply("r\(partition)"), to: .reply, of: partition)
            }
            let batches = try await session.read(cursors, count: 10, block: 0)
            #expect(batches.map(\.stream) == [.reply, .reply, .control, .control, .intake, .intake])
            #expect(batches.map(\.partition) == [0, 1, 0, 1, 0, 1])
            #expect(batches.flatMap(\.sagas) == ["r0", "r1", "c0", "c1", "s0", "s1"])
            let other = try await session.read([cursors[1]], count: 10, block: 0)
            #expect(other.flatMap(\.sagas) == ["r1", "c1", "s1"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aReadGoesOnBehindItsPositionUpToTheCount(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            for index in 0..<7 { try await namespace.append(.start("s\(index)"), to: .intake, of: 0) }
            var cursor = cursors[0]
            var read: [[String]] = []
            while let batch = try await session.read([cursor], count: 3, block: 0).first {
                read.append(batch.sagas)
                cursor.positions.intake = batch.entries.last?.id ?? ""
            }
            #expect(read == [["s0", "s1", "s2"], ["s3", "s4", "s5"], ["s6"]])
            #expect(try await session.read([cursor], count: 3, block: 0).isEmpty)
            #expect(try await session.read([], count: 3, block: 0).isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anEntryOfSeveralMessagesIsOneEntry(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            var fields = Fields.reply("a")
            fields.append(contentsOf: .of("type", "reply", "saga", "b"))
            fields.append(contentsOf: .reply("c"))
            try await namespace.append(fields, to: .reply, of: 0)
            try await namespace.append(.of("n", "1"), to: .reply, of: 0)
            let batch = try #require(try await session.read(cursors, count: 10, block: 0).first)
            #expect(batch.sagas == ["a", "malformed", "c", "malformed"])
            #expect(batch.entries.map { $0.messages.map(\.position) } == [[0, 1, 2], [0]])
            #expect(batch.entries[0].messages[1].saga == "b")
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aWaitingReadIsWokenByWhatComes(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let start = ContinuousClock.now
            async let reading = session.read(cursors, count: 10, block: 120_000)
            try await Task.sleep(for: .milliseconds(50))
            try await namespace.append(.start("s"), to: .intake, of: 1)
            let batches = try await reading
            #expect(batches.flatMap(\.sagas) == ["s"] && batches.first?.partition == 1)
            #expect(ContinuousClock.now - start < .seconds(60))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aWaitingReadEnds(on kind: StoreKind) async throws {
        try await with(kind) { _, session in
            let start = ContinuousClock.now
            let batches = try await session.read(cursors, count: 10, block: 60)
            #expect(batches.isEmpty)
            #expect(ContinuousClock.now - start >= .milliseconds(59))
            #expect(try await session.read(cursors, count: 10, block: 0).isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func logsComeInTheOrderInWhichTheyAreAskedFor(on kind: StoreKind) async throws {
        try await with(kind) { _, session in
            var commit = try await session.mustTake().commit
            let logs: [String: [[UInt8]]] = ["a": [[0, 255], []], "b": [[1]]]
            commit.changes = logs.map { SagaChange(saga: $0, firstIndex: 0, entries: $1) }
            #expect(try await session.apply(commit).isCommitted)
            let loaded = try await session.load(["b", "unknown", "a", "b"], of: 0)
            #expect(loaded == [[[1]], [], [[0, 255], []], [[1]]])
            #expect(try await session.load([], of: 0).isEmpty)
            #expect(try await session.load(["a"], of: 1) == [[]])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whatIsDueComesEarliestFirstWithTheAlarmBehind(on kind: StoreKind) async throws {
        try await with(kind) { _, session in
            let state = try await session.mustTake()
            #expect(try await session.due(0, by: 100, limit: 10) == DueSagas(sagas: [], next: nil))
            var commit = state.commit
            let alarms: [(String, SagaChange.Alarm)] = [
                ("c", .at(30)), ("a", .at(10)), ("b2", .at(20)), ("b1", .at(20)), ("n", .never), ("far", .at(.max - 1)),
                ("e", .ended(5)),
            ]
            commit.changes = alarms.map { SagaChange(saga: $0, firstIndex: 0, alarm: $1) }
            #expect(try await session.apply(commit).isCommitted)
            for (instant, limit, sagas, next) in [
                (9, 10, [], 10), (10, 10, ["a"], 20), (20, 10, ["a", "b1", "b2"], 30), (20, 2, ["a", "b1"], 20),
                (20, 3, ["a", "b1", "b2"], 30), (25, 1, ["a"], 20), (1_000, 3, ["a", "b1", "b2"], 30),
            ] as [(Milliseconds, Int, [String], Milliseconds)] {
                let due = try await session.due(0, by: instant, limit: limit)
                #expect(due == DueSagas(sagas: sagas, next: next), "by \(instant), \(limit)")
            }
            // An alarm at the end of time is one, however it is written down.
            let last = try await session.due(0, by: 1_000, limit: 4)
            #expect(last.sagas == ["a", "b1", "b2", "c"] && last.next.map { $0 >= .max - 1 } == true)
            #expect(try await session.due(1, by: 1_000, limit: 10) == DueSagas(sagas: [], next: nil))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aWalkMeetsEveryOpenSaga(on kind: StoreKind) async throws {
        try await with(kind) { _, session in
            var commit = try await session.mustTake().commit
            let sagas = (0..<1_000).map { "s\($0)" }
            commit.changes = sagas.map { saga in
                SagaChange(saga: saga, firstIndex: 0, alarm: saga.hasSuffix("0") ? .never : .at(5))
            }
            #expect(try await session.apply(commit).isCommitted)
            var met: Set<String> = []
            var cursor = "0"
            repeat {
                let page = try await session.openSagas(0, after: cursor)
                met.formUnion(page.sagas)
                cursor = page.next
            } while cursor != "0"
            #expect(met == Set(sagas))
            let empty = try await session.openSagas(1, after: "0")
            #expect(empty.sagas.isEmpty && empty.next == "0")
        }
    }
}
