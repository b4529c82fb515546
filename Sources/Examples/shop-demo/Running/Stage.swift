import Foundation
import LocalRedis
import Shop

/// Everything that the demo runs, and the directory where it happens.
final class Stage: Sendable {
    let directory: String
    let redis: LocalRedisServer
    let orchestrator: ShopProcess
    let orders: ShopProcess
    let inventory: [ShopProcess]
    let payments: ShopProcess

    var redisURL: String { redis.url }

    var services: [ShopProcess] { [orders] + inventory + [payments] }

    private init(directory: String, redis: LocalRedisServer, programs: Programs) {
        self.directory = directory
        self.redis = redis
        func process(_ name: String, _ program: String, _ arguments: [String]) -> ShopProcess {
            ShopProcess(
                name, program: programs.path(of: program), arguments: arguments,
                logFile: "\(directory)/logs/\(name).log")
        }
        func service(_ name: String, consumer: Int) -> ShopProcess {
            process(
                "\(name)-\(consumer)", "shop-\(name)",
                [
                    "--redis", redis.url, "--database", Self.database(of: name, in: directory),
                    "--seed", Self.seedFile(in: directory), "--consumer", "\(consumer)", "--claim-after", "3",
                ])
        }
        orchestrator = process("orchestrator", "skald", ["orchestrator", "--redis", redis.url, "--id", "demo"])
        orders = service("orders", consumer: 1)
        inventory = [service("inventory", consumer: 1), service("inventory", consumer: 2)]
        payments = service("payments", consumer: 1)
    }

    /// Makes the directory, and starts Redis, the orchestrator and the services.
    static func set(for shop: ShopSeed, in directory: String, _ programs: Programs) async throws -> Stage {
        try FileManager.default.createDirectory(atPath: directory + "/logs", withIntermediateDirectories: true)
        try shop.write(to: seedFile(in: directory))
        let redis = try await LocalRedisServer.start(
            LocalRedisServer.Options(directory: directory + "/redis", appendOnly: .always))
        let stage = Stage(directory: directory, redis: redis, programs: programs)
        do {
            for process in [stage.orchestrator] + stage.services { try process.start() }
        } catch {
            await stage.strike()
            throw error
        }
        return stage
    }

    /// What the databases say now.
    func books() throws -> ShopBooks {
        try ShopBooks(
            orders: Self.database(of: "orders", in: directory),
            inventory: Self.database(of: "inventory", in: directory),
            payments: Self.database(of: "payments", in: directory))
    }

    /// Looks whether a process ended that nobody killed.
    func checkAllRun(_ isAway: (ShopProcess) -> Bool) throws {
        for process in services + [orchestrator] where !process.isRunning && !isAway(process) {
            throw DemoError("\(process.name) ended by itself")
        }
    }

    /// Commands that were delivered again, after whoever had them first was killed; as the services said when they
    /// stopped. Those of a process that was killed later are not in it.
    func redeliveries() -> Int {
        services.reduce(0) { sum, process in
            // A file that is not there has nothing to say.
            let text = (try? String(contentsOfFile: process.logFile, encoding: .utf8)) ?? ""
            return sum + text.matches(of: /recovered=([0-9]+)/).compactMap { Int($0.1) }.reduce(0, +)
        }
    }

    /// The last words of each process, for whoever has to find out what went wrong.
    func logTails() -> String {
        (services + [orchestrator]).map { process in
            // A file that is not there has nothing to say.
            let text = (try? String(contentsOfFile: process.logFile, encoding: .utf8)) ?? ""
            let lines = text.split(separator: "\n").suffix(8)
            return (["--- \(process.name)"] + lines).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func database(of service: String, in directory: String) -> String {
        "\(directory)/\(service).sqlite"
    }

    private static func seedFile(in directory: String) -> String { directory + "/shop.json" }

    /// Stops the services, which answer what they have in hand, and then the orchestrator.
    ///
    /// - Returns: What was wrong with any of the ends.
    func stopProcesses() async -> [String] {
        var complaints: [String] = []
        for process in services + [orchestrator] {
            if let complaint = await process.stop() { complaints.append(complaint) }
        }
        return complaints
    }

    /// Ends whatever still runs.
    func strike() async {
        for process in services + [orchestrator] { process.kill() }
        await redis.stop()
    }
}

/// The programs that lie beside this one.
struct Programs {
    private let directory: URL

    init() throws {
        guard let own = Bundle.main.executableURL else { throw DemoError("this program cannot find itself") }
        directory = own.resolvingSymlinksInPath().deletingLastPathComponent()
        for name in ["skald", "shop-orders", "shop-inventory", "shop-payments"]
        where !FileManager.default.isExecutableFile(atPath: path(of: name)) {
            throw DemoError("\(path(of: name)) is missing: build everything first (make build)")
        }
    }

    func path(of name: String) -> String { directory.appending(path: name).path }
}

/// Why the demo cannot go on: one line.
struct DemoError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
