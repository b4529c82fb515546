import RedisTransport
import SagaCore
import SagaRedis
import SagaStore

extension Examiner {
    /// Open sagas that are looked at to find the oldest.
    private static let looked = 1_024
    /// Commands that are sent together.
    private static let batch = 256

    /// Redis: O(partitions × services + open sagas that are looked at × definitions).
    func namespace(_ keys: KeySpace) async throws(ClientError) -> NamespaceReading {
        let now = try await client.serverTime()
        var reading = NamespaceReading(status: try await client.status(), now: now)
        let partitions = 0..<keys.partitions
        reading.clocks = try await replies(partitions.map { RedisCommand("HGET", keys.state($0), "clock") })
            .compactMap { $0?.string.flatMap(Int64.init) }
        reading.stuck = try await replies(partitions.map { RedisCommand("ZCARD", keys.index($0, .status(.stuck))) })
            .reduce(0) { $0 + Int(clamping: $1?.integer ?? 0) }
        reading.oldest = try await oldestSaga(keys)
        for service in reading.status.services {
            reading.queues += try await queues(of: service.name, keys)
        }
        reading.newestDead = try await client.deadLetters(limit: 1).first.map { ($0.at, $0.reason) }
        return reading
    }

    /// The replies to commands; nil where one of them is an error of its own, such as a stream that isn't there.
    private func replies(_ commands: [RedisCommand]) async throws(ClientError) -> [RedisValue?] {
        var values: [RedisValue?] = []
        for start in stride(from: 0, to: commands.count, by: Self.batch) {
            for result in await client.client.pipeline(Array(commands[start..<min(start + Self.batch, commands.count)]))
            {
                switch result {
                case .success(let reply): values.append(reply.value)
                case .failure(let error):
                    switch error.code {
                    case .noGroup, .wrongType, .other: values.append(nil)
                    default: throw ClientError(error)
                    }
                }
            }
        }
        return values
    }

    private func oldestSaga(_ keys: KeySpace) async throws(ClientError) -> NamespaceReading.OldestSaga? {
        let stored = RedisCommand("HKEYS", keys.definitions)
        let reply = try await asking { () async throws(RedisError) in try await client.client.send(stored) }.value
        let names = Set((0..<reply.count).compactMap { reply[$0].string?.split(separator: "@").first.map(String.init) })
        var (oldest, looked) = ((id: "", startedAt: Milliseconds.max), 0)
        for partition in 0..<keys.partitions where looked < Self.looked {
            var walk = OpenWalk(partition: partition)
            while looked < Self.looked {
                let ids = try await walk.next(keys, client.client)
                guard !ids.isEmpty else { break }
                looked += ids.count
                let scores = try await replies(
                    ids.flatMap { id in names.map { RedisCommand("ZSCORE", keys.index(partition, .definition($0)), id) }
                    })
                for (place, score) in scores.enumerated() {
                    guard let startedAt = score?.string.flatMap(Double.init).flatMap({ Milliseconds(exactly: $0) }),
                        startedAt < oldest.startedAt
                    else { continue }
                    oldest = (ids[place / names.count], startedAt)
                }
            }
        }
        guard oldest.startedAt < .max else { return nil }
        return NamespaceReading.OldestSaga(id: oldest.id, startedAt: oldest.startedAt, looked: looked)
    }

    private func queues(
        of service: String, _ keys: KeySpace
    ) async throws(ClientError) -> [NamespaceReading.Queue] {
        let streams = (0..<keys.partitions).map { keys.command($0, service: service) }
        let groups = try await replies(streams.map { RedisCommand("XINFO", "GROUPS", $0) })
        let pending = try await replies(streams.map { RedisCommand("XPENDING", $0, service) })
        let states = groups.map { groups in groups.flatMap { Self.group(service, in: $0) } }
        // The entries come with their payloads, so one partition's are asked for at a time.
        var queues: [NamespaceReading.Queue] = []
        for (partition, stream) in streams.enumerated() {
            let state = states[partition]
            let next = try await replies([
                RedisCommand("XRANGE", stream, state.map { "(\($0.delivered)" } ?? "-", "+", "COUNT", "1")
            ])
            queues.append(
                NamespaceReading.Queue(
                    service: service, partition: partition, hasGroup: state != nil, consumers: state?.consumers ?? 0,
                    undelivered: Self.instant(ofEntry: next[0]?[0][0].string),
                    pending: Self.instant(ofEntry: pending[partition]?[1].string)))
        }
        return queues
    }

    private static func group(_ name: String, in groups: RedisValue) -> (consumers: Int, delivered: String)? {
        for index in 0..<groups.count {
            // Servers add to the fields, so they are looked for by their names.
            var fields: [String: RedisValue] = [:]
            for place in stride(from: 0, to: groups[index].count - 1, by: 2) {
                fields[groups[index][place].string ?? ""] = groups[index][place + 1]
            }
            guard fields["name"]?.string == name else { continue }
            return (
                Int(clamping: fields["consumers"]?.integer ?? 0), fields["last-delivered-id"]?.string ?? "0-0"
            )
        }
        return nil
    }

    /// An entry's id begins with the instant at which it was added.
    private static func instant(ofEntry id: String?) -> Milliseconds? {
        id?.split(separator: "-").first.flatMap { Milliseconds($0) }
    }
}
