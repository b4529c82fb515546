import LocalRedis
import RedisTransport
import SagaClient
import SagaCore
import SagaOrchestrator
import SagaParticipant
import SagaRedis
import SagaTesting
import SagaWire
import Synchronization

/// Three services with barriers in memory, an orchestrator and a client, all on one real Redis: the books outlive whatever
/// happens to its servers.
final class Shop: Sendable {
    /// Effects by saga: actions minus compensations, by step.
    typealias Books = [String: Int]

    static let steps = ["create", "reserve", "charge"]

    private let endpoint: RedisEndpoint
    let client: SagaClient
    private let barriers: [String: MemoryBarrier<Books>]
    /// Sagas whose last step is refused.
    private let refused: Set<String>

    convenience init(_ redis: LocalRedisServer, refused: Set<String> = []) {
        self.init(at: redis.endpoint, refused: refused)
    }

    init(at endpoint: RedisEndpoint, refused: Set<String> = []) {
        self.endpoint = endpoint
        self.refused = refused
        client = SagaClient(endpoint: endpoint, logger: quietLogger)
        barriers = Dictionary(uniqueKeysWithValues: Self.steps.map { ($0, MemoryBarrier(Books())) })
    }

    /// What a saga has left behind: for each step, how often its effect stands.
    func effects(of saga: String) -> [Int] {
        Self.steps.map { step in barriers[step]?.withState { $0[saga] ?? 0 } ?? 0 }
    }

    /// Runs the orchestrators and the services around `body`.
    func run(
        orchestrators: Int = 1, lease: Milliseconds = 1_000,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<orchestrators {
                var options = OrchestratorOptions(name: "o-\(index)")
                options.lease = lease
                options.partitions = 4
                let store = RedisSagaStore(endpoint: endpoint, namespace: "skald", logger: quietLogger)
                let orchestrator = Orchestrator(store: store, options: options, logger: quietLogger)
                group.addTask {
                    try await orchestrator.run()
                    return false
                }
            }
            for step in Self.steps {
                let participant = try participant(step)
                group.addTask {
                    try await participant.run()
                    return false
                }
            }
            group.addTask {
                try await body()
                return true
            }
            while let isDone = try await group.next(), !isDone {}
            group.cancelAll()
            // What the others throw when they are cancelled is of no interest.
            while (try? await group.next()) != nil {}
        }
    }

    private func participant(_ step: String) throws -> Participant<MemoryBarrier<Books>> {
        guard let barrier = barriers[step] else { preconditionFailure("no books for \(step)") }
        var options = ParticipantOptions()
        options.claimAfter = .seconds(2)
        return Participant(
            service: "\(step)-service", redis: endpoint, barrier: barrier, options: options, logger: quietLogger
        ) { handlers in
            let refused = refused
            handlers.raw("do-\(step)") { context, transaction in
                if step == "charge", refused.contains(context.saga) { throw Refusal("no-money", "no money") }
                transaction.state[context.saga, default: 0] += 1
                return Array("{}".utf8)
            }
            handlers.raw("undo-\(step)") { context, transaction in
                transaction.state[context.saga, default: 0] -= 1
                return nil
            }
        }
    }

    func register() async throws {
        let definition = try Definition("order", version: 1) {
            Self.steps.map { step in
                StepDraft(step, service: "\(step)-service", action: "do-\(step)").compensated(by: "undo-\(step)")
                    .timeout(.seconds(2)).retry(initial: .milliseconds(50), max: .seconds(1))
            }
        }
        guard try await client.register(definition) else { preconditionFailure("another definition is there") }
    }

    /// Starts sagas, as often as it takes until the server has them: the same start again changes nothing.
    func start(_ sagas: [String]) async throws {
        let messages = sagas.map { StartMessage(saga: $0, definition: "order", input: Array("{}".utf8)) }
        let end = ContinuousClock.now + .seconds(30)
        while true {
            do {
                return try await client.start(messages)
            } catch {
                guard ContinuousClock.now < end else { throw error }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// The ends of sagas that have one.
    func ends(of sagas: [String]) async -> [String: Saga.Status] {
        var ends: [String: Saga.Status] = [:]
        for saga in sagas {
            // A server that is away has nothing to tell.
            if let view = try? await client.saga(saga), let end = view.end { ends[saga] = end }
        }
        return ends
    }

    func untilEnded(_ sagas: [String], atLeast count: Int? = nil, within limit: Duration = .seconds(90)) async throws {
        try await eventually("\(count ?? sagas.count) sagas end", within: limit) {
            await ends(of: sagas).count >= count ?? sagas.count
        }
    }
}
