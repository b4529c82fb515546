import SagaCore
import SagaStore
import SagaTesting
import SagaWire
import Testing

func claim(_ owner: String, name: String = "ann", lease: Milliseconds = 60_000, previous: String? = nil) -> Claim {
    Claim(owner: owner, name: name, lease: lease, previous: previous)
}

extension StoreSession {
    /// Takes a partition that is free.
    func mustTake(
        _ partition: Int = 0, as claim: Claim = claim("o1"), stale: TakeOutcome.Holder? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> PartitionState {
        let outcome = try await take(partition, as: claim, stale: stale)
        guard case .taken(let state) = outcome else {
            Issue.record("not taken: \(outcome)", sourceLocation: sourceLocation)
            throw NotTaken()
        }
        return state
    }

    /// Commits and waits.
    func apply(_ commit: PartitionCommit) async throws -> CommitOutcome {
        try await submit(commit).outcome()
    }
}

struct NotTaken: Error {}

extension PartitionState {
    /// An empty commit that extends this state.
    var commit: PartitionCommit { PartitionCommit(fence: fence, positions: positions) }
}

extension CommitOutcome {
    var isCommitted: Bool { if case .committed = self { true } else { false } }
}

extension Fields {
    /// Names and values in turn.
    static func of(_ words: String...) -> Fields {
        var fields = Fields()
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            fields.append("", suffix: words[index], Array(words[index + 1].utf8))
        }
        return fields
    }

    static func start(_ saga: String) -> Fields {
        StartMessage(saga: saga, definition: "order", input: Array("{}".utf8)).fields
    }

    static func cancel(_ saga: String) -> Fields { ControlMessage(saga: saga, operation: .cancel).fields }

    static func reply(_ saga: String) -> Fields {
        let id = AttemptID(saga: saga, step: "a", phase: .action, attempt: 1, era: 1, token: "t")
        return ReplyMessage(id: id, outcome: .succeeded).fields
    }
}

extension InboxBatch {
    /// The sagas that the messages are about.
    var sagas: [String] {
        entries.flatMap(\.messages).map { message in
            switch message.content {
            case .success(let content): content.saga
            case .failure(let reason): reason.code.rawValue
            }
        }
    }
}

/// Everything that a partition holds, but for who owns it.
struct Holding: Equatable {
    var inbox: [InboxStream: [TestEntry]] = [:]
    var commands: [String: [TestEntry]] = [:]
    var outcomes: [TestEntry] = []
    var dead: [TestEntry] = []
    var logs: [String: [[UInt8]]] = [:]
    var open: [String: Milliseconds] = [:]
    var ended: [String: Milliseconds] = [:]
    var indexes: [SagaIndex: [String: Milliseconds]] = [:]

    static let indexes: [SagaIndex] = [
        .definition("d"), .label(name: "a", value: "b"), .status(.compensated), .status(.stuck),
    ]

    init(_ namespace: any TestNamespace, partition: Int = 0, sagas: [String], services: [String]) async throws {
        for stream in InboxStream.inbox { inbox[stream] = try await namespace.inbox(stream, of: partition) }
        for service in services { commands[service] = try await namespace.commands(of: service, in: partition) }
        outcomes = try await namespace.outcomes(of: partition)
        dead = try await namespace.deadLetters(of: partition)
        for saga in sagas { logs[saga] = try await namespace.log(of: saga, in: partition) }
        open = try await namespace.openSagas(of: partition)
        ended = try await namespace.endedSagas(of: partition)
        for index in Self.indexes { indexes[index] = try await namespace.sagas(in: index, of: partition) }
    }
}
