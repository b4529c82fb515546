public import Logging
import RedisTransport
import SagaCore
import SagaOrchestrator
import SagaRedis
import SagaStore
import SagaWire

/// Skald itself under load: an orchestrator, no-op services and a starter in this process, everything between them over
/// real streams.
public struct SkaldBench: Sendable {
    let options: BenchOptions
    let logger: Logger

    public init(_ options: BenchOptions, logger: Logger) {
        self.options = options
        self.logger = logger
    }

    /// Runs one measurement in a namespace of its own, which is removed afterwards.
    public func run() async throws -> BenchResult {
        try options.checkTopology()
        let namespace = BenchOptions.randomNamespace("bench")
        let store = RedisSagaStore(endpoint: options.endpoint, namespace: namespace, logger: logger)
        let keys = KeySpace(namespace: namespace, partitions: try await store.open(partitions: options.partitions))
        let definition = try options.definition()
        guard try await store.register(id: definition.id, canonical: definition.canonicalJSON) else {
            throw BenchError(description: "the benchmark's definition cannot be registered")
        }
        let client = options.makeClient(logger)
        var services: [NoOpService] = []
        for name in definition.steps.compactMap(\.service) {
            let service = NoOpService(
                name: name, keys: keys, result: options.payload, client: options.makeClient(logger),
                reader: options.makeClient(logger))
            try await service.prepare()
            services.append(service)
        }
        var orchestratorOptions = OrchestratorOptions(name: "bench")
        orchestratorOptions.partitions = options.partitions
        let orchestrator = Orchestrator(store: store, options: orchestratorOptions, logger: logger)
        return try await withThrowingTaskGroup(of: BenchResult?.self) { group in
            group.addTask {
                try await orchestrator.run()
                return nil
            }
            for service in services {
                group.addTask {
                    try await service.run()
                    return nil
                }
            }
            let starter = SagaStarter(
                keys: keys, definition: definition, options: options, client: client, reader: options.makeClient(logger)
            )
            group.addTask { try await Measurement(options: options, client: client).run(starter) }
            let result = try await group.firstResult()
            try await removeNamespace(namespace, client)
            return result
        }
    }
}

/// Why a measurement could not be made.
public struct BenchError: Error, CustomStringConvertible {
    public var description: String
}
