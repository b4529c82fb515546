import Foundation
package import LocalRedis
package import Shop

/// What the shop stands on: a Redis server, or several.
package protocol Ground: Sendable {
    /// How the shop's programs reach it.
    var url: String { get }
    func stop() async
}

extension LocalRedisServer: Ground {}

/// How many of each program run.
package struct Cast: Sendable {
    package var orchestrators = 1
    package var orders = 1
    package var inventory = 2
    package var payments = 1

    package init() {}
}

/// Everything that the shop runs, and the directory where it happens.
package final class Stage: Sendable {
    package let directory: String
    package let redisURL: String
    package let orchestrators: [ShopProcess]
    package let orders: [ShopProcess]
    package let inventory: [ShopProcess]
    package let payments: [ShopProcess]
    private let ground: any Ground

    package var services: [ShopProcess] { orders + inventory + payments }
    package var processes: [ShopProcess] { services + orchestrators }

    private init(directory: String, ground: any Ground, cast: Cast, programs: Programs) {
        self.directory = directory
        self.ground = ground
        let redisURL = ground.url
        self.redisURL = redisURL
        func process(_ name: String, _ program: String, _ arguments: [String]) -> ShopProcess {
            ShopProcess(
                name, program: programs.path(of: program), arguments: arguments,
                logFile: "\(directory)/logs/\(name).log")
        }
        func service(_ name: String, _ count: Int) -> [ShopProcess] {
            (1...count).map { consumer in
                process(
                    "\(name)-\(consumer)", "shop-\(name)",
                    [
                        "--redis", redisURL, "--database", Self.database(of: name, in: directory),
                        "--seed", Self.seedFile(in: directory), "--consumer", "\(consumer)", "--claim-after", "3",
                    ])
            }
        }
        orchestrators = (1...cast.orchestrators).map { index in
            let name = cast.orchestrators == 1 ? "orchestrator" : "orchestrator-\(index)"
            return process(name, "skald", ["orchestrator", "--redis", redisURL, "--id", name])
        }
        orders = service("orders", cast.orders)
        inventory = service("inventory", cast.inventory)
        payments = service("payments", cast.payments)
    }

    /// Makes the directory, lays the ground, and starts the orchestrators and the services on it.
    ///
    /// - Parameter ground: makes what the shop stands on, in the directory that it is given.
    package static func set(
        for shop: ShopSeed, in directory: String, _ programs: Programs, cast: Cast = Cast(),
        on ground: (_ directory: String) async throws -> any Ground
    ) async throws -> Stage {
        try FileManager.default.createDirectory(atPath: directory + "/logs", withIntermediateDirectories: true)
        try shop.write(to: seedFile(in: directory))
        let stage = Stage(
            directory: directory, ground: try await ground(directory + "/redis"), cast: cast, programs: programs)
        do {
            for process in stage.processes.reversed() { try process.start() }
        } catch {
            await stage.strike()
            throw error
        }
        return stage
    }

    /// What the databases say now.
    package func books() throws -> ShopBooks {
        try ShopBooks(
            orders: Self.database(of: "orders", in: directory),
            inventory: Self.database(of: "inventory", in: directory),
            payments: Self.database(of: "payments", in: directory))
    }

    /// Looks whether a process ended that nobody killed.
    package func checkAllRun(_ isAway: (ShopProcess) -> Bool) throws {
        for process in processes where !process.isRunning && !isAway(process) {
            throw StageError("\(process.name) ended by itself")
        }
    }

    /// Commands that were delivered again, after whoever had them first was killed; as the services said when they
    /// stopped. Those of a process that was killed later are not in it.
    package func redeliveries() -> Int {
        services.reduce(0) { sum, process in
            sum + log(of: process).matches(of: /recovered=([0-9]+)/).compactMap { Int($0.1) }.reduce(0, +)
        }
    }

    /// What a process has written.
    package func log(of process: ShopProcess) -> String {
        // A file that is not there has nothing to say.
        (try? String(contentsOfFile: process.logFile, encoding: .utf8)) ?? ""
    }

    /// The last words of each process, for whoever has to find out what went wrong.
    package func logTails() -> String {
        processes.map { process in
            let lines = log(of: process).split(separator: "\n").suffix(8)
            return (["--- \(process.name)"] + lines).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func database(of service: String, in directory: String) -> String {
        "\(directory)/\(service).sqlite"
    }

    private static func seedFile(in directory: String) -> String { directory + "/shop.json" }

    /// Stops the services, which answer what they have in hand, and then the orchestrators.
    ///
    /// - Returns: What was wrong with any of the ends.
    package func stopProcesses() async -> [String] {
        var complaints: [String] = []
        for process in processes {
            if let complaint = await process.stop() { complaints.append(complaint) }
        }
        return complaints
    }

    /// Ends whatever still runs.
    package func strike() async {
        for process in processes { process.kill() }
        await ground.stop()
    }
}
