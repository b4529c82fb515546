import SagaCore
import SagaStore
import SagaTesting
import SagaWire
import Testing

@Suite("Topics, on both stores")
struct EventConformanceTests {
    private func with(
        _ kind: StoreKind, _ body: (any TestNamespace, any StoreSession) async throws -> Void
    ) async throws {
        try await withNamespace(on: kind) { namespace in
            let session = namespace.store.session()
            try await body(namespace, session)
            await session.close()
        }
    }

    private func event(_ id: String, topic: String = "Paid") -> Fields {
        DomainEvent(id: id, key: "k", topic: topic, payload: [1], at: 5).fields
    }

    /// The ids of the events in a batch.
    private func ids(_ batch: InboxBatch) -> [String] {
        batch.entries.flatMap(\.messages).map { message in
            switch message.content {
            case .success(.event(let event)): event.id
            case .success(let other): "\(other)"
            case .failure(let reason): reason.code.rawValue
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func topicsAreReadBehindTheInboxAndOnlyThoseThatAreAskedFor(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            for partition in 0...1 {
                for topic in ["Paid", "Sent", "Other"] {
                    try await namespace.append(
                        event("\(topic)-\(partition)", topic: topic), to: .event(topic), of: partition)
                }
                try await namespace.append(.start("s\(partition)"), to: .intake, of: partition)
            }
            let cursors = [
                InboxCursor(partition: 0, positions: .beginning, topics: ["Paid", "Sent"]),
                InboxCursor(partition: 1, positions: .beginning, topics: ["Sent"]),
            ]
            let batches = try await session.read(cursors, count: 10, block: 0)
            #expect(batches.map(\.stream) == [.intake, .intake, .event("Paid"), .event("Sent"), .event("Sent")])
            #expect(batches.map(\.partition) == [0, 1, 0, 0, 1])
            #expect(batches.dropFirst(2).map(ids) == [["Paid-0"], ["Sent-0"], ["Sent-1"]])
            let plain = try await session.read(
                [InboxCursor(partition: 0, positions: .beginning)], count: 10, block: 0)
            #expect(plain.map(\.stream) == [.intake])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aTopicIsReadOnBehindItsPosition(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            for index in 0..<5 { try await namespace.append(event("e\(index)"), to: .event("Paid"), of: 0) }
            var cursor = InboxCursor(partition: 0, positions: .beginning, topics: ["Paid"])
            var read: [[String]] = []
            while let batch = try await session.read([cursor], count: 2, block: 0).first {
                read.append(ids(batch))
                cursor.positions[.event("Paid")] = batch.entries.last?.id ?? ""
            }
            #expect(read == [["e0", "e1"], ["e2", "e3"], ["e4"]])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aWaitingReadIsWokenByAnEvent(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let cursor = InboxCursor(partition: 0, positions: .beginning, topics: ["Paid"])
            async let reading = session.read([cursor], count: 10, block: 120_000)
            try await namespace.append(event("e"), to: .event("Paid"), of: 0)
            let batches = try await reading
            #expect(batches.map(ids) == [["e"]])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aCommitMovesThePositionsOfItsTopicsOnly(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await session.mustTake()
            #expect(state.positions.events == [:])
            var commit = state.commit
            commit.positions.events = ["Paid": "1-1", "Sent": "2-2"]
            #expect(commit.movedEvents == ["Paid": "1-1", "Sent": "2-2"])
            #expect(try await session.apply(commit).isCommitted)

            let second = try await session.mustTake(as: claim("o2", previous: "o1"))
            #expect(second.positions.events == ["Paid": "1-1", "Sent": "2-2"])
            var next = second.commit
            next.positions[.event("Sent")] = "3-3"
            #expect(next.movedEvents == ["Sent": "3-3"])
            next.dead = [DeadMark(stream: .reply, entry: "1-1", position: 0, reason: .init(.malformed, ""), saga: nil)]
            var refused = next
            refused.fence.sequence = 0
            #expect(try await session.apply(refused) == .outOfSequence)
            #expect(try await session.apply(next).isCommitted)
            let third = try await session.mustTake(as: claim("o3", previous: "o2"))
            #expect(third.positions.events == ["Paid": "1-1", "Sent": "3-3"])
            #expect(third.positions.reply == "0-0" && third.fence.sequence == 2)
            #expect(try await session.mustTake(1).positions.events == [:], "the other partition has nothing of it")
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aDeadLetterHoldsTheWholeEvent(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await session.mustTake()
            let fields = Fields.of("id", "e", "type", "com.example.paid", "payload", "{}")
            let entry = try await namespace.append(fields, to: .event("Paid"), of: 0)
            var commit = state.commit
            commit.events = [OutgoingEvent(topic: "Sent", fields: event("s", topic: "Sent"))]
            commit.dead = ["Paid", "Gone", "Sent"].map { topic in
                DeadMark(
                    stream: .event(topic), entry: entry, position: 0, reason: DeadReason(.malformed, "no key"),
                    saga: nil)
            }
            #expect(try await session.apply(commit).isCommitted)
            let letters = try await namespace.deadLetters(of: 0)
            #expect(letters.map { $0["source"]?.hasSuffix("event:Paid") }.first == true)
            #expect(letters.map { $0["source"]?.split(separator: ":").last } == ["Paid", "Gone", "Sent"])
            let own = ["source", "id", "message", "reason", "at"]
            #expect(letters.map(\.names) == [own + ["entry.id", "entry.type", "entry.payload"], own, own])
            #expect(letters.allSatisfy { $0["id"] == entry && $0["message"] == "0" })
            #expect(letters[0]["reason"] == "malformed: no key" && letters[0]["entry.type"] == "com.example.paid")
            #expect(try await namespace.inbox(.event("Sent"), of: 0).map(\.fields) == [event("s", topic: "Sent")])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func topicsAreTrimmedByWhatIsAppliedOrElseByAge(on kind: StoreKind) async throws {
        try await with(kind) { namespace, session in
            let state = try await session.mustTake()
            var ids: [String] = []
            for topic in ["Paid", "New", "Sent"] {
                for index in 0..<5 {
                    ids.append(try await namespace.append(event("\(index)", topic: topic), to: .event(topic), of: 0))
                }
            }
            func left() async throws -> [Int] {
                var counts: [Int] = []
                for topic in ["Paid", "New", "Sent"] {
                    counts.append(try await namespace.inbox(.event(topic), of: 0).count)
                }
                return counts
            }
            let topics = [
                TrimmedTopic("New", isTrigger: true), TrimmedTopic("Missing", isTrigger: false),
                TrimmedTopic("Paid", isTrigger: true), TrimmedTopic("Sent", isTrigger: false),
            ]
            func trim(eventsBefore: Milliseconds) async throws {
                let outcome = try await session.trim(
                    state.fence, services: ["x"], topics: topics, outcomesBefore: 0, eventsBefore: eventsBefore)
                #expect(outcome.isCommitted)
            }
            try await trim(eventsBefore: 0)
            #expect(try await left() == [5, 5, 5])
            var commit = state.commit
            commit.positions[.event("Paid")] = ids[2]
            guard case .committed(let now) = try await session.apply(commit) else { throw NotTaken() }
            try await trim(eventsBefore: 0)
            #expect(try await left() == [3, 5, 5], "the last applied one stays")
            // However old they are: what nobody has read yet is needed.
            try await trim(eventsBefore: now + 60_000)
            #expect(try await left() == [3, 5, 0])
        }
    }
}
