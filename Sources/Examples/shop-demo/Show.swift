import Foundation
import LocalRedis
import RedisTransport
import Shop
import ShopStage

/// The demo from beginning to end.
struct Show {
    let workload: Workload
    let inFlight: Int
    let definition: String
    let patience: Duration
    let keepsFiles: Bool

    /// Runs everything, and cleans up after it, whatever happens.
    ///
    /// - Returns: Whether everything adds up.
    func run() async throws -> Bool {
        let programs = try Programs()
        return try await Stage.withDirectory("skald-shop", keepsFiles: keepsFiles) { directory, progress in
            let stage = try await Stage.set(for: workload.shop, in: directory, programs) { directory in
                try await LocalRedisServer.start(.init(directory: directory, appendOnly: .always))
            }
            progress.say("started redis-server, an orchestrator, orders, inventory (twice) and payments")
            return try await stage.play(&progress) { try await play(on: stage, programs, &$0) }
        }
    }

    private func play(on stage: Stage, _ programs: Programs, _ progress: inout ProgressLine) async throws -> Bool {
        let skald = SkaldCommand(programs, redis: stage.redisURL, output: stage.directory + "/logs/skald.log")
        try await skald.apply(definition)
        progress.say("registered \(definition); placing \(workload.orders.count.grouped) orders")

        var coordinator = try await Coordinator.connect(to: RedisEndpoint(url: stage.redisURL))
        let began = ContinuousClock.now
        try await placeOrders(on: stage, &coordinator, &progress)
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        progress.say("every order has an end; stopping the services and looking at their databases")

        let books = try stage.books()
        var timeline: String?
        if let sample = mostUndone(in: books, coordinator.ends) { timeline = try await skald.show(sample) }
        let complaints = await stage.stopProcesses()
        await coordinator.close()
        let audit = try Audit(stage.books(), started: workload.orders.map(\.order), ends: coordinator.ends)
        progress.print(
            Report(
                audit: audit, complaints: complaints, seconds: seconds, redeliveries: stage.redeliveries(),
                timeline: timeline
            ).description)
        return audit.findings.isEmpty && complaints.isEmpty
    }

    /// Keeps a number of orders under way until all have an end; meanwhile, things go wrong.
    private func placeOrders(
        on stage: Stage, _ coordinator: inout Coordinator, _ progress: inout ProgressLine
    ) async throws {
        var mishaps = Mishaps(on: stage)
        var placed = 0
        let all = workload.orders.count
        let deadline = ContinuousClock.now + patience
        while coordinator.ends.count < all || !mishaps.areOver {
            try Task.checkCancellation()
            guard ContinuousClock.now < deadline else {
                throw StageError("\(all - coordinator.ends.count) orders have no end after \(patience)")
            }
            try stage.checkAllRun { mishaps.isAway($0) }
            let count = min(inFlight - (placed - coordinator.ends.count), mishaps.limit(of: all) - placed)
            if count > 0 {
                try await coordinator.place(workload.orders[placed..<placed + count])
                placed += count
            }
            try await coordinator.readEnds()
            try mishaps.happen(ended: coordinator.ends.count, of: all, &progress)
            progress.show(status(coordinator.ends, placed: placed))
        }
    }

    /// An order of which as much as can be was done and undone: refunded, else released, else any.
    private func mostUndone(in books: ShopBooks, _ ends: [String: Audit.End]) -> String? {
        let compensated = workload.orders.map(\.order).filter { ends[$0] == .compensated }
        return compensated.first { books.payments[$0] != nil } ?? compensated.first { books.reservations[$0] != nil }
            ?? compensated.first
    }

    private func status(_ ends: [String: Audit.End], placed: Int) -> String {
        let completed = ends.values.count { $0 == .completed }
        return "\(ends.count.grouped) of \(workload.orders.count.grouped) ended: \(completed.grouped) confirmed, "
            + "\((ends.count - completed).grouped) undone; \((placed - ends.count).grouped) under way"
    }
}
