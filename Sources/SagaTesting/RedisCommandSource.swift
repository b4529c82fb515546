import RedisTransport
import SagaCore
import SagaRedis
import SagaWire

/// The one consumer of a service, by the letter of the protocol: re-reads what is pending after each loss of a
/// connection, and makes the groups that are missing.
struct RedisCommandSource: CommandSource {
    private let keys: KeySpace
    private let service: String
    private let reader: RedisRouter
    private let writer: RedisRouter
    /// The connections on which the pending commands were read.
    private var known: [RedisConnection] = []

    init(router: RedisRouter, keys: KeySpace, service: String) {
        self.keys = keys
        self.service = service
        reader = router.sibling()
        writer = router.sibling()
    }

    mutating func next() async throws -> [Delivery] {
        var connections: [RedisConnection] = []
        for partition in 0..<keys.partitions {
            connections.append(try await reader.connection(for: keys.command(partition, service: service)))
        }
        if !connections.elementsEqual(known, by: ===) {
            known = []
            try await makeGroups()
            let pending = try await read(from: "0")
            known = connections
            if !pending.isEmpty { return pending }
        }
        do {
            return try await read(from: ">")
        } catch {
            // A group that is gone is made, and what is pending is read, with the next call.
            known = []
            throw error
        }
    }

    private func makeGroups() async throws {
        for partition in 0..<keys.partitions {
            do throws(RedisError) {
                _ = try await reader.send(
                    RedisCommand(
                        "XGROUP", "CREATE", keys.command(partition, service: service), service, "0", "MKSTREAM"))
            } catch {
                guard error.code == .busyGroup else { throw error }
            }
        }
    }

    /// All partitions with one command, or in a cluster each with its own.
    private func read(from position: String) async throws -> [Delivery] {
        guard reader.spansNodes else { return try await read(Array(0..<keys.partitions), from: position) }
        var deliveries: [Delivery] = []
        for partition in 0..<keys.partitions { deliveries += try await read([partition], from: position) }
        return deliveries
    }

    private func read(_ partitions: [Int], from position: String) async throws -> [Delivery] {
        let streams = partitions.map { keys.command($0, service: service) }
        let block = reader.spansNodes ? 5 : 20
        var command = RedisCommand("XREADGROUP", "GROUP", service, "one")
        if position == ">" {
            for word in ["COUNT", "256", "BLOCK", "\(block)"] { command.append(word) }
        }
        command.append("STREAMS")
        for stream in streams { command.append(stream) }
        for _ in streams { command.append(position) }
        let connection = try await reader.connection(for: streams[0])
        let reply: RedisReply
        do throws(RedisError) {
            reply = try await connection.blocking(command, for: .milliseconds(block))
        } catch {
            reader.note(error, from: connection)
            throw error
        }
        var deliveries: [Delivery] = []
        var views: [FieldView] = []
        for index in 0..<reply.value.count {
            let stream = reply.value[index]
            guard let place = streams.firstIndex(of: stream[0].string ?? "") else { continue }
            for entry in 0..<stream[1].count {
                let entry = stream[1][entry]
                let command = try? entry[1].withFieldViews(reusing: &views) { views throws(DeadReason) in
                    try Command.decode(views)
                }
                // The coordinator's own commands can be decoded; one that was trimmed has no fields.
                guard let command, let id = entry[0].string else { continue }
                deliveries.append(Delivery(partition: partitions[place], entry: id, command: command))
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
