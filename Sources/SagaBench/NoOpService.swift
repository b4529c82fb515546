import RedisTransport
import SagaCore
import SagaRedis
import SagaWire

/// A participant that does nothing, as fast as the protocol allows: reads commands in batches, and answers each batch
/// with one transaction a partition.
struct NoOpService: Sendable {
    let name: String
    let keys: KeySpace
    let result: [UInt8]
    let client: RedisRouter
    let reader: RedisRouter

    func prepare() async throws {
        for partition in 0..<keys.partitions {
            var create = RedisCommand("XGROUP", "CREATE", keys.command(partition, service: name), name, "0")
            create.append("MKSTREAM")
            _ = try await client.send(create)
        }
    }

    /// Serves until cancelled.
    func run() async throws {
        let streams = (0..<keys.partitions).map { keys.command($0, service: name) }
        var read = RedisCommand("XREADGROUP", "GROUP", name, "bench", "COUNT", "256", "BLOCK", "200", "STREAMS")
        for stream in streams { read.append(stream) }
        for _ in streams { read.append(">") }
        var views: [FieldView] = []
        while !Task.isCancelled {
            let reply = try await reader.blocking(read, for: .milliseconds(200))
            var next = 0
            var answers: [PendingReply] = []
            for index in 0..<reply.value.count {
                let stream = reply.value[index]
                let key = stream[0].string ?? ""
                while next < streams.count, streams[next] != key { next += 1 }
                answers.append(answer(stream[1], from: key, partition: next, &views))
            }
            withExtendedLifetime(reply) {}
            for answer in answers { _ = try await answer.get() }
        }
    }

    private func answer(
        _ entries: RedisValue, from stream: String, partition: Int, _ views: inout [FieldView]
    ) -> PendingReply {
        var answers = RedisCommand("XADD", keys.reply(partition), "*")
        var acknowledge = RedisCommand("XACK", stream, name)
        for index in 0..<entries.count {
            let entry = entries[index]
            guard let id = entry[0].string,
                let command = try? entry[1].withFieldViews(
                    reusing: &views, { views throws(DeadReason) in try Command.decode(views) })
            else { continue }
            answers.append(ReplyMessage(id: command.id, outcome: .succeeded, result: result).fields)
            acknowledge.append(id)
        }
        return client.submitTransaction([answers, acknowledge])
    }
}
