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
        let namespace = "bench-" + String(UInt32.random(in: .min ... .max), radix: 16)
        let store = RedisSagaStore(endpoint: options.endpoint, namespace: namespace, logger: logger)
        let keys = KeySpace(namespace: namespace, partitions: try await store.open(partitions: options.partitions))
        let definition = try Self.definition(options)
        guard try await store.register(id: definition.id, canonical: definition.canonicalJSON) else {
            throw BenchError(description: "the benchmark's definition cannot be registered")
        }
        let client = makeClient()
        let services = try await definition.steps.compactMap(\.service).asyncMap { name in
            let service = NoOpService(
                name: name, keys: keys, endpoint: options.endpoint, result: options.payload,
                client: makeClient(), reader: makeClient())
            try await service.prepare()
            return service
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
                keys: keys, definition: definition, options: options, client: client, reader: makeClient())
            group.addTask { try await Measurement(options: options, client: client).run(starter) }
            let result = try await group.firstResult()
            try await removeNamespace(namespace, client)
            return result
        }
    }

    static func definition(_ options: BenchOptions) throws -> Definition {
        try Definition(
            validating: DefinitionDraft(
                name: "bench", version: 1,
                steps: (1...options.steps).map { number in
                    StepDraft(
                        name: "step-\(number)", service: "service-\(number)", action: "act",
                        compensation: .operation("undo"))
                }))
    }

    private func makeClient() -> RedisClient { RedisClient(endpoint: options.endpoint, logger: logger) }
}

/// Why a measurement could not be made.
public struct BenchError: Error, CustomStringConvertible {
    public var description: String
}

extension Array {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async throws -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
