import ShopStage
import Synchronization

/// Does harm at random, and heals it again: one process at a time, and beside it one thing of the ground at a time.
final class Nemesis: Sendable {
    private let stage: Stage
    private let ground: any HarmableGround
    private let seed: UInt64
    private let state = Mutex((faults: Faults(), away: Set<String>()))

    init(stage: Stage, ground: any HarmableGround, seed: UInt64) {
        self.stage = stage
        self.ground = ground
        self.seed = seed
    }

    var faults: Faults { state.withLock { $0.faults } }

    /// Whether a process was killed, and not started again yet.
    func isAway(_ process: ShopProcess) -> Bool { state.withLock { $0.away.contains(process.name) } }

    /// Does harm until the instant; when it returns all is healed.
    func haunt(until end: ContinuousClock.Instant) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.haunt(seed: self.seed &* 2, until: end) { try await self.harmProcess(&$0) } }
            group.addTask {
                try await self.haunt(seed: self.seed &* 2 &+ 1, until: end) { random in
                    let name = try await self.ground.harm(&random)
                    self.count(name)
                }
            }
            try await group.waitForAll()
        }
    }

    private func haunt(
        seed: UInt64, until end: ContinuousClock.Instant, _ harm: (inout SplitMix64) async throws -> Void
    ) async throws {
        var random = SplitMix64(state: seed)
        while true {
            let pause = Duration.milliseconds(Int.random(in: 300...3_000, using: &random))
            guard ContinuousClock.now + pause < end else { return }
            try await Task.sleep(for: pause)
            try await harm(&random)
        }
    }

    private func harmProcess(_ random: inout SplitMix64) async throws {
        let process = stage.processes[Int.random(in: 0..<stage.processes.count, using: &random)]
        let kind = process.name.split(separator: "-").first ?? ""
        if Bool.random(using: &random) {
            count("kill \(kind)")
            state.withLock { _ = $0.away.insert(process.name) }
            process.kill()
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...3_000, using: &random)))
            try process.start()
            state.withLock { _ = $0.away.remove(process.name) }
        } else {
            // From a hiccup to well beyond the lease.
            count("freeze \(kind)")
            process.freeze()
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...6_000, using: &random)))
            process.thaw()
        }
    }

    private func count(_ fault: String) { state.withLock { $0.faults.add(fault) } }
}

/// How often what was done.
struct Faults: Sendable {
    private(set) var byKind: [String: Int] = [:]

    mutating func add(_ kind: String) { byKind[kind, default: 0] += 1 }

    var count: Int { byKind.values.reduce(0, +) }

    var summary: String { "\(count.grouped) faults" }
}
