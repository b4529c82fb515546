import SagaCore
import SagaOrchestrator
import SagaRedis
import SagaStore
import SagaTesting
import SagaWire
import Synchronization
import TestSupport

/// Sagas that are started, and run, while the servers below them change: every one whose start is repeated ends all or
/// nothing.
final class TopologyPlay: Sendable {
    let scenario: Scenario
    private let namespace: RedisNamespace
    private let random: Mutex<SeededRandom>
    private let started = Mutex<[String]>([])

    init(on namespace: RedisNamespace, seed: UInt64) {
        self.namespace = namespace
        scenario = Scenario(namespace)
        random = Mutex(SeededRandom(seed: seed))
    }

    private func behaviour(of command: Command) -> Behaviour {
        random.withLock { random in
            var behaviour = Behaviour()
            if command.phase == .action, random.chance(0.15) { behaviour.verdict = .failed }
            if random.chance(0.2) { behaviour.holdAfter = .milliseconds(Int.random(in: 1...300, using: &random)) }
            return behaviour
        }
    }

    /// Runs orchestrators and participants around `body`, waits until all sagas that it started have ended, and returns
    /// what is wrong with them.
    func run(
        on stores: [any SagaStore]? = nil, _ body: @escaping @Sendable (TopologyPlay) async throws -> Void
    ) async throws -> [String] {
        scenario.participants.setPlan { self.behaviour(of: $0) }
        try await repeatedly { _ = try await self.scenario.register(orderDraft()) }
        try await scenario.run(on: stores) {
            try await body(self)
            // Starts that were lost, or whose answers were.
            try await self.repeatStarts()
            try await eventually("all sagas end", within: .seconds(60)) {
                guard self.scenario.participants.heldCount == 0 else { return false }
                // A server that is away for a moment tells nothing.
                return (try? await self.scenario.endedCount()) == self.started.withLock { $0.count }
            }
        }
        var faults = try await scenario.audit(started.withLock { $0 })
        if try await scenario.openCount() > 0 { faults.append("sagas are still open") }
        let reasons = Set(try await scenario.deadReasons()).subtracting(["unknown-saga"])
        if !reasons.isEmpty { faults.append("dead letters: \(reasons)") }
        return faults
    }

    /// Starts sagas, a few at a time.
    func start(_ count: Int, every pause: Duration = .milliseconds(5)) async throws {
        for _ in 0..<count {
            let id = started.withLock { started in
                started.append("s-\(started.count)")
                return started[started.count - 1]
            }
            try await repeatedly { try await self.scenario.start(id) }
            try await Task.sleep(for: pause)
        }
    }

    private func repeatStarts() async throws {
        for id in started.withLock({ $0 }) { try await repeatedly { try await self.scenario.start(id) } }
    }

    /// The number of sagas that have ended, where that can be told.
    var ended: Int { get async { (try? await scenario.endedCount()) ?? 0 } }

    private func repeatedly(_ body: () async throws -> Void) async throws {
        for _ in 0..<1_000 {
            do {
                return try await body()
            } catch {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        try await body()
    }
}
