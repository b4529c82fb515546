public import SagaCore
public import SagaOrchestrator
import SagaRedis
public import SagaStore
public import SagaWire
import Synchronization

/// Sagas on a namespace: real orchestrators, participants of the test's own, and what became of it all.
public final class Scenario: Sendable {
    public let namespace: any TestNamespace
    public let participants = ModelParticipants()
    private let registry: DefinitionRegistry

    public init(_ namespace: any TestNamespace) {
        self.namespace = namespace
        registry = DefinitionRegistry(store: namespace.store)
    }

    // MARK: What comes from outside

    /// Registers a definition.
    @discardableResult
    public func register(_ draft: DefinitionDraft) async throws -> Definition {
        let definition = try Definition(validating: draft)
        guard try await namespace.store.register(id: definition.id, canonical: definition.canonicalJSON) else {
            throw ScenarioError("\(definition.id) is registered with another content")
        }
        try await registry.reload()
        return definition
    }

    public func partition(of saga: String) -> Int { namespace.keys.partition(of: saga) }

    public func start(_ saga: String, _ definition: String = "order", input: String = "{}") async throws {
        let message = StartMessage(saga: saga, definition: definition, input: Array(input.utf8))
        try await namespace.append(message.fields, to: .intake, of: partition(of: saga))
    }

    public func order(_ operation: Order.Operation, _ saga: String, step: String? = nil, id: String) async throws {
        let message = ControlMessage(
            saga: saga, operation: operation, step: step, reason: "test", by: "ann", id: id)
        try await namespace.append(message.fields, to: .control, of: partition(of: saga))
    }

    // MARK: Running

    /// Runs orchestrators and participants around `body`; all have ended in good order when this returns.
    ///
    /// - Parameters:
    ///   - stores: What each orchestrator works on; by default one on the namespace's store.
    ///   - participants: Whether the test's own participants serve the services of all registered definitions.
    ///   - configure: Changes the orchestrators' options, which have a short lease and short waits.
    public func run<Result: Sendable>(
        on stores: [any SagaStore]? = nil, participants: Bool = true,
        configure: (inout OrchestratorOptions) -> Void = { _ in },
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let orchestrators = (stores ?? [namespace.store]).enumerated().map { index, store in
            var options = OrchestratorOptions(name: "o\(index)")
            options.lease = 500
            options.block = 20
            configure(&options)
            return Orchestrator(store: store, options: options, logger: quietLogger)
        }
        let services = participants ? registry.services : []
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for orchestrator in orchestrators { group.addTask { try await orchestrator.run() } }
            group.addTask { await self.participants.run(services: services, on: self.namespace) }
            do {
                let result = try await body()
                group.cancelAll()
                try await group.waitForAll()
                return result
            } catch {
                group.cancelAll()
                // An orchestrator that could not run says more than what was awaited of it in vain.
                try await group.waitForAll()
                throw error
            }
        }
    }

    // MARK: What became of it

    /// All outcomes that are told, partition by partition.
    public func outcomes() async throws -> [Outcome] {
        var outcomes: [Outcome] = []
        for partition in 0..<namespace.keys.partitions {
            outcomes += try await namespace.outcomes(of: partition).compactMap { entry in
                entry.fields.withViews { Outcome.decode($0) }
            }
        }
        return outcomes
    }

    /// The last end of a saga that was told.
    public func end(of saga: String) async throws -> OutcomeEntry.Status? {
        let outcomes = try await namespace.outcomes(of: partition(of: saga))
        for entry in outcomes.reversed() {
            if case .end(let end) = entry.fields.withViews({ Outcome.decode($0) }), end.saga == saga {
                return end.status
            }
        }
        return nil
    }

    /// The codes of all dead letters' reasons.
    public func deadReasons() async throws -> [String] {
        var reasons: [String] = []
        for partition in 0..<namespace.keys.partitions {
            reasons += try await namespace.deadLetters(of: partition).map { entry in
                String((entry["reason"] ?? "").prefix { $0 != ":" })
            }
        }
        return reasons
    }

    /// A saga as its log tells it.
    public func saga(_ id: String) async throws -> Saga? {
        let log = try await namespace.log(of: id, in: partition(of: id))
        guard case .saga(let saga) = try SagaLog.replay(log, of: id, definition: registry.definition) else {
            return nil
        }
        return saga
    }

    /// How many sagas are not ended, in all partitions.
    public func openCount() async throws -> Int {
        var count = 0
        for partition in 0..<namespace.keys.partitions { count += try await namespace.openSagas(of: partition).count }
        return count
    }

    public func endedCount() async throws -> Int {
        var count = 0
        for partition in 0..<namespace.keys.partitions { count += try await namespace.endedSagas(of: partition).count }
        return count
    }

    /// Compares what the sagas' logs say with what the participants did, of child sagas too.
    ///
    /// - Returns: For each saga that is not all-or-nothing, what is wrong with it.
    public func audit(_ sagas: [String]) async throws -> [String] {
        var faults: [String] = []
        for id in sagas {
            guard let saga = try await saga(id) else {
                faults.append("\(id) has no log")
                continue
            }
            faults += try await audit(saga)
        }
        return faults
    }

    private func audit(_ saga: Saga) async throws -> [String] {
        var faults: [String] = []
        if !isWhole(saga) { faults.append(try await account(of: saga)) }
        for index in saga.definition.steps.indices where saga.definition.steps[index].isChild {
            let child = try await self.saga(saga.childID(of: index))
            // One that was never begun has nothing to be undone.
            let isMissing = child == nil && saga.status == .completed && saga.steps[index].action.status == .succeeded
            if let child { faults += try await audit(child) }
            guard isMissing || saga.status.isFinal && child.map({ !isDue($0, for: saga, index) }) ?? false else {
                continue
            }
            let status = child?.status.rawValue ?? "missing"
            faults.append("\(saga.id) is \(saga.status.rawValue), its child \(saga.childID(of: index)) \(status)")
            faults.append(try await account(of: saga))
        }
        return faults
    }

    /// Whether a child saga is where the end of its parent puts it.
    private func isDue(_ child: Saga, for parent: Saga, _ step: Int) -> Bool {
        parent.steps[step].action.status == .skipped || child.status == parent.status
    }

    /// Whether all effects of an ended saga stand, or none does, and none came twice.
    private func isWhole(_ saga: Saga) -> Bool {
        let (effects, executions) = (participants.effects, participants.executions)
        return zip(saga.definition.steps, saga.steps).allSatisfy { step, state in
            guard step.service != nil else { return true }
            let items: [Int?] = step.forEach == nil ? [nil] : Array(state.items.indices)
            let isOnce = items.allSatisfy { item in
                Phase.allCases.allSatisfy { phase in
                    executions[Command.key(saga: saga.id, step: step.name, item: item, phase: phase)] ?? 0 <= 1
                }
            }
            let isOmitted = state.action.status == .omitted
            let expected: Int
            switch saga.status {
            case .completed: expected = isOmitted ? 0 : items.count
            case .compensated: expected = 0
            default: return false
            }
            return isOnce && (effects["\(saga.id)/\(step.name)"] ?? 0) == expected
        }
    }

    private func account(of saga: Saga) async throws -> String {
        let effects = participants.effects
        let standing = saga.definition.steps.filter { $0.service != nil }.map { effects["\(saga.id)/\($0.name)"] ?? 0 }
        let history = participants.history(of: saga.id).joined(separator: "\n    ")
        let log = try await namespace.log(of: saga.id, in: partition(of: saga.id))
            .map { String(decoding: $0, as: UTF8.self) }
        return "\(saga.id) is \(saga.status.rawValue), its effects \(standing)\n    \(history)\n  log:\n    "
            + log.joined(separator: "\n    ")
    }
}

/// A scenario that cannot be played.
public struct ScenarioError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
