import LocalRedis
import Logging
import RedisTransport
import SagaCore
import SagaOrchestrator
import SagaRedis
import SagaTesting
import SagaWire
import Testing

/// A trouble of the server, or on the way to it, while sagas run.
struct Trouble: CustomTestStringConvertible, Sendable {
    let name: String
    var server = LocalRedisServer.Options()
    /// Whether an orchestrator's connections are as patient, and its leases as long, as they are in earnest.
    var isInEarnest = false
    /// Whether `readyz` tells. What is over at once may pass unnoticed.
    var isTold = true
    let happen: @Sendable (TroubleStage) async throws -> Void

    var testDescription: String { name }
}

/// An orchestrator and participants behind a network of their own, and a test that looks at the server directly.
struct TroubleStage: Sendable {
    static let partitions = 4

    let redis: LocalRedisServer
    let proxy: TCPProxy
    let admin: RedisClient
    let scenario: Scenario
    let orchestrator: Orchestrator
    let log: LogRecorder
    private let isTold: Bool

    func send(_ command: RedisCommand) async throws { _ = try await admin.send(command) }

    /// Waits until the trouble shows in the orchestrator's readiness; then watches for a second how often it asks.
    func endureTrouble() async throws {
        if isTold {
            try await eventually("readyz tells", within: .seconds(30)) {
                if orchestrator.overload != nil { return true }
                return if case .unreachable(let reason) = orchestrator.readiness { reason != nil } else { false }
            }
        }
        let (connections, commands) = (proxy.acceptedCount, try? await commandCount())
        try await Task.sleep(for: .seconds(1))
        // A dozen clients, each of which tries every second or two by then, at first more often.
        #expect(proxy.acceptedCount - connections < 100, "connections in a second")
        // Where the server answers at all. Who spins does tens of thousands.
        if let commands, let later = try? await commandCount() {
            #expect(later - commands < 4_000, "commands in a second")
        }
    }

    private func commandCount() async throws -> Int {
        let info = ServerInfo(try await admin.send(RedisCommand("INFO", "stats")))
        return info["total_commands_processed"].flatMap(Int.init) ?? 0
    }

    /// Runs sagas before, during and after a trouble, and checks what became of them and what was told.
    static func play(_ trouble: Trouble, count: Int = 150) async throws {
        try await withRedisNamespace(partitions: partitions, trouble.server) { namespace, redis in
            let proxy = try await TCPProxy.start(to: redis.port)
            let far = RedisEndpoint(address: .tcp(host: "127.0.0.1", port: proxy.port))
            let farNamespace = try await RedisNamespace(at: far, partitions: partitions)
            let stage = Self.make(trouble, namespace, redis, proxy, far)
            let scenario = stage.scenario
            try await scenario.register(orderDraft())
            // A part of the orders is refused at the last step.
            scenario.participants.setPlan { command in
                Behaviour(command.step == "charge" && command.saga.hasSuffix("7") ? .failed : .succeeded)
            }
            let sagas = (0..<count).map { "s\($0)" }
            try await stage.run(on: farNamespace) {
                try await stage.start(sagas.prefix(count / 2))
                try await eventually("sagas begin to end") { try await scenario.endedCount() > 0 }
                // The connection has to be there already: no new one is served by a server in trouble.
                try await stage.send(RedisCommand("PING"))
                try await trouble.happen(stage)
                try await stage.start(sagas.suffix(count - count / 2))
                try await eventually("all sagas end", within: .seconds(60)) {
                    (try? await scenario.endedCount()) == count
                }
                try await eventually("readyz says ready again") { stage.orchestrator.readiness == .ready }
            }
            try await stage.audit(sagas)
            stage.checkLog()
            await stage.admin.close()
            await farNamespace.close()
            await proxy.stop()
        }
    }

    private static func make(
        _ trouble: Trouble, _ namespace: RedisNamespace, _ redis: LocalRedisServer, _ proxy: TCPProxy,
        _ far: RedisEndpoint
    ) -> TroubleStage {
        let log = LogRecorder()
        var logger = log.logger
        logger.logLevel = .info
        var storeOptions = RedisSagaStore.Options()
        var options = OrchestratorOptions(name: "o0")
        if !trouble.isInEarnest {
            storeOptions.connection.replyTimeout = .seconds(1)
            storeOptions.connection.blockingMargin = .seconds(1)
            storeOptions.connection.connectTimeout = .seconds(1)
            options.lease = 500
            options.block = 20
        }
        let store = RedisSagaStore(endpoint: far, namespace: "test", options: storeOptions, logger: logger)
        return TroubleStage(
            redis: redis, proxy: proxy,
            admin: RedisClient(
                endpoint: redis.endpoint, options: .init(connectTimeout: .seconds(2)), logger: quietLogger),
            scenario: Scenario(namespace), orchestrator: Orchestrator(store: store, options: options, logger: logger),
            log: log, isTold: trouble.isTold)
    }

    private func run(
        on namespace: RedisNamespace, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await orchestrator.run() }
            group.addTask {
                await scenario.participants.run(
                    services: ["create-service", "reserve-service", "charge-service"], on: namespace)
            }
            do {
                try await body()
            } catch {
                group.cancelAll()
                // An orchestrator that could not run says more than what was awaited of it in vain.
                try await group.waitForAll()
                throw error
            }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    /// Starts sagas, as often as it takes: the same start again changes nothing.
    private func start(_ sagas: some Sequence<String>) async throws {
        for saga in sagas {
            try await eventually("\(saga) is started") { (try? await scenario.start(saga)) != nil }
        }
    }

    private func audit(_ sagas: [String]) async throws {
        #expect(try await scenario.audit(sagas) == [])
        for saga in sagas {
            let expected: Saga.Status = saga.hasSuffix("7") ? .compensated : .completed
            #expect(try await scenario.saga(saga)?.status == expected, "\(saga)")
        }
        #expect(try await scenario.openCount() == 0)
        #expect(try await scenario.deadReasons() == [])
    }

    /// One line when it begins, one when it is over. What becomes of a partition is told by itself, once for each.
    private func checkLog() {
        let lines = log.lines.filter { $0.level >= .notice }
        let ofPartitions = lines.filter { $0.message.hasPrefix("partition") }
        let others = lines.filter { !$0.message.hasPrefix("partition") }
        let told = others.map { "\($0.level): \($0.message) \($0.error ?? "")" }.joined(separator: "\n")
        let warnings = others.filter { $0.level >= .warning }
        #expect(warnings.count <= 1, "\(told)")
        if isTold { #expect(warnings.count == 1, "\(told)") }
        #expect(others.count - warnings.count <= 1, "\(told)")
        #expect(ofPartitions.count <= 3 * Self.partitions, "\(ofPartitions.map(\.message).joined(separator: "\n"))")
    }
}
