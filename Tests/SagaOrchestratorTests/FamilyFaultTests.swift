import SagaCore
import SagaOrchestrator
import SagaStore
import SagaTesting
import SagaWire
import Testing

/// Families, items and events, while everything goes wrong at random; then it stops, and all must have come out right.
@Suite("Families under faults, on the in-memory store")
struct FamilyFaultTests {
    private let roots = (0..<6).map { "s\($0)" }
    private let triggered = (0..<3).map { "k\($0)/greet/e\($0)" }

    private func command(_ name: String) -> StepDraft {
        StepDraft(
            name: name, service: "\(name)-service", action: name, compensation: .operation("undo-\(name)"),
            timeout: 150, retry: RetryPolicyDraft(attempts: 4, initial: 5, max: 20),
            compensationRetry: RetryPolicyDraft(attempts: 0, initial: 5, max: 20))
    }

    /// An order with items and a child that has a child.
    private func register(_ scenario: Scenario) async throws {
        var reserve = command("reserve")
        reserve.forEach = ForEach(ValuePath(.input, ["items"]), parallel: 2)
        let drafts = [
            DefinitionDraft(name: "award", version: 1, steps: [command("count"), command("book")]),
            DefinitionDraft(name: "bundle", version: 1, steps: [StepDraft("bonus", saga: "award"), command("pack")]),
            DefinitionDraft(
                name: "order", version: 1, steps: [reserve, StepDraft("gift", saga: "bundle"), command("ship")]),
            DefinitionDraft(
                name: "greet", version: 1, trigger: EventTrigger(event: "Placed", isPerEvent: true),
                steps: [command("write")]),
        ]
        for draft in drafts { try await scenario.register(draft) }
    }

    private func begin(_ scenario: Scenario) async throws {
        for root in roots { try await scenario.start(root, input: #"{"items": [1, 2, 3, 4, 5]}"#) }
        for index in triggered.indices {
            let event = DomainEvent(id: "e\(index)", key: "k\(index)", topic: "Placed", payload: [0x31], at: 1)
            try await scenario.namespace.append(
                event.fields, to: .event("Placed"), of: scenario.partition(of: event.key))
        }
    }

    private func misbehave(_ scenario: Scenario, _ memory: InMemoryStore, _ random: Written) {
        scenario.participants.setPlan { command in
            let chance = random.next() % 100
            let isSlow = chance % 10 == 0
            let hold: Duration = isSlow ? .milliseconds(random.next() % 2 == 0 ? 20 : 200) : .zero
            if command.phase == .action, chance < 4 { return Behaviour(.failed, holdAfter: hold) }
            return Behaviour(
                chance < 20 ? .retry : .succeeded, holdBefore: chance % 3 == 0 ? hold : .zero,
                holdAfter: chance % 3 == 0 ? .zero : hold, repeatAfter: chance > 90 ? .milliseconds(5) : nil)
        }
        memory.setFault { _ in
            switch random.next() % 12 {
            case 0: .refuse(StoreError(.full, .notApplied, "out of memory"))
            case 1: .loseAnswer
            default: .none
            }
        }
    }

    private func configure(_ options: inout OrchestratorOptions) {
        (options.cachedSagas, options.readCount, options.alarmCount) = (3, 8, 4)
        (options.lease, options.block, options.backoff) = (200, 5, 1...10)
    }

    /// All sagas of which there is a log.
    private func all(_ memory: InMemoryStore) -> [String] {
        memory.snapshot().partitions.flatMap { $0.logs.keys }.sorted()
    }

    @Test(arguments: (0..<12).map { UInt64($0) })
    func everyFamilyIsAllOrNothing(seed: UInt64) async throws {
        let namespace = InMemoryNamespace(partitions: 2)
        let memory = namespace.memory
        let scenario = Scenario(namespace)
        try await register(scenario)
        misbehave(scenario, memory, Written(seed: seed))
        // An earlier state comes back, or the same one on another server, or nothing happens between the runs.
        let snapshot = try await scenario.run(configure: configure) {
            try await begin(scenario)
            try await eventually("some families are under way") {
                try await scenario.openCount() + scenario.endedCount() >= 4 + Int(seed % 5)
            }
            let snapshot = memory.snapshot()
            try await eventually("some sagas end") { try await scenario.endedCount() >= 2 }
            return snapshot
        }
        switch seed % 3 {
        case 0: memory.restore(snapshot)
        case 1: memory.restore(memory.snapshot())
        default: break
        }
        try await scenario.run(configure: configure) {
            if seed % 3 == 0 { try await begin(scenario) }
            try await eventually("more sagas end") { try await scenario.endedCount() >= 5 }
            memory.setFault { _ in .none }
            scenario.participants.setPlan { _ in Behaviour() }
            try await eventually("seed \(seed): all sagas end") {
                guard try await scenario.openCount() == 0 else { return false }
                for saga in roots + triggered where try await scenario.saga(saga)?.status.isFinal != true {
                    return false
                }
                return true
            }
        }
        #expect(try await scenario.audit(roots + triggered) == [], "seed \(seed)")
        #expect(try await indexFaults(all(memory), scenario) == [], "seed \(seed)")
        let ended = memory.snapshot().partitions.flatMap { $0.ended.keys }.sorted()
        #expect(ended == all(memory), "seed \(seed)")
        #expect(try await scenario.deadReasons() == [], "seed \(seed)")
    }
}
