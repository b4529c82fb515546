import Foundation
import RedisTransport
import ShopStage

/// One run: orders and faults, then calm, then the audit.
struct Soak {
    /// Short time-outs, so that what a fault has lost is asked for again soon.
    private static let definition = """
        name: order
        version: 1
        steps:
          - {name: create, service: orders, action: create-order, compensation: cancel-order, timeout: 3s}
          - {name: reserve, service: inventory, action: reserve, compensation: release, timeout: 3s}
          - {name: charge, service: payments, action: charge, compensation: refund, uses: [create], timeout: 3s}
          - {name: confirm, service: orders, action: confirm-order, pivot: true, compensation: null, timeout: 3s}
        """
    /// About what a debug build can do: towards the end articles and money run short, and orders are refused.
    private static let ordersPerSecond = 80.0

    let seconds: Int
    let seed: UInt64
    let kind: GroundKind
    let inFlight: Int
    let patience: Duration
    let keepsFiles: Bool

    /// Runs everything, and cleans up after it, whatever happens.
    ///
    /// - Returns: Whether everything adds up.
    func run() async throws -> Bool {
        let programs = try Programs()
        let workload = Workload(orders: Int(Double(seconds) * Self.ordersPerSecond), seed: seed)
        return try await Stage.withDirectory("skald-soak", keepsFiles: keepsFiles) { directory, progress in
            let ground = try await kind.lay(in: directory + "/redis")
            var cast = Cast()
            (cast.orchestrators, cast.orders, cast.inventory, cast.payments) = (2, 2, 2, 2)
            let stage = try await Stage.set(for: workload.shop, in: directory, programs, cast: cast) { _ in ground }
            progress.say("seed \(seed): two orchestrators and six services on Redis (\(kind.rawValue))")
            return try await stage.play(&progress) { try await play(workload, on: stage, ground, programs, &$0) }
        }
    }

    private func play(
        _ workload: Workload, on stage: Stage, _ ground: any HarmableGround, _ programs: Programs,
        _ progress: inout ProgressLine
    ) async throws -> Bool {
        let file = stage.directory + "/order.yaml"
        try Self.definition.write(toFile: file, atomically: true, encoding: .utf8)
        let skald = SkaldCommand(programs, redis: stage.redisURL, output: stage.directory + "/logs/skald.log")
        try await skald.apply(file)
        var starter = Starter(try ground.client(), workload.orders, inFlight: inFlight)
        let nemesis = Nemesis(stage: stage, ground: ground, seed: seed)
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            let end = began + .seconds(seconds)
            group.addTask { try await nemesis.haunt(until: end) }
            while ContinuousClock.now < end {
                // Evenly over the time, so that whatever happens meets orders that are under way.
                try await starter.work(placing: Int((ContinuousClock.now - began) / .seconds(1) * Self.ordersPerSecond))
                progress.show("\(starter.status); \(nemesis.faults.summary)")
                try stage.checkAllRun { nemesis.isAway($0) }
            }
            try await group.waitForAll()
        }
        progress.say(
            "\(nemesis.faults.count.grouped) faults are over; waiting for the \(starter.openCount) open orders")
        let deadline = ContinuousClock.now + patience
        while starter.openCount > 0, ContinuousClock.now < deadline {
            try stage.checkAllRun { _ in false }
            try await starter.work()
            progress.show(starter.status)
        }
        let changed = kind.mayForgetEnds ? [] : await starter.changedEnds()
        let letters = await starter.deadLetters()
        await starter.close()
        let complaints = await stage.stopProcesses()
        let audit = try Audit(stage.books(), started: starter.placed, ends: starter.ends)
        let report = SoakReport(
            audit: audit, violations: audit.findings + changed + complaints, faults: nemesis.faults,
            repeats: starter.repeats, deadLetters: letters, redeliveries: stage.redeliveries(),
            rewinds: stage.rewinds, refusals: stage.fencedOwners, kind: kind, seed: seed, seconds: seconds)
        progress.print("\(report)")
        if !report.violations.isEmpty { progress.print(stage.logTails()) }
        return report.violations.isEmpty
    }
}

extension Stage {
    /// How often an orchestrator has begun a new history of a partition.
    var rewinds: Int { occurrences(of: "era raised") }

    /// How often an orchestrator was told that a partition is not its own any more.
    var fencedOwners: Int { occurrences(of: "another orchestrator has taken it") }

    private func occurrences(of text: String) -> Int {
        orchestrators.reduce(0) { $0 + log(of: $1).ranges(of: text).count }
    }
}
