import ArgumentParser
import Foundation
import Logging
import SagaCore
import SagaHTTP
import SagaOrchestrator
import SagaRedis
import SagaStore
import ServiceLifecycle
import UnixSignals

/// Runs an orchestrator until it is told to stop.
struct RunOrchestrator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orchestrator",
        abstract: "Run the coordinator; any number of them share a namespace.",
        discussion: """
            Each holds as many partitions as the others. SIGTERM and SIGINT hand its partitions over, one by one and for two \
            leases at most, and exit with 0.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var settings: OrchestratorSettings

    @Option(help: ArgumentHelp("Serve /healthz, /readyz and /metrics there.", valueName: "host:port"))
    var http: String?

    func run() async throws {
        let logger = global.logger(default: .info)
        let address = try http.map(httpAddress)
        var storeOptions = RedisSagaStore.Options()
        storeOptions.allowsEviction = settings.allowEviction
        let options = try settings.options()
        storeOptions.looksAtSettings = options.requiresConfirmation ? true : nil
        let store = RedisSagaStore(
            endpoint: try global.endpoint, namespace: try global.checkedNamespace, options: storeOptions,
            logger: logger)
        try await serve(store, options, try settings.secret(), address, logger: logger)
    }
}

/// How an orchestrator works; `dev` takes the same.
struct OrchestratorSettings: ParsableArguments {
    @Option(name: .customLong("id"), help: "The orchestrator's name, for people. Default: host and process id.")
    var name: String?

    @Option(help: "Partitions of a new namespace (default 16); a namespace with another number is refused.")
    var partitions: Int?

    @Option(
        help: ArgumentHelp("Time after which a crashed orchestrator's partitions are taken.", valueName: "duration"))
    var lease: String = "3s"

    @Option(help: "Loops that share the partitions, each with its own connections.")
    var lanes: Int?

    @Option(
        help: ArgumentHelp(
            "File with the secret of the reply tokens.",
            discussion: "Default: SKALD_TOKEN_SECRET, else one that is made once and kept in Redis.", valueName: "file")
    )
    var secretFile: String?

    @Option(
        help: ArgumentHelp(
            "How much of Redis' maxmemory may be used for sagas to be begun, in per cent (default 80; 0: all of it).",
            discussion:
                "Above it, starters are refused, and starts that come all the same wait; what is begun goes on.",
            valueName: "percent"))
    var memoryShare: Int?

    @Option(
        help: ArgumentHelp(
            "What sagas keep to whose definition leaves it open: async or replicated[:N].",
            discussion: """
                replicated: nothing is let out before N replicas (default 1) have it or, without replicas, before it is \
                synced to disk (appendfsync always). A server that can do neither is refused. \
                Default: SKALD_DURABILITY, else async.
                """, valueName: "durability"))
    var durability: String?

    @Flag(help: "Work on a server whose maxmemory-policy may evict keys. Sagas vanish there.")
    var allowEviction = false

    func options() throws -> OrchestratorOptions {
        let host = ProcessInfo.processInfo.hostName
        var options = OrchestratorOptions(name: name ?? "\(host)-\(ProcessInfo.processInfo.processIdentifier)")
        guard let lease = DurationText.parse(lease), lease >= 100 else {
            throw ValidationError("--lease takes a duration of at least 100ms, such as 3s")
        }
        options.lease = lease
        options.partitions = partitions
        if let partitions, partitions < 1 { throw ValidationError("--partitions takes a number from 1") }
        if let memoryShare {
            guard (0...100).contains(memoryShare) else { throw ValidationError("--memory-share takes 0 to 100") }
            options.memoryShare = memoryShare == 0 ? nil : memoryShare
        }
        if let lanes {
            guard lanes > 0 else { throw ValidationError("--lanes takes a number from 1") }
            options.lanes = lanes
        }
        try setDurability(of: &options)
        return options
    }

    private func setDurability(of options: inout OrchestratorOptions) throws {
        let environment = ProcessInfo.processInfo.environment["SKALD_DURABILITY"].flatMap { $0.isEmpty ? nil : $0 }
        guard let text = durability ?? environment else { return }
        let source = durability == nil ? "SKALD_DURABILITY" : "--durability"
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts[0], parts.count > 1 ? Int(parts[1]) : 1) {
        case ("async", _) where parts.count == 1: return
        case ("replicated", let replicas?) where (1...100).contains(replicas):
            (options.durability, options.replicas, options.requiresConfirmation) = (.replicated, replicas, true)
        default:
            throw ValidationError(
                "\(source) takes async, replicated or replicated:N with N from 1 to 100, not '\(text)'")
        }
    }

    func secret() throws -> [UInt8]? {
        let text: String?
        if let secretFile {
            do {
                text = try String(contentsOfFile: secretFile, encoding: .utf8)
            } catch {
                throw fail("the secret file '\(secretFile)' cannot be read: \(error.localizedDescription)")
            }
        } else {
            text = ProcessInfo.processInfo.environment["SKALD_TOKEN_SECRET"]
        }
        guard let secret = text?.trimmingCharacters(in: .whitespacesAndNewlines) else { return nil }
        guard secret.utf8.count >= 16 else { throw fail("the secret of the reply tokens needs at least 16 bytes") }
        return Array(secret.utf8)
    }
}

/// Where to serve HTTP; refuses what others could reach, because nothing there asks who calls.
func httpAddress(_ text: String) throws -> HTTPAddress {
    guard let address = HTTPAddress(text) else { throw ValidationError("--http takes HOST:PORT, not '\(text)'") }
    guard address.isLoopback else {
        throw fail("HTTP without tokens is served to this machine only: use 127.0.0.1, not \(address.host)")
    }
    return address
}

/// Runs an orchestrator, and the HTTP server beside it where one is wanted, until SIGTERM or SIGINT.
func serve(
    _ store: RedisSagaStore, _ options: OrchestratorOptions, _ secret: [UInt8]?, _ address: HTTPAddress?, logger: Logger
) async throws {
    let orchestrator = Orchestrator(store: store, options: options, secret: secret, logger: logger)
    var services: [any Service] = [orchestrator]
    if let address {
        services.append(HealthServer(orchestrator: orchestrator, address: address, logger: logger))
    }
    var serviceLogger = logger
    serviceLogger.logLevel = max(logger.logLevel, .error)
    let group = ServiceGroup(
        configuration: ServiceGroupConfiguration(
            services: services.map {
                ServiceGroupConfiguration.ServiceConfiguration(
                    service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
            }, gracefulShutdownSignals: [.sigterm, .sigint], logger: serviceLogger))
    do {
        try await group.run()
    } catch let error as StoreError {
        throw fail(error.message)
    } catch {
        throw fail("\(error)")
    }
    await store.close()
}
