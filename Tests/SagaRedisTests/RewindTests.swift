import LocalRedis
import RedisTransport
import SagaCore
import SagaOrchestrator
import SagaRedis
import SagaStore
import SagaTesting
import SagaWire
import Synchronization
import TestSupport
import Testing

/// A server that comes back with an older state, while participants have acted on what it has forgotten: every saga
/// whose start is repeated ends all or nothing.
///
/// Each run prints its seed when it fails; `SKALD_TEST_SEED` repeats its choices, though not the timing.
@Suite struct RewindTests {
    @Test(arguments: [LocalRedisServer.Options.AppendOnly.no, .everysec], 0..<3)
    func everySagaEndsAllOrNothing(_ appendOnly: LocalRedisServer.Options.AppendOnly, _ run: Int) async throws {
        let seed = SeededRandom.pickSeed() &+ UInt64(run)
        let play = RewindPlay(seed: seed)
        let faults = try await withRedisNamespace(partitions: 2, .init(appendOnly: appendOnly)) { namespace, server in
            try await play.run(namespace, server)
        }
        #expect(faults == [], "seed \(seed)")
    }

    /// The earliest state that a namespace can come back with is one that nobody has worked in yet, and an orchestrator
    /// that was not there knows nothing of what was lost.
    @Test func aRewindToTheBeginningIsNoticedByWhoWasNotThere() async throws {
        try await withRedisNamespace { namespace, server in
            let snapshot = try await server.snapshot()
            for isAgain in [false, true] {
                let scenario = Scenario(namespace)
                try await scenario.register(orderDraft())
                try await scenario.run {
                    try await scenario.start("s1")
                    try await eventually("the saga ends") { try await scenario.end(of: "s1") == .completed }
                }
                #expect(try await scenario.saga("s1")?.started.isAfterRewind == isAgain)
                try await server.rewind(to: snapshot)
            }
        }
    }
}

/// One run: rounds of sagas, each with a rewind somewhere.
final class RewindPlay: Sendable {
    private static let rounds = 3
    private static let sagasPerRound = 40
    private let random: Mutex<SeededRandom>

    init(seed: UInt64) {
        random = Mutex(SeededRandom(seed: seed))
    }

    private func milliseconds(_ range: ClosedRange<Int>) -> Duration {
        .milliseconds(random.withLock { Int.random(in: range, using: &$0) })
    }

    private func chance(_ share: Double) -> Bool { random.withLock { $0.chance(share) } }

    /// Mostly prompt successes; some refusals, some passing trouble, slow participants, who hold a command before or
    /// after they have performed it for longer than a rewind takes, and replies that come again from long ago.
    private func behaviour(of command: Command) -> Behaviour {
        random.withLock { random in
            var behaviour = Behaviour()
            if random.chance(0.06) { behaviour.verdict = .retry }
            if command.phase == .action, random.chance(0.12) { behaviour.verdict = .failed }
            if random.chance(0.15) { behaviour.holdBefore = .milliseconds(Int.random(in: 1...900, using: &random)) }
            if random.chance(0.15) { behaviour.holdAfter = .milliseconds(Int.random(in: 1...900, using: &random)) }
            if random.chance(0.3) { behaviour.repeatAfter = .milliseconds(Int.random(in: 1...1_200, using: &random)) }
            return behaviour
        }
    }

    /// - Returns: What is wrong; nothing, if all is well.
    func run(_ namespace: RedisNamespace, _ server: LocalRedisServer) async throws -> [String] {
        let scenario = Scenario(namespace)
        try await scenario.register(orderDraft(timeout: 300, attempts: 4))
        try await scenario.register(branchedDraft(timeout: 300, attempts: 4))
        scenario.participants.setPlan { self.behaviour(of: $0) }
        // One of the two orchestrators is frozen now and then, and comes back with what it remembers.
        let frozen = FreezableStore(namespace.store)
        var sagas: [(id: String, definition: String)] = []
        for round in 0..<Self.rounds {
            for index in 0..<Self.sagasPerRound {
                sagas.append(("r\(round)-\(index)", index % 2 == 0 ? "order" : "branched"))
            }
        }
        try await scenario.run(on: [frozen, namespace.store], configure: { $0.backoff = 20...100 }) { [sagas] in
            for round in 0..<Self.rounds {
                let started = sagas.prefix((round + 1) * Self.sagasPerRound)
                try await self.rewind(scenario, server, frozen, Array(started), round)
                try await self.settle(scenario, Array(started))
            }
        }
        var faults = try await scenario.audit(sagas.map(\.id))
        if try await scenario.openCount() > 0 { faults.append("sagas are still open") }
        // Answers about sagas whose starts were lost come before these are repeated, or never matter again.
        let reasons = Set(try await scenario.deadReasons()).subtracting(["unknown-saga"])
        if !reasons.isEmpty { faults.append("dead letters: \(reasons)") }
        return faults
    }

    private func rewind(
        _ scenario: Scenario, _ server: LocalRedisServer, _ frozen: FreezableStore,
        _ sagas: [(id: String, definition: String)], _ round: Int
    ) async throws {
        let new = sagas.suffix(Self.sagasPerRound)
        let early = Int.random(in: 0...Self.sagasPerRound)
        for saga in new.prefix(early) { try await scenario.start(saga.id, saga.definition) }
        try await Task.sleep(for: milliseconds(0...150))
        let snapshot = try await server.snapshot()
        for saga in new.dropFirst(early) { try await scenario.start(saga.id, saga.definition) }
        try await Task.sleep(for: milliseconds(0...150))
        // Orders that are lost and not repeated: what was undone because of them is to be done again, or all undone.
        for saga in new where chance(0.25) { try await scenario.order(.cancel, saga.id, id: "c-\(saga.id)") }
        try await Task.sleep(for: milliseconds(0...250))
        let freezes = chance(0.5)
        if freezes { frozen.freeze() }
        try await server.rewind(to: snapshot)
        if chance(0.3) {
            try await Task.sleep(for: milliseconds(0...300))
            try await server.rewind(to: snapshot)
        }
        if freezes {
            try await Task.sleep(for: milliseconds(0...800))
            frozen.thaw()
        }
        // What their starters were not told the end of, and what they were.
        for saga in sagas { try await repeatedly { try await scenario.start(saga.id, saga.definition) } }
    }

    /// Waits until nothing moves any more: all ended, and nothing in anybody's hands.
    private func settle(_ scenario: Scenario, _ sagas: [(id: String, definition: String)]) async throws {
        try await eventually("all sagas end", within: .seconds(30)) {
            guard scenario.participants.heldCount == 0 else { return false }
            return (try? await scenario.endedCount()) == sagas.count
        }
    }

    private func repeatedly(_ body: () async throws -> Void) async throws {
        for _ in 0..<100 {
            do {
                return try await body()
            } catch {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        try await body()
    }
}
