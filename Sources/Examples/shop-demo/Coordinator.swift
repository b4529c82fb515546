import Foundation
import Logging
import RedisTransport
import SagaClient
import SagaCore
import SagaRedis
import SagaWire
import Shop
import ShopStage

/// The starter's side of the coordinator: places orders, and learns of their ends.
///
/// It follows the outcome streams of all partitions at once, as somebody does who has many sagas under way; for one saga
/// there is `SagaClient.wait(for:timeout:)`.
struct Coordinator {
    private static let namespace = "skald"

    private let starter: SagaClient
    private let reader: RedisClient
    private let keys: KeySpace
    private var positions: [String]
    private(set) var ends: [String: Audit.End] = [:]

    /// Waits for the orchestrator to open the namespace.
    static func connect(to endpoint: RedisEndpoint) async throws -> Coordinator {
        let logger = Logger(label: "demo")
        let reader = RedisClient(endpoint: endpoint, logger: logger)
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            let meta = try await reader.send(RedisCommand("HMGET", KeySpace.meta(of: namespace), "partitions"))
            if let partitions = meta.value[0].string.flatMap(Int.init) {
                return Coordinator(
                    starter: SagaClient(endpoint: endpoint, namespace: namespace, logger: logger), reader: reader,
                    keys: KeySpace(namespace: namespace, partitions: partitions))
            }
            guard ContinuousClock.now < deadline else {
                throw StageError("the orchestrator has not opened the namespace \(namespace)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private init(starter: SagaClient, reader: RedisClient, keys: KeySpace) {
        self.starter = starter
        self.reader = reader
        self.keys = keys
        positions = Array(repeating: "0", count: keys.partitions)
    }

    func place(_ orders: ArraySlice<OrderRequest>) async throws {
        let encoder = JSONEncoder()
        try await starter.start(
            orders.map { order in
                StartMessage(saga: order.order, definition: "order", input: [UInt8](try encoder.encode(order)))
            })
    }

    /// Reads the ends that are told since the last time, waiting a little where there are none.
    mutating func readEnds() async throws {
        var read = RedisCommand("XREAD", "COUNT", "1000", "BLOCK", "50", "STREAMS")
        for partition in 0..<keys.partitions { read.append(keys.outcome(partition)) }
        for position in positions { read.append(position) }
        let reply = try await reader.blocking(read, for: .milliseconds(50))
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

    func close() async {
        await starter.close()
        await reader.close()
    }
}
