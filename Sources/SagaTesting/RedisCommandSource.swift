import RedisTransport
import SagaCore
import SagaRedis
import SagaWire

/// The one consumer of a service, by the letter of the protocol: re-reads what is pending on each new connection, and
/// makes the groups that are missing.
struct RedisCommandSource: CommandSource {
    private let keys: KeySpace
    private let service: String
    private let reader: RedisClient
    private let writer: RedisClient
    /// The connection on which the pending commands were read.
    private var known: RedisConnection?

    init(endpoint: RedisEndpoint, keys: KeySpace, service: String) {
        self.keys = keys
        self.service = service
        reader = RedisClient(endpoint: endpoint, logger: quietLogger)
        writer = RedisClient(endpoint: endpoint, logger: quietLogger)
    }

    mutating func next() async throws -> [Delivery] {
        let connection = try await reader.connection()
        if connection !== known {
            try await makeGroups(on: connection)
            let pending = try await read(on: connection, from: "0")
            known = connection
            if !pending.isEmpty { return pending }
        }
        do {
            return try await read(on: connection, from: ">")
        } catch {
            // A group that is gone is made, and what is pending is read, with the next call.
            known = nil
            throw error
        }
    }

    private func makeGroups(on connection: RedisConnection) async throws {
        for partition in 0..<keys.partitions {
            do throws(RedisError) {
                _ = try await connection.send(
                    RedisCommand(
                        "XGROUP", "CREATE", keys.command(partition, service: service), service, "0", "MKSTREAM"))
            } catch {
                guard error.code == .busyGroup else { throw error }
            }
        }
    }

    private func read(on connection: RedisConnection, from position: String) async throws -> [Delivery] {
        let streams = (0..<keys.partitions).map { keys.command($0, service: service) }
        var command = RedisCommand("XREADGROUP", "GROUP", service, "one")
        if position == ">" {
            for word in ["COUNT", "256", "BLOCK", "20"] { command.append(word) }
        }
        command.append("STREAMS")
        for stream in streams { command.append(stream) }
        for _ in streams { command.append(position) }
        let reply = try await connection.blocking(command, for: .milliseconds(20))
        var deliveries: [Delivery] = []
        var views: [FieldView] = []
        for index in 0..<reply.value.count {
            let stream = reply.value[index]
            guard let partition = streams.firstIndex(of: stream[0].string ?? "") else { continue }
            for place in 0..<stream[1].count {
                let entry = stream[1][place]
                let command = try? entry[1].withFieldViews(reusing: &views) { views throws(DeadReason) in
                    try Command.decode(views)
                }
                // The coordinator's own commands can be decoded; one that was trimmed has no fields.
                guard let command, let id = entry[0].string else { continue }
                deliveries.append(Delivery(partition: partition, entry: id, command: command))
            }
        }
        withExtendedLifetime(reply) {}
        return deliveries
    }

    func answer(_ answers: [(delivery: Delivery, reply: ReplyMessage)]) async throws {
        for (partition, answers) in Dictionary(grouping: answers, by: \.delivery.partition) {
            var replies = RedisCommand("XADD", keys.reply(partition), "*")
            var acknowledgement = RedisCommand("XACK", keys.command(partition, service: service), service)
            for (delivery, reply) in answers {
                replies.append(reply.fields)
                acknowledgement.append(delivery.entry)
            }
            _ = try await writer.transaction([replies, acknowledgement])
        }
    }

    func close() async {
        await reader.close()
        await writer.close()
    }
}
