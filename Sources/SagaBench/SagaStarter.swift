import RedisTransport
import SagaCore
import SagaRedis
import SagaWire

/// Keeps a number of sagas under way: starts one for each that ends, and learns of ends from the outcome streams.
struct SagaStarter {
    private let keys: KeySpace
    private let definition: Definition
    private let options: BenchOptions
    private let client: RedisRouter
    private let reader: RedisRouter
    private var positions: [String]
    private var nextSaga = 0

    init(keys: KeySpace, definition: Definition, options: BenchOptions, client: RedisRouter, reader: RedisRouter) {
        self.keys = keys
        self.definition = definition
        self.options = options
        self.client = client
        self.reader = reader
        positions = Array(repeating: "0-0", count: keys.partitions)
    }

    /// Runs this many sagas to their ends.
    mutating func run(sagas: Int) async throws -> Stopwatch {
        var stopwatch = Stopwatch()
        let last = nextSaga + sagas
        // A command is only submitted on a connection that is there.
        _ = try await client.send(RedisCommand("PING"))
        while stopwatch.ended < sagas {
            let starts = start(min(options.inFlight - stopwatch.underWay, last - nextSaga), &stopwatch)
            try await readEnds(&stopwatch)
            _ = try await starts?.get()
        }
        return stopwatch
    }

    private mutating func start(_ count: Int, _ stopwatch: inout Stopwatch) -> PendingReply? {
        guard count > 0 else { return nil }
        let now = ContinuousClock.now
        var entries: [Int: Fields] = [:]
        for _ in 0..<count {
            let id = "b-\(nextSaga)"
            let message = StartMessage(saga: id, definition: definition.name, version: 1, input: options.payload)
            entries[keys.partition(of: id), default: Fields()].append(contentsOf: message.fields)
            stopwatch.begin(nextSaga, at: now)
            nextSaga += 1
        }
        let commands = entries.map { partition, fields in
            var command = RedisCommand("XADD", keys.intake(partition), "*")
            command.append(fields)
            return command
        }
        return client.submitTransaction(commands)
    }

    private mutating func readEnds(_ stopwatch: inout Stopwatch) async throws {
        var read = RedisCommand("XREAD", "COUNT", "1000", "BLOCK", "1000", "STREAMS")
        for partition in 0..<keys.partitions { read.append(keys.outcome(partition)) }
        for position in positions { read.append(position) }
        let reply = try await reader.blocking(read, for: .seconds(1))
        let now = ContinuousClock.now
        var views: [FieldView] = []
        for index in 0..<reply.value.count {
            let stream = reply.value[index]
            let key = stream[0].string
            guard let partition = (0..<keys.partitions).first(where: { keys.outcome($0) == key }) else { continue }
            for entry in 0..<stream[1].count {
                let entry = stream[1][entry]
                positions[partition] = entry[0].string ?? positions[partition]
                let outcome = entry[1].withFieldViews(reusing: &views) { Outcome.decode($0) }
                guard case .end(let end) = outcome, let saga = Int(end.saga.dropFirst(2)) else { continue }
                guard end.status == .completed else {
                    throw BenchError(description: "saga \(end.saga) ended \(end.status): \(end.error ?? "")")
                }
                stopwatch.end(saga, at: now)
            }
        }
        withExtendedLifetime(reply) {}
    }
}
