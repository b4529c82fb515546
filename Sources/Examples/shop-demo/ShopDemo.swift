import ArgumentParser
import Foundation
import ShopStage
import UnixSignals

/// The shop with everything that it needs, from nothing to an audit.
@main
struct ShopDemo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop-demo",
        abstract:
            "Runs the example shop on a Redis server of its own, kills parts of it on the way, and audits the end.",
        discussion: """
            Starts redis-server, an orchestrator and the shop's services as processes of their own, registers the \
            definition, places the orders, and compares the three databases with each other and with the sagas. \
            Exits with 1 where anything does not add up. Everything is stopped and removed at the end, also on Ctrl-C.
            """)

    @Option(help: "How many orders are placed.")
    var orders = 1_200

    @Option(help: "The seed of the orders.")
    var seed: UInt64 = 1

    @Option(help: "How many orders are under way at a time.")
    var inFlight = 150

    @Option(help: "The order's definition.")
    var definition = "deploy/shop/order.yaml"

    @Option(help: "Seconds after which the demo gives up.")
    var patience = 110

    @Flag(help: "Leave the databases and logs behind, and say where.")
    var keep = false

    mutating func validate() throws {
        guard (1...1_000_000).contains(orders) else { throw ValidationError("--orders is from 1 to 1000000") }
        guard inFlight >= 1 else { throw ValidationError("--in-flight is at least 1") }
        guard FileManager.default.fileExists(atPath: definition) else {
            throw ValidationError("\(definition) is not there: run the demo in the repository, or name the file")
        }
    }

    func run() async throws {
        let show = Show(
            workload: Workload(orders: orders, seed: seed), inFlight: inFlight, definition: definition,
            patience: .seconds(patience), keepsFiles: keep)
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let code: Int32 = try await withThrowingTaskGroup(of: Int32.self) { group in
            group.addTask { try await show.run() ? 0 : 1 }
            group.addTask {
                for await signal in signals { return signal == .sigint ? 130 : 143 }
                // Cancelled: the show is over.
                return 0
            }
            // Whichever comes first ends the other; the show cleans up before it returns.
            let first = try await group.next() ?? 0
            group.cancelAll()
            while !group.isEmpty {
                // What the end of a show that was broken off throws is no news.
                _ = try? await group.next()
            }
            return first
        }
        throw ExitCode(code)
    }
}
