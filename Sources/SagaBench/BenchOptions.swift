import Logging
public import RedisTransport
import SagaCore

/// What one measurement runs.
public struct BenchOptions: Sendable {
    public var endpoint: RedisEndpoint
    /// Sagas of the measurement, after a tenth as many to warm up.
    public var sagas: Int
    /// Sagas under way at a time.
    public var inFlight: Int
    /// Partitions of the benchmark's own namespace.
    public var partitions: Int
    /// Steps of each saga; each is of a service of its own.
    public var steps = 3
    /// Bytes of the input and of each result.
    public var payloadBytes: Int

    public init(endpoint: RedisEndpoint, sagas: Int, inFlight: Int, partitions: Int = 4, payloadBytes: Int = 200) {
        self.endpoint = endpoint
        self.sagas = sagas
        self.inFlight = inFlight
        self.partitions = partitions
        self.payloadBytes = payloadBytes
    }

    /// A JSON string of the asked size.
    var payload: [UInt8] {
        [UInt8(ascii: "\"")] + Array(repeating: UInt8(ascii: "x"), count: max(0, payloadBytes - 2)) + [
            UInt8(ascii: "\"")
        ]
    }
}

extension BenchOptions {
    /// The starter and the services read all partitions with one command.
    func checkTopology() throws {
        guard case .cluster = endpoint.address else { return }
        throw BenchError(
            description: "the benchmark measures one server: give it redis:// or redis-sentinel://")
    }

    func makeClient(_ logger: Logger) -> RedisRouter { RedisRouter(endpoint: endpoint, logger: logger) }

    /// The definition that is run: a service of its own for each step.
    func definition() throws -> Definition {
        try Definition(
            validating: DefinitionDraft(
                name: "bench", version: 1,
                steps: (1...steps).map { number in
                    StepDraft(
                        name: "step-\(number)", service: "service-\(number)", action: "act",
                        compensation: .operation("undo"))
                }))
    }

    /// A namespace that nobody else uses.
    static func randomNamespace(_ prefix: String) -> String {
        "\(prefix)-" + String(UInt32.random(in: .min ... .max), radix: 16)
    }
}

/// What one measurement found.
public struct BenchResult: Sendable {
    public var sagas: Int
    public var steps: Int
    public var seconds: Double
    /// From the start's dispatch to the end as the starter reads it, in milliseconds.
    public var p50: Double
    public var p99: Double
    /// The server's CPU time, system and user, for each step.
    public var redisMicrosecondsPerStep: Double
    /// What a finished saga leaves in Redis; nil where that wasn't measured.
    public var bytesPerSaga: Double?

    public var sagasPerSecond: Double { Double(sagas) / seconds }
    public var stepsPerSecond: Double { Double(steps) / seconds }
}
