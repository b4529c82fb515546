import SagaCore
import SagaStore
import SagaTesting
import SagaWire
import Testing

@Suite("Commits, on both stores")
struct CommitConformanceTests {
    private func with(
        _ kind: StoreKind, _ body: (any TestNamespace, any StoreSession) async throws -> Void
    ) async throws {
        try await withNamespace(on: kind) { namespace in
            let session = namespace.store.session()
            try await body(namespace, session)
            await session.close()
        }
    }

    private func bytes(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    @Test(arguments: StoreKind.allCases)
    func aCommitIsAppliedAndTheNextOneExtendsIt(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await session.mustTake()
            var commit = state.commit
            commit.positions = InboxPositions(reply: "1-1", control: "2-2", intake: "3-3")
            commit.verifiedEra = 42
            commit.changes = [
                SagaChange(saga: "a/b", firstIndex: 0, entries: bytes("0", "1"), alarm: .at(1_700_000_000_001)),
                SagaChange(saga: "c", firstIndex: 0, entries: bytes("0"), alarm: .never),
            ]
            commit.commands = [
                OutgoingCommand(service: "x", fields: .of("n", "1")),
                OutgoingCommand(service: "y", fields: .of("n", "2")),
                OutgoingCommand(service: "x", fields: .of("n", "3", "b", "\u{0}\r\n")),
            ]
            commit.outcomes = [.of("saga", "c", "status", "completed")]
            guard case .committed(let now) = try await session.apply(commit) else {
                Issue.record("refused")
                return
            }
            #expect(now >= state.now)
            #expect(try await namespace.log(of: "a/b", in: 0) == bytes("0", "1"))
            #expect(try await namespace.openSagas(of: 0) == ["a/b": 1_700_000_000_001, "c": .max])
            #expect(try await namespace.commands(of: "x", in: 0).map { $0["n"] } == ["1", "3"])
            #expect(try await namespace.commands(of: "x", in: 0).last?["b"] == "\u{0}\r\n")
            #expect(try await namespace.commands(of: "y", in: 0).map(\.fields) == [.of("n", "2")])
            #expect(try await namespace.outcomes(of: 0).map(\.fields) == commit.outcomes)

            var next = state.commit
            next.fence.sequence = 1
            next.positions = commit.positions
            next.changes = [
                SagaChange(saga: "c", firstIndex: 1, entries: bytes("1"), alarm: .ended(77)),
                SagaChange(saga: "a/b", firstIndex: 2, alarm: .keep),
            ]
            #expect(try await session.apply(next).isCommitted)
            #expect(try await namespace.openSagas(of: 0) == ["a/b": 1_700_000_000_001])
            #expect(try await namespace.endedSagas(of: 0) == ["c": 77])
            #expect(try await namespace.log(of: "c", in: 0) == bytes("0", "1"))
            let after = try await session.mustTake(as: claim("o2", previous: "o1"))
            #expect(after.fence.sequence == 2 && after.positions == commit.positions && after.verifiedEra == 42)
            #expect(try await namespace.log(of: "c", in: 1) == [], "the other partition has nothing of it")
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whatIsRefusedHasWrittenNothing(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await session.mustTake()
            let id = try await namespace.append(.start("a"), to: .intake, of: 0)
            var first = state.commit
            first.changes = [
                SagaChange(
                    saga: "a", firstIndex: 0, entries: bytes("0"), alarm: .at(5),
                    indexes: [.put(.status(.stuck), startedAt: 4)])
            ]
            #expect(try await session.apply(first).isCommitted)
            let before = try await Holding(namespace, sagas: ["a", "b"], services: ["x"])

            var commit = first
            commit.fence.sequence = 1
            commit.positions.intake = id
            commit.changes = [
                SagaChange(
                    saga: "b", firstIndex: 0, entries: bytes("0"), alarm: .never,
                    indexes: [.put(.definition("d"), startedAt: 5)]),
                SagaChange(
                    saga: "a", firstIndex: 1, entries: bytes("1"), alarm: .ended(9),
                    indexes: [.remove(.status(.stuck)), .put(.status(.compensated), startedAt: 4)]),
            ]
            commit.commands = [OutgoingCommand(service: "x", fields: .of("n", "1"))]
            commit.outcomes = [.of("saga", "a")]
            commit.dead = [
                DeadMark(stream: .intake, entry: id, position: 0, reason: DeadReason(.conflict, "it is"), saga: "a")
            ]
            for (outcome, change) in [
                (CommitOutcome.fenced, { $0.fence.owner = "o2" }), (.fenced, { $0.fence.epoch = 2 }),
                (.fenced, { $0.fence.epoch = 0 }), (.outOfSequence, { $0.fence.sequence = 0 }),
                (.outOfSequence, { $0.fence.sequence = 2 }), (.logMoved, { $0.changes[0].firstIndex = 1 }),
                (.logMoved, { $0.changes[1].firstIndex = 0 }), (.logMoved, { $0.changes[1].firstIndex = 2 }),
                // Who owns it comes first, then how far it is.
                (.fenced, { ($0.fence.owner, $0.fence.sequence) = ("o2", 7) }),
                (.outOfSequence, { ($0.fence.sequence, $0.changes[0].firstIndex) = (7, 7) }),
            ] as [(CommitOutcome, (inout PartitionCommit) -> Void)] {
                var wrong = commit
                change(&wrong)
                #expect(try await session.apply(wrong) == outcome)
                let after = try await Holding(namespace, sagas: ["a", "b"], services: ["x"])
                #expect(after == before, "\(outcome)")
            }
            #expect(try await session.apply(commit).isCommitted)
            #expect(try await session.apply(commit) == .outOfSequence)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func deadLettersHoldTheMessageAndTheReason(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await session.mustTake()
            var entry = Fields.start("a")
            entry.append(contentsOf: .of("type", "start", "saga", "b", "input", String(repeating: "x", count: 5_000)))
            let intake = try await namespace.append(entry, to: .intake, of: 0)
            let prefixed = try await namespace.append(.of("n", "1", "type", "reply"), to: .reply, of: 0)
            var commit = state.commit
            let reason = DeadReason(.conflict, "started otherwise")
            commit.dead = [
                DeadMark(stream: .intake, entry: intake, position: 1, reason: reason, saga: "b"),
                DeadMark(stream: .reply, entry: prefixed, position: 0, reason: reason, saga: nil),
                DeadMark(stream: .reply, entry: prefixed, position: 1, reason: reason, saga: nil),
                DeadMark(stream: .reply, entry: prefixed, position: 2, reason: reason, saga: nil),
                DeadMark(stream: .control, entry: "9-9", position: 0, reason: reason, saga: "c"),
            ]
            #expect(try await session.apply(commit).isCommitted)
            let letters = try await namespace.deadLetters(of: 0)
            let own = ["source", "id", "message", "reason", "at"]
            #expect(
                letters.map(\.names) == [
                    own + ["saga", "entry.type", "entry.saga", "entry.input"], own + ["entry.n"], own + ["entry.type"],
                    own, own + ["saga"],
                ])
            #expect(letters.allSatisfy { $0["reason"] == "conflict: started otherwise" })
            #expect(letters.map { $0["message"] } == ["1", "0", "1", "2", "0"])
            #expect(letters.map { $0["id"] } == [intake, prefixed, prefixed, prefixed, "9-9"])
            #expect(
                letters[0]["source"]?.hasSuffix("intake") == true && letters[4]["source"]?.hasSuffix("control") == true)
            #expect(letters[0]["saga"] == "b" && letters[4]["saga"] == "c")
            #expect(letters[0]["entry.input"] == String(repeating: "x", count: 4_096) + "… (cut from 5000 bytes)")
        }
    }

    @Test(arguments: StoreKind.allCases)
    func alarmsAreKeptSetAndForgotten(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await session.mustTake()
            let steps: [(SagaChange.Alarm, [String: Milliseconds], [String: Milliseconds])] = [
                (.keep, [:], [:]), (.at(10), ["s": 10], [:]), (.keep, ["s": 10], [:]), (.never, ["s": .max], [:]),
                (.at(5), ["s": 5], [:]), (.gone, [:], [:]), (.at(7), ["s": 7], [:]), (.rested, [:], [:]),
                (.ended(8), [:], ["s": 8]), (.rested, [:], ["s": 8]),
            ]
            for (index, step) in steps.enumerated() {
                var commit = state.commit
                commit.fence.sequence = Int64(index)
                commit.changes = [SagaChange(saga: "s", firstIndex: 0, alarm: step.0)]
                #expect(try await session.apply(commit).isCommitted)
                #expect(try await namespace.openSagas(of: 0) == step.1)
                #expect(try await namespace.endedSagas(of: 0) == step.2)
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aCommandTakesThePlaceOfOneThatNobodyWasGiven(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await session.mustTake()
            var commit = state.commit
            commit.commands = ["1", "2"].map { OutgoingCommand(service: "x", fields: .of("n", $0)) }
            commit.commands.append(OutgoingCommand(service: "y", fields: .of("n", "3")))
            let sent = try await session.submit(commit).result()
            #expect(sent.outcome.isCommitted)
            let stored = try await namespace.commands(of: "x", in: 0) + namespace.commands(of: "y", in: 0)
            #expect(sent.commands.map { "\($0)" } == stored.map(\.id))
            var next = state.commit
            next.fence.sequence = 1
            next.commands = [
                OutgoingCommand(service: "x", fields: .of("n", "4"), replaced: sent.commands[0]),
                OutgoingCommand(service: "y", fields: .of("n", "5")),
            ]
            #expect(try await session.apply(next).isCommitted)
            #expect(try await namespace.commands(of: "x", in: 0).map { $0["n"] } == ["2", "4"])
            #expect(try await namespace.commands(of: "y", in: 0).map { $0["n"] } == ["3", "5"])
            #expect(try await session.apply(next) == .outOfSequence)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whereStartsWaitTheIntakeIsNotRead(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await session.mustTake()
            try await namespace.append(.start("a"), to: .intake, of: 0)
            try await namespace.append(.reply("b"), to: .reply, of: 0)
            var cursor = InboxCursor(partition: 0, positions: state.positions, readsIntake: false)
            #expect(try await session.read([cursor], count: 10, block: 0).map(\.stream) == [.reply])
            cursor.readsIntake = true
            #expect(try await session.read([cursor], count: 10, block: 0).map(\.stream) == [.reply, .intake])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func commitsOfOneSessionAreExecutedInTheirOrder(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await session.mustTake()
            let pending = (0..<50).map { index in
                var commit = state.commit
                commit.fence.sequence = Int64(index)
                commit.changes = [SagaChange(saga: "s", firstIndex: index, entries: bytes("\(index)"))]
                return session.submit(commit)
            }
            for commit in pending { #expect(try await commit.outcome().isCommitted) }
            #expect(try await namespace.log(of: "s", in: 0) == (0..<50).map { Array("\($0)".utf8) })
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whatIsAppliedIsTrimmedAndNothingElse(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await session.mustTake()
            var ids: [InboxStream: [String]] = [:]
            for stream in InboxStream.inbox {
                for index in 0..<5 {
                    ids[stream, default: []].append(
                        try await namespace.append(.of("type", "x", "n", "\(index)"), to: stream, of: 0))
                }
            }
            func left() async throws -> [Int] {
                var counts: [Int] = []
                for stream in InboxStream.inbox { counts.append(try await namespace.inbox(stream, of: 0).count) }
                return counts
            }
            #expect(
                try await session.trim(state.fence, services: ["x"], topics: [], outcomesBefore: 0, eventsBefore: 0)
                    .isCommitted)
            #expect(try await left() == [5, 5, 5])
            var commit = state.commit
            for (stream, place) in [(InboxStream.reply, 4), (.intake, 2)] {
                commit.positions[stream] = ids[stream]?[place] ?? ""
            }
            commit.commands = [OutgoingCommand(service: "x", fields: .of("n", "1"))]
            commit.outcomes = [.of("saga", "a", "status", "completed")]
            guard case .committed(let now) = try await session.apply(commit) else { throw NotTaken() }
            // By the positions that are stored, whatever sequence the caller knows; the last applied entry stays.
            #expect(
                try await session.trim(state.fence, services: ["x"], topics: [], outcomesBefore: now, eventsBefore: 0)
                    .isCommitted)
            #expect(try await left() == [1, 5, 3])
            #expect(try await namespace.commands(of: "x", in: 0).count == 1)
            #expect(try await namespace.outcomes(of: 0).count == 1)
            #expect(
                try await session.trim(
                    state.fence, services: ["x"], topics: [], outcomesBefore: now + 60_000, eventsBefore: 0
                ).isCommitted)
            #expect(try await namespace.outcomes(of: 0).count == 0)
            var other = state.fence
            other.owner = "o2"
            #expect(
                try await session.trim(other, services: [], topics: [], outcomesBefore: 0, eventsBefore: 0) == .fenced)
            other = state.fence
            other.epoch = 2
            #expect(
                try await session.trim(other, services: [], topics: [], outcomesBefore: 0, eventsBefore: 0) == .fenced)
        }
    }
}
