import SagaCore
import SagaOrchestrator
import SagaRedis
import SagaStore
import SagaTesting
import SagaWire
import Testing

/// What a running orchestrator lets out under durability `replicated`, on a store that confirms as it is told.
@Suite("Durability")
struct DurabilityTests {
    private let namespace = InMemoryNamespace()
    private let scenario: Scenario

    init() {
        scenario = Scenario(namespace)
    }

    /// create, then the pivot charge, then ship.
    private func draft(durability: Durability? = nil) -> DefinitionDraft {
        DefinitionDraft(
            name: "order", version: 1, durability: durability,
            steps: ["create", "charge", "ship"].map { name in
                StepDraft(
                    name: name, service: "\(name)-service", action: name,
                    compensation: name == "create" ? .operation("undo") : .absent, isPivot: name == "charge")
            })
    }

    private func commands(_ step: String) async throws -> Int {
        var count = 0
        for partition in 0..<namespace.keys.partitions {
            count += try await namespace.commands(of: "\(step)-service", in: partition).count
        }
        return count
    }

    /// Lets replicas lag from the moment at which this step's command is performed.
    private func lag(from step: String) {
        let memory = namespace.memory
        scenario.participants.setPlan { command in
            if command.step == step { memory.setConfirming(.lagging) }
            return Behaviour()
        }
    }

    @Test func noCommandGoesOutBeforeTheStartIsConfirmed() async throws {
        try await scenario.register(draft())
        namespace.memory.setConfirming(.lagging)
        try await scenario.run {
            try await scenario.start("s1")
            try await eventually("the start is in the log") { try await scenario.saga("s1") != nil }
            // Long enough for two tries.
            try await Task.sleep(for: .milliseconds(400))
            #expect(try await commands("create") == 0)
            #expect(scenario.participants.executions.isEmpty)
            #expect(try await scenario.saga("s1")?.isAwaitingConfirmation == true)
            namespace.memory.setConfirming(.prompt)
            try await eventually("the saga ends") { try await scenario.end(of: "s1") == .completed }
        }
        #expect(try await scenario.audit(["s1"]) == [])
        #expect(try await namespace.log(of: "s1", in: scenario.partition(of: "s1")).count == 7)
    }

    @Test func thePivotWaitsAndSoDoesTheEnd() async throws {
        try await scenario.register(draft())
        lag(from: "create")
        try await scenario.run {
            try await scenario.start("s1")
            try await eventually("the pivot is due") { try await scenario.saga("s1")?.isPivotDue == true }
            try await Task.sleep(for: .milliseconds(200))
            #expect(scenario.participants.effects["s1/charge"] == nil)
            lag(from: "ship")
            namespace.memory.setConfirming(.prompt)
            try await eventually("all steps are done") {
                try await scenario.saga("s1")?.steps.last?.action.status == .succeeded
            }
            try await Task.sleep(for: .milliseconds(200))
            #expect(try await scenario.outcomes() == [])
            #expect(try await scenario.saga("s1")?.status == .running)
            #expect(try await scenario.endedCount() == 0)
            namespace.memory.setConfirming(.prompt)
            try await eventually("the end is told") { try await scenario.end(of: "s1") == .completed }
        }
    }

    @Test func theNextOwnerConfirmsWhatTheLastOneCommitted() async throws {
        try await scenario.register(draft())
        namespace.memory.setConfirming(.lagging)
        let sagas = (0..<20).map { "s\($0)" }
        try await scenario.run {
            for saga in sagas { try await scenario.start(saga) }
            try await eventually("the starts are in the log") { try await scenario.openCount() == sagas.count }
        }
        #expect(scenario.participants.executions.isEmpty)
        namespace.memory.setConfirming(.prompt)
        try await scenario.run {
            try await eventually("all sagas end") { try await scenario.outcomes().count == sagas.count }
        }
        #expect(try await scenario.audit(sagas) == [])
    }

    /// Frozen between a commit and its confirmation, and taken over meanwhile.
    @Test func aFrozenOwnerThatHearsOfAConfirmationLateTellsNothing() async throws {
        try await scenario.register(draft())
        let (frozen, other) = (FreezableStore(namespace.store), FreezableStore(namespace.store))
        other.freeze()
        namespace.memory.setConfirming(.lagging)
        let sagas = (0..<20).map { "s\($0)" }
        try await scenario.run(on: [frozen, other]) {
            for saga in sagas { try await scenario.start(saga) }
            try await eventually("the starts are in the log") { try await scenario.openCount() == sagas.count }
            frozen.freeze()
            namespace.memory.setConfirming(.prompt)
            other.thaw()
            try await eventually("all sagas end") { try await scenario.endedCount() == sagas.count }
            frozen.thaw()
        }
        #expect(try await scenario.audit(sagas) == [])
        #expect(try await scenario.outcomes().count == sagas.count)
    }

    @Test func aServerThatCannotConfirmMakesThemAsync() async throws {
        try await scenario.register(draft())
        namespace.memory.setConfirming(.impossible)
        try await scenario.run {
            try await scenario.start("s1")
            try await eventually("the saga ends") { try await scenario.end(of: "s1") == .completed }
        }
        #expect(try await scenario.saga("s1")?.started.isReplicated == false)
        #expect(try await namespace.log(of: "s1", in: scenario.partition(of: "s1")).count == 4)
    }

    @Test func oneThatCannotConfirmAnyMoreIsWaitedForAWhile() async throws {
        try await scenario.register(draft())
        namespace.memory.setConfirming(.lagging)
        try await scenario.run(configure: {
            $0.confirmationCheckInterval = 100
            $0.confirmationPatience = 800
        }) {
            try await scenario.start("s1")
            try await eventually("the start is in the log") { try await scenario.saga("s1") != nil }
            let gone = ContinuousClock.now
            namespace.memory.setConfirming(.impossible)
            try await eventually("the saga ends") { try await scenario.end(of: "s1") == .completed }
            #expect(ContinuousClock.now - gone > .milliseconds(500))
        }
        #expect(try await scenario.saga("s1")?.started.isReplicated == true)
    }

    @Test func whoRequiresConfirmationsRefusesAServerThatHasNone() async throws {
        namespace.memory.setConfirming(.impossible)
        let error = await #expect(throws: StoreError.self) {
            var options = OrchestratorOptions(name: "o")
            options.requiresConfirmation = true
            try await Orchestrator(store: namespace.store, options: options, logger: quietLogger).run()
        }
        #expect(error?.code == .refused && error?.message.contains("cannot confirm") == true)
    }

    @Test func whoRequiresConfirmationsWaitsForThemWithoutEnd() async throws {
        try await scenario.register(orderDraft())
        try await scenario.run(configure: {
            ($0.durability, $0.requiresConfirmation) = (.replicated, true)
            ($0.confirmationCheckInterval, $0.confirmationPatience) = (50, 50)
        }) {
            try await scenario.start("s0")
            try await eventually("a saga ends") { try await scenario.end(of: "s0") == .completed }
            namespace.memory.setConfirming(.impossible)
            try await scenario.start("s1")
            try await eventually("the start is in the log") { try await scenario.saga("s1") != nil }
            try await Task.sleep(for: .milliseconds(500))
            #expect(scenario.participants.effects["s1/create"] == nil)
            namespace.memory.setConfirming(.prompt)
            try await eventually("the saga ends") { try await scenario.end(of: "s1") == .completed }
        }
        #expect(try await scenario.saga("s1")?.started.isReplicated == true)
    }

    @Test func whatADefinitionSaysAndWhatTheOrchestratorSays() async throws {
        try await scenario.register(draft(durability: .async))
        var plain = orderDraft()
        plain.name = "plain"
        try await scenario.register(plain)
        plain.name = "careful"
        plain.durability = .replicated
        try await scenario.register(plain)
        for (round, durability) in [Durability.async, .replicated].enumerated() {
            try await scenario.run(configure: { $0.durability = durability }) {
                for name in ["order", "plain", "careful"] {
                    try await scenario.start("\(name)-\(round)", name)
                    try await eventually("it ends") { try await scenario.end(of: "\(name)-\(round)") == .completed }
                }
            }
            func isReplicated(_ name: String) async throws -> Bool? {
                try await scenario.saga("\(name)-\(round)")?.started.isReplicated
            }
            #expect(try await isReplicated("order") == false)
            #expect(try await isReplicated("plain") == (durability == .replicated))
            #expect(try await isReplicated("careful") == true)
        }
    }

    @Test func aChildOfASagaThatWaitsWaits() async throws {
        var child = orderDraft()
        child.name = "child"
        try await scenario.register(child)
        try await scenario.register(
            DefinitionDraft(
                name: "order", version: 1, durability: .replicated, steps: [StepDraft(name: "part", saga: "child")]))
        try await scenario.run {
            try await scenario.start("s1")
            try await eventually("the saga ends") { try await scenario.end(of: "s1") == .completed }
        }
        #expect(try await scenario.saga("s1/part")?.started.isReplicated == true)
        #expect(try await scenario.audit(["s1"]) == [])
    }
}
