import Foundation
import LocalRedis
import Logging
import RedisTransport
import SagaCore
import SagaRedis
import SagaWire
import Shop

/// The starter's side of the coordinator: places orders, and learns of their ends.
struct Coordinator {
    private let client: RedisClient
    private let keys: KeySpace
    private var positions: [String]
    private(set) var ends: [String: Audit.End] = [:]

    static func connect(to redis: LocalRedisServer) async throws -> Coordinator {
        let client = RedisClient(endpoint: redis.endpoint, logger: Logger(label: "demo"))
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let meta = try await client.send(RedisCommand("HMGET", KeySpace.meta(of: "skald"), "partitions"))
            if let partitions = meta.value[0].string.flatMap(Int.init) {
                return Coordinator(client: client, keys: KeySpace(namespace: "skald", partitions: partitions))
            }
            // The orchestrator has only been started.
            guard ContinuousClock.now < deadline else { throw DemoError("no orchestrator has opened the namespace") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private init(client: RedisClient, keys: KeySpace) {
        self.client = client
        self.keys = keys
        positions = Array(repeating: "0", count: keys.partitions)
    }

    func place(_ orders: ArraySlice<OrderRequest>) async throws {
        let encoder = JSONEncoder()
        let commands = try orders.map { order in
            let message = StartMessage(
                saga: order.order, definition: "order", input: [UInt8](try encoder.encode(order)))
            var command = RedisCommand("XADD", keys.intake(keys.partition(of: order.order)), "*")
            command.append(message.fields)
            return command
        }
        _ = try await client.transaction(commands)
    }

    /// Reads the ends that are told since the last time, waiting a little where there are none.
    mutating func readEnds() async throws {
        var read = RedisCommand("XREAD", "COUNT", "1000", "BLOCK", "50", "STREAMS")
        for partition in 0..<keys.partitions { read.append(keys.outcome(partition)) }
        for position in positions { read.append(position) }
        let reply = try await client.blocking(read, for: .milliseconds(50))
        var views: [FieldView] = []
        for index in 0..<reply.value.count {
            let stream = reply.value[index]
            let key = stream[0].string
            guard let partition = (0..<keys.partitions).first(where: { keys.outcome($0) == key }) else { continue }
            for number in 0..<stream[1].count {
                let entry = stream[1][number]
                positions[partition] = entry[0].string ?? positions[partition]
                guard case .end(let end) = entry[1].withFieldViews(reusing: &views, { Outcome.decode($0) }) else {
                    continue
                }
                ends[end.saga] = Audit.End(rawValue: end.status.rawValue) ?? .unfinished
            }
        }
        withExtendedLifetime(reply) {}
    }

    func close() async { await client.close() }
}
