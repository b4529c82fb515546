import LocalRedis
import RedisTransport
import SagaCore
import SagaRedis
import SagaStore
import SagaTesting
import SagaWire
import Testing

/// What is too large to be read does not stop a partition.
@Suite struct OversizeTests {
    /// A session that takes replies of at most 64 KiB.
    private func with(_ body: (RedisNamespace, any StoreSession) async throws -> Void) async throws {
        try await withRedisNamespace { namespace, server in
            let store = RedisSagaStore(
                endpoint: server.endpoint, namespace: "test", options: Self.options, logger: quietLogger)
            _ = try await store.open(partitions: nil)
            let session = store.session()
            try await body(namespace, session)
            await session.close()
            await store.close()
        }
    }

    private static let options: RedisSagaStore.Options = {
        var options = RedisSagaStore.Options()
        options.connection.maxReplyBytes = 65_536
        return options
    }()

    private func start(_ saga: String, bytes: Int = 2) -> Fields {
        StartMessage(saga: saga, definition: "order", input: Array(repeating: 0x20, count: bytes)).fields
    }

    /// Reads all there is, as the orchestrator does; what each read brought.
    private func readAll(_ session: any StoreSession, count: Int = 256) async throws -> [[String]] {
        var cursors = [0, 1].map { InboxCursor(partition: $0, positions: .beginning) }
        var reads: [[String]] = []
        while true {
            let batches = try await session.read(cursors, count: count, block: 0)
            if batches.isEmpty { return reads }
            for batch in batches { cursors[batch.partition].positions[batch.stream] = batch.entries.last?.id ?? "" }
            reads.append(
                batches.flatMap { batch in
                    batch.entries.flatMap(\.messages).map { message in
                        switch message.content {
                        case .success(let content): "\(batch.stream) \(content.saga)"
                        case .failure(let reason): "\(batch.stream) \(reason.code.rawValue)"
                        }
                    }
                })
        }
    }

    @Test func anEntryThatIsTooLargeIsPassedOver() async throws {
        try await with { namespace, session in
            for index in 0..<3 { try await namespace.append(start("a\(index)"), to: .intake, of: 0) }
            try await namespace.append(start("large", bytes: 100_000), to: .intake, of: 0)
            for index in 3..<6 { try await namespace.append(start("a\(index)"), to: .intake, of: 0) }
            for index in 0..<3 { try await namespace.append(start("b\(index)"), to: .intake, of: 1) }
            let messages = try await readAll(session).flatMap { $0 }
            #expect(
                messages.filter { !$0.contains("b") }
                    == ["a0", "a1", "a2", "", "a3", "a4", "a5"].map { "intake \($0.isEmpty ? "oversized" : $0)" })
            #expect(messages.filter { $0.contains("b") } == ["intake b0", "intake b1", "intake b2"])
        }
    }

    @Test func manyEntriesThatAreTooLargeTogetherComeInParts() async throws {
        try await with { namespace, session in
            for index in 0..<200 { try await namespace.append(start("s\(index)", bytes: 3_000), to: .intake, of: 0) }
            let reads = try await readAll(session)
            #expect(reads.flatMap { $0 } == (0..<200).map { "intake s\($0)" })
            #expect(reads.count < 60, "not one by one: \(reads.map(\.count))")
        }
    }

    @Test func anOrderDoesNotOvertakeItsStart() async throws {
        try await with { namespace, session in
            for index in 0..<100 { try await namespace.append(start("s\(index)", bytes: 3_000), to: .intake, of: 0) }
            try await namespace.append(start("large", bytes: 100_000), to: .intake, of: 0)
            try await namespace.append(start("last"), to: .intake, of: 0)
            let order = ControlMessage(saga: "last", operation: .cancel)
            try await namespace.append(order.fields, to: .control, of: 0)
            // The other partition's orders wait for nobody.
            try await namespace.append(ControlMessage(saga: "x", operation: .cancel).fields, to: .control, of: 1)
            let reads = try await readAll(session)
            let messages = reads.flatMap { $0 }
            #expect(messages.last == "control last" || reads.last == ["control last", "intake last"])
            #expect(reads.first?.contains("control x") == true)
            #expect(messages.count == 104)
        }
    }

    @Test func theDeadLetterHoldsWhatCanBeToldOfIt() async throws {
        try await with { namespace, _ in
            let store = RedisSagaStore(
                endpoint: namespace.endpoint, namespace: "test", options: Self.options, logger: quietLogger)
            let scenario = Scenario(namespace)
            try await scenario.register(orderDraft())
            let partition = scenario.partition(of: "large")
            try await namespace.append(start("large", bytes: 100_000), to: .intake, of: partition)
            try await scenario.run(on: [store]) {
                try await scenario.start("s1")
                try await eventually("the saga ends") { try await scenario.end(of: "s1") == .completed }
                try await eventually("the letter is there") { try await scenario.deadReasons() == ["oversized"] }
            }
            let letter = try #require(try await namespace.deadLetters(of: partition).first)
            #expect(letter["entry.saga"] == "large")
            #expect(letter["entry.input"]?.hasSuffix("… (cut from 100000 bytes)") == true)
            await store.close()
        }
    }
}
