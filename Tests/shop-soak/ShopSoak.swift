import ArgumentParser
import Foundation
import Logging

/// The shop under random faults, for as long as told.
@main
struct ShopSoak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop-soak",
        abstract: "Runs the example shop while its processes and its Redis servers are killed, frozen and cut off.",
        discussion: """
            Two orchestrators and two instances of each service, as processes of their own, on Redis servers of their \
            own. Orders are placed all the while. When the time is over the faults stop; then every order must come to \
            an end, and the three databases must agree with each other and with what was told. Exits with 1 where \
            anything does not add up.
            """)

    @Option(help: "Seconds of faults.")
    var seconds = 60

    @Option(help: "The seed of the orders and of the faults.")
    var seed = UInt64.random(in: 0...99_999)

    @Option(help: "What it runs on: \(GroundKind.allCases.map(\.rawValue).joined(separator: ", ")).")
    var ground = GroundKind.standalone

    @Option(help: "How many orders are under way at a time.")
    var inFlight = 60

    @Option(help: "Seconds within which everything must end once the faults have stopped.")
    var patience = 180

    @Flag(help: "Leave the databases and logs behind, and say where.")
    var keep = false

    mutating func validate() throws {
        guard (1...604_800).contains(seconds) else { throw ValidationError("--seconds is from 1 to 604800") }
        guard (1...10_000).contains(inFlight) else { throw ValidationError("--in-flight is from 1 to 10000") }
        guard patience >= 1 else { throw ValidationError("--patience is at least 1") }
    }

    func run() async throws {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        let soak = Soak(
            seconds: seconds, seed: seed, kind: ground, inFlight: inFlight, patience: .seconds(patience),
            keepsFiles: keep)
        guard try await soak.run() else { throw ExitCode(1) }
    }
}

extension GroundKind: ExpressibleByArgument {}
