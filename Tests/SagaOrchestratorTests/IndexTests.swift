import SagaCore
import SagaOrchestrator
import SagaRedis
import SagaStore
import SagaTesting
import SagaWire
import Testing

/// The statuses in whose indexes a saga stands.
private func statuses(of saga: String, _ scenario: Scenario) async throws -> [Saga.Status] {
    var found: [Saga.Status] = []
    for status in SagaIndex.statuses {
        let sagas = try await scenario.namespace.sagas(in: .status(status), of: scenario.partition(of: saga))
        if sagas[saga] != nil { found.append(status) }
    }
    return found
}

/// What the indexes say differently from the sagas' logs.
func indexFaults(_ sagas: [String], _ scenario: Scenario) async throws -> [String] {
    var expected: [SagaIndex: [String: Milliseconds]] = [:]
    var indexes: Set<SagaIndex> = [.definition("order")]
    for status in SagaIndex.statuses { indexes.insert(.status(status)) }
    for id in sagas {
        guard let saga = try await scenario.saga(id) else { continue }
        let labels = saga.started.labels.map { SagaIndex.label(name: $0.key, value: $0.value) }
        for index in labels + [.definition(saga.definition.name)] + (SagaIndex(saga.status).map { [$0] } ?? []) {
            expected[index, default: [:]][id] = saga.startedAt
            indexes.insert(index)
        }
    }
    var faults: [String] = []
    for index in indexes {
        var stored: [String: Milliseconds] = [:]
        for partition in 0..<scenario.namespace.keys.partitions {
            stored.merge(try await scenario.namespace.sagas(in: index, of: partition)) { one, _ in one }
        }
        if stored != expected[index] ?? [:] { faults.append("\(index): \(stored), not \(expected[index] ?? [:])") }
    }
    return faults
}

@Suite("What the orchestrator writes to indexes, on both stores")
struct IndexTests {
    private func play(
        on kind: StoreKind, partitions: Int = 2, _ body: (Scenario) async throws -> Void
    ) async throws {
        try await withNamespace(on: kind, partitions: partitions) { namespace in
            let scenario = Scenario(namespace)
            var draft = orderDraft()
            for index in draft.steps.indices { draft.steps[index].compensationRetry = RetryPolicyDraft(initial: 10) }
            try await scenario.register(draft)
            try await body(scenario)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func theIndexFollowsTheStatusThroughCompensationStuckAndRetry(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            // The compensation answers when it may, and at first refuses.
            scenario.participants.setPlan { command in
                if command.phase == .action { return Behaviour(command.step == "charge" ? .failed : .succeeded) }
                return Behaviour(.retry)
            }
            try await scenario.run {
                let start = StartMessage(
                    saga: "s1", definition: "order", input: [], labels: ["city": "Köln", "tier": ""])
                try await scenario.namespace.append(start.fields, to: .intake, of: scenario.partition(of: "s1"))
                try await eventually("it compensates") { try await statuses(of: "s1", scenario) == [.compensating] }
                scenario.participants.setPlan { _ in Behaviour(.failed) }
                try await eventually("it is stuck") { try await statuses(of: "s1", scenario) == [.stuck] }
                #expect(try await indexFaults(["s1"], scenario) == [])
                scenario.participants.setPlan { _ in Behaviour(.succeeded) }
                try await scenario.order(.retry, "s1", id: "c1")
                try await eventually("it ends") { try await statuses(of: "s1", scenario) == [.compensated] }
                #expect(try await indexFaults(["s1"], scenario) == [])
                let partition = scenario.partition(of: "s1")
                let tier = try await scenario.namespace.sagas(in: .label(name: "tier", value: ""), of: partition)
                #expect(tier.keys.sorted() == ["s1"])
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aScheduledSagaStandsThereUntilItBegins(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            try await scenario.run {
                for (saga, instant) in [("later", Milliseconds(16_000_000_000_000)), ("soon", 1)] {
                    let start = StartMessage(saga: saga, definition: "order", input: [], at: instant)
                    try await scenario.namespace.append(start.fields, to: .intake, of: scenario.partition(of: saga))
                }
                try await eventually("it is accepted") { try await statuses(of: "later", scenario) == [.scheduled] }
                try await eventually("the other ends") { try await scenario.end(of: "soon") == .completed }
                #expect(try await statuses(of: "soon", scenario) == [])
                #expect(try await indexFaults(["later", "soon"], scenario) == [])
                try await scenario.order(.cancel, "later", id: "c1")
                try await eventually("it ends") { try await statuses(of: "later", scenario) == [.compensated] }
            }
        }
    }

    /// Nothing but the index of its definition is written for a saga that runs through.
    @Test func aSagaThatRunsThroughWritesOneIndexOnce() async throws {
        let namespace = InMemoryNamespace()
        let scenario = Scenario(namespace)
        try await scenario.register(orderDraft())
        let written = Written()
        namespace.memory.setFault { commit in
            written.add(commit.changes.flatMap(\.indexes))
            return .none
        }
        let sagas = (0..<20).map { "s\($0)" }
        try await scenario.run {
            for saga in sagas { try await scenario.start(saga) }
            try await eventually("all end") { try await scenario.endedCount() == sagas.count }
        }
        #expect(written.changes.count == sagas.count)
        #expect(written.changes.allSatisfy { $0.index == .definition("order") && $0.startedAt != nil })
    }

    /// Commits are refused, lost and applied with their answers lost; logs are dropped from memory all the while.
    @Test(arguments: [1, 2, 3])
    func indexesAgreeWithLogsWhateverBecomesOfCommits(_ seed: UInt64) async throws {
        print("seed \(seed)")
        let namespace = InMemoryNamespace()
        let scenario = Scenario(namespace)
        try await scenario.register(orderDraft())
        scenario.participants.setPlan { command in
            let isBad = command.saga.hasSuffix("3") || command.saga.hasSuffix("7")
            if command.phase == .action { return Behaviour(command.step == "charge" && isBad ? .failed : .succeeded) }
            return Behaviour(command.saga.hasSuffix("7") ? .failed : .succeeded)
        }
        let faults = Written(seed: seed)
        namespace.memory.setFault { _ in
            switch faults.next() % 8 {
            case 0: .refuse(StoreError(.full, .notApplied, "full"))
            case 1: .refuse(StoreError(.unavailable, .indeterminate, "lost"))
            case 2: .loseAnswer
            default: .none
            }
        }
        let sagas = (0..<60).map { "s\($0)" }
        try await scenario.run(configure: { options in
            options.backoff = 1...5
            options.cachedSagas = 10
        }) {
            for saga in sagas { try await scenario.start(saga) }
            try await eventually("all end or are stuck", within: .seconds(60)) {
                for saga in sagas where try await scenario.end(of: saga) == nil { return false }
                return true
            }
        }
        #expect(try await indexFaults(sagas, scenario) == [], "seed \(seed)")
        for (saga, status) in [("s1", [Saga.Status]()), ("s3", [.compensated]), ("s7", [.stuck])] {
            #expect(try await statuses(of: saga, scenario) == status)
        }
    }
}
