import Logging
import SagaCore
import SagaOrchestrator
import SagaStore
import SagaWire
import Synchronization
import Testing

/// Orchestrators on an in-memory store, with a clock that the test moves, and participants that answer at once.
final class World: Sendable {
    let store: InMemoryStore
    /// How participants answer: by step and phase; those not named succeed.
    let answers = Mutex<[String: ReplyOutcome]>([:])
    /// Effects by `SAGA/STEP`: actions minus compensations.
    let effects = Mutex<[String: Int]>([:])

    init(partitions: Int = 2) {
        let clock = Box(1_000_000)
        store = InMemoryStore(partitions: partitions) { clock.value.withLock { $0 } + elapsed() }
        self.boxed = clock
    }

    private let boxed: Box

    private final class Box: Sendable {
        let value: Mutex<Milliseconds>
        init(_ value: Milliseconds) { self.value = Mutex(value) }
    }

    func advance(_ span: Milliseconds) { boxed.value.withLock { $0 += span } }

    func register(_ draft: DefinitionDraft) async throws -> Definition {
        let definition = try Definition(validating: draft)
        #expect(try await store.register(id: definition.id, canonical: definition.canonicalJSON))
        return definition
    }

    /// Runs an orchestrator and participants around `body`; both have ended when this returns.
    func run<Result: Sendable>(
        orchestrators: Int = 1, lease: Milliseconds = 500, participants: Bool = true,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            for index in 0..<orchestrators {
                var options = OrchestratorOptions(name: "o\(index)")
                options.lease = lease
                options.block = 5
                let orchestrator = Orchestrator(
                    store: store, options: options, secret: Array("secret".utf8), logger: quiet)
                group.addTask {
                    try await orchestrator.run()
                    return nil
                }
            }
            if participants {
                group.addTask {
                    await self.participate()
                    return nil
                }
            }
            let result = try await body()
            group.cancelAll()
            try await group.waitForAll()
            return result
        }
    }

    /// Takes commands and answers them until cancelled.
    private func participate() async {
        while !Task.isCancelled {
            let commands = store.withContents { contents in
                contents.partitions.indices.flatMap { index in
                    let entries = contents.partitions[index].commands.values.flatMap { $0 }
                    contents.partitions[index].commands = [:]
                    return entries.map { (index, $0.fields) }
                }
            }
            for (partition, fields) in commands { answer(fields, partition) }
            // Ends with the task.
            try? await Task.sleep(for: .milliseconds(1))
        }
    }

    private func answer(_ fields: Fields, _ partition: Int) {
        guard let command = try? fields.withViews({ views throws(DeadReason) in try Command.decode(views) }) else {
            Issue.record("a command that cannot be decoded")
            return
        }
        let outcome = answers.withLock { $0["\(command.step)/\(command.phase.rawValue)"] } ?? .succeeded
        if outcome == .succeeded {
            let change = command.phase == .action ? 1 : -1
            effects.withLock { $0["\(command.saga)/\(command.step)", default: 0] += change }
        }
        let reply = ReplyMessage(id: command.id, outcome: outcome, error: outcome == .failed ? "refused" : nil)
        store.append(reply.fields, to: .reply, of: partition)
    }

    func start(_ saga: String, _ definition: String = "order", input: String = "{}", partition: Int = 0) {
        let message = StartMessage(saga: saga, definition: definition, input: Array(input.utf8))
        store.append(message.fields, to: .intake, of: partition)
    }

    func order(_ operation: Order.Operation, _ saga: String, id: String, partition: Int = 0) {
        let message = ControlMessage(saga: saga, operation: operation, reason: "test", by: "ann", id: id)
        store.append(message.fields, to: .control, of: partition)
    }

    /// All outcomes so far.
    var outcomes: [Outcome] {
        store.snapshot().partitions.flatMap { partition in
            partition.outcomes.compactMap { entry in entry.fields.withViews { Outcome.decode($0) } }
        }
    }

    func end(of saga: String) -> OutcomeEntry.Status? {
        for case .end(let entry) in outcomes where entry.saga == saga { return entry.status }
        return nil
    }

    var deadReasons: [String] {
        store.snapshot().partitions.flatMap { $0.dead.map { $0.mark.reason.code.rawValue } }
    }
}

/// Awaits a condition; fails the test when it doesn't come true within a generous time.
func eventually(
    _ what: Comment, within limit: Duration = .seconds(20), _ condition: () -> Bool,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let end = ContinuousClock.now + limit
    while !condition() {
        guard ContinuousClock.now < end else {
            Issue.record(what, sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

func orderDraft(_ version: Int = 1) -> DefinitionDraft {
    DefinitionDraft(
        name: "order", version: version,
        steps: ["create", "reserve", "charge"].map { name in
            StepDraft(
                name: name, service: "\(name)-service", action: name, compensation: .operation("undo-\(name)"),
                timeout: 2_000, retry: RetryPolicyDraft(initial: 10, max: 100))
        })
}

private let beginning = ContinuousClock.now

/// Milliseconds since the test run began: the simulated clock runs along, and the test pushes it on.
private func elapsed() -> Milliseconds {
    let (seconds, attoseconds) = (ContinuousClock.now - beginning).components
    return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
}
