public import ArgumentParser
public import GRDB
import Logging
import RedisTransport
public import SagaParticipant
public import SagaParticipantSQLite
import SagaWire
import ServiceLifecycle
import UnixSignals

/// What the shop's services have in common: their options, and the way from them to a running participant.
public struct ShopService: ParsableArguments {
    @Option(help: "The Redis server (default: $SKALD_REDIS_URL, else redis://127.0.0.1:6379).")
    public var redis: String?

    @Option(help: "The sagas' namespace (default: $SKALD_NAMESPACE, else skald).")
    public var namespace: String?

    @Option(help: "The service's own SQLite database; made where it is missing.")
    public var database: String

    @Option(help: "A JSON file with what the shop begins with; rows that are there already stay as they are.")
    public var seed: String?

    @Option(help: "Which instance of the service this is. Stable, and different for each.")
    public var consumer: String = "1"

    @Option(help: "Seconds after which another instance's unanswered commands are taken over.")
    public var claimAfter: Int = 30

    public init() {}

    public mutating func validate() throws {
        guard (1...86_400).contains(claimAfter) else { throw ValidationError("--claim-after is from 1 to 86400") }
    }

    /// Runs until SIGTERM or SIGINT, which answer what is in hand.
    ///
    /// - Parameters:
    ///   - name: what definitions call the service.
    ///   - prepare: makes the service's tables, and fills them from the seed.
    public func run(
        _ name: String, prepare: @escaping @Sendable (Database, ShopSeed) throws -> Void,
        _ handlers: (inout Handlers<SQLiteBarrier>) -> Void
    ) async throws {
        let logger = Logger(label: name)
        let environment = Environment.read()
        let endpoint = try RedisEndpoint(url: redis, environment: environment.variables)
        let seed = try seed.map { try ShopSeed(contentsOf: $0) } ?? ShopSeed()
        let barrier = try SQLiteBarrier(path: database) { try prepare($0, seed) }
        var options = ParticipantOptions()
        options.consumer = "\(name)-\(consumer)"
        options.payloadKeys = try PayloadKeys.read(from: environment.variables)
        options.claimAfter = .seconds(claimAfter)
        let participant = Participant(
            service: name, redis: endpoint, namespace: namespace ?? environment.namespace, barrier: barrier,
            options: options, logger: logger, handlers)
        try await ServiceGroup(
            services: [participant], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
        ).run()
        let counts = participant.counts
        logger.info(
            "service stopped",
            metadata: [
                "received": "\(counts.received)", "succeeded": "\(counts.succeeded)", "failed": "\(counts.failed)",
                "retried": "\(counts.retried)", "recovered": "\(counts.recovered)",
            ])
    }
}
