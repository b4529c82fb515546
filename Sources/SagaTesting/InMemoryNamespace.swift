public import SagaCore
public import SagaRedis
public import SagaStore
public import SagaWire

/// A namespace on the in-memory store, with the machine's clock.
public struct InMemoryNamespace: TestNamespace {
    /// The store, with its faults and rewinds.
    public let memory: InMemoryStore
    public let keys: KeySpace
    public var store: any SagaStore { memory }

    public init(partitions: Int = 2) {
        memory = InMemoryStore(partitions: partitions, clock: presentMilliseconds)
        keys = KeySpace(namespace: "test", partitions: partitions)
    }

    @discardableResult
    public func append(_ fields: Fields, to stream: InboxStream, of partition: Int) async throws -> String {
        memory.append(fields, to: stream, of: partition)
    }

    public func commandSource(of service: String) -> any CommandSource {
        Source(namespace: self, service: service)
    }

    public func commands(of service: String, in partition: Int) async throws -> [TestEntry] {
        entries(of: memory.snapshot().partitions[partition].commands[service])
    }

    public func inbox(_ stream: InboxStream, of partition: Int) async throws -> [TestEntry] {
        entries(of: memory.snapshot().partitions[partition].inbox[stream])
    }

    public func outcomes(of partition: Int) async throws -> [TestEntry] {
        entries(of: memory.snapshot().partitions[partition].outcomes)
    }

    public func deadLetters(of partition: Int) async throws -> [TestEntry] {
        entries(of: memory.snapshot().partitions[partition].dead)
    }

    public func log(of saga: String, in partition: Int) async throws -> [[UInt8]] {
        memory.snapshot().partitions[partition].logs[saga] ?? []
    }

    public func openSagas(of partition: Int) async throws -> [String: Milliseconds] {
        memory.snapshot().partitions[partition].open
    }

    public func endedSagas(of partition: Int) async throws -> [String: Milliseconds] {
        memory.snapshot().partitions[partition].ended
    }

    public func sagas(in index: SagaIndex, of partition: Int) async throws -> [String: Milliseconds] {
        memory.snapshot().partitions[partition].indexes[index] ?? [:]
    }

    public func logExpiry(of saga: String, in partition: Int) async throws -> Milliseconds? {
        memory.snapshot().partitions[partition].expiries[saga]
    }

    public func hastenRemovals() async throws {
        memory.withContents { contents in
            for partition in contents.partitions.indices {
                contents.partitions[partition].ended = contents.partitions[partition].ended.mapValues { _ in 1 }
            }
        }
    }

    public func changeServer() async throws { memory.restore(memory.snapshot()) }

    private func entries(of stream: StoredStream?) -> [TestEntry] {
        (stream?.entries ?? []).map { TestEntry(id: "\($0.id)", fields: $0.fields) }
    }

    private struct Source: CommandSource {
        let namespace: InMemoryNamespace
        let service: String

        mutating func next() async throws -> [Delivery] {
            let deliveries = (0..<namespace.keys.partitions).flatMap { partition in
                namespace.memory.takeCommands(of: service, in: partition).compactMap { fields in
                    // The coordinator's own commands can be decoded.
                    try? fields.withViews { views throws(DeadReason) in try Command.decode(views) }
                }.map { Delivery(partition: partition, entry: "", command: $0) }
            }
            if deliveries.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            return deliveries
        }

        func answer(_ answers: [(delivery: Delivery, reply: ReplyMessage)]) async throws {
            for (delivery, reply) in answers {
                namespace.memory.append(reply.fields, to: .reply, of: delivery.partition)
            }
        }

        func close() async {}
    }
}

/// Unix milliseconds that never run backwards.
private func presentMilliseconds() -> Milliseconds {
    let (seconds, attoseconds) = (ContinuousClock.now - beginning).components
    return 1_700_000_000_000 + seconds * 1_000 + attoseconds / 1_000_000_000_000_000
}

private let beginning = ContinuousClock.now
