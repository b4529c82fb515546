import SagaCore
import SagaOrchestrator
import SagaStore
import SagaTesting
import SagaWire
import Synchronization
import Testing

/// One message can cause many commands, each with the saga's input.
@Suite("The size of commits")
struct CommitSizeTests {
    private func play(_ body: (Scenario, InMemoryStore) async throws -> Void) async throws {
        let namespace = InMemoryNamespace(partitions: 1)
        let scenario = Scenario(namespace)
        var reserve = StepDraft(
            name: "reserve", service: "stock", action: "reserve", compensation: .operation("release"),
            timeout: 60_000)
        reserve.forEach = ForEach(ValuePath(.input, ["items"]), parallel: 30)
        var steps = [reserve, StepDraft("go", signal: "go")]
        steps[1].after = []
        try await scenario.register(DefinitionDraft(name: "order", version: 1, steps: steps))
        try await body(scenario, namespace.memory)
    }

    private let sagas = (0..<20).map { "s\($0)" }

    private func begin(_ scenario: Scenario) async throws {
        let items = (0..<30).map { "\($0)" }.joined(separator: ",")
        for saga in sagas { try await scenario.start(saga, input: #"{"items": [\#(items)]}"#) }
        // About sagas whose start has to wait for a later commit.
        try await scenario.order(.pause, "s19", id: "c1")
        try await scenario.order(.resume, "s19", id: "c2")
    }

    private func end(_ scenario: Scenario) async throws {
        for saga in sagas {
            try await scenario.namespace.append(SignalMessage(saga: saga, name: "go").fields, to: .intake, of: 0)
        }
        try await eventually("all end") { try await scenario.endedCount() == sagas.count }
        for saga in sagas { #expect(try await scenario.saga(saga)?.status == .completed) }
        #expect(try await scenario.audit(sagas) == [])
        #expect(try await scenario.deadReasons() == [])
    }

    private static let entries = 50
    /// One message overdraws the bound by the entry that it makes and the commands of one saga.
    private static let largest = entries + 31

    @Test func startsAndRepliesWaitForTheNextCommitWhereThisOneIsLarge() async throws {
        try await play { scenario, memory in
            let sizes = Sizes(memory)
            try await scenario.run(configure: { $0.commitEntries = Self.entries }) {
                try await begin(scenario)
                try await end(scenario)
            }
            // The orders come besides.
            #expect(sizes.largest > 30 && sizes.largest <= Self.largest + 2)
        }
    }

    @Test func bytesCountToo() async throws {
        try await play { scenario, memory in
            let sizes = Sizes(memory)
            try await scenario.run(configure: { $0.commitBytes = 20_000 }) {
                try await begin(scenario)
                try await end(scenario)
            }
            // One message overdraws the bound by the commands of one saga, each with its input.
            #expect(sizes.mostBytes > 10_000 && sizes.mostBytes < 40_000)
        }
    }

    @Test func theSweepAsksForTheItemsOfFewSagasAtATime() async throws {
        try await play { scenario, memory in
            scenario.participants.setPlan { _ in Behaviour(.retry) }
            try await scenario.run(participants: false) {
                try await begin(scenario)
                try await eventually("all are started") { try await scenario.openCount() == sagas.count }
            }
            try await scenario.namespace.changeServer()
            scenario.participants.setPlan { _ in Behaviour() }
            let sizes = Sizes(memory)
            try await scenario.run(configure: { $0.commitEntries = Self.entries }) { try await end(scenario) }
            // The signals come besides.
            #expect(sizes.largest > 30 && sizes.largest <= 2 * Self.largest)
        }
    }
}

/// How many commands and log entries the largest commit had, and how many bytes of them.
private final class Sizes: Sendable {
    private let most = Mutex((count: 0, bytes: 0))

    init(_ memory: InMemoryStore) {
        memory.setFault { commit in
            let size = commit.commands.count + commit.changes.reduce(0) { $0 + $1.entries.count }
            let bytes =
                commit.commands.reduce(0) { $0 + $1.fields.bytes.count }
                + commit.changes.reduce(0) { $0 + $1.entries.reduce(0) { $0 + $1.count } }
            self.most.withLock { $0 = (max($0.count, size), max($0.bytes, bytes)) }
            return .none
        }
    }

    var largest: Int { most.withLock { $0.count } }
    var mostBytes: Int { most.withLock { $0.bytes } }
}
