import RedisTransport
import SagaCore
import SagaRedis
import SagaStore

extension SagaClient {
    /// Partitions, their owners and lags, the orchestrators, the services, and the server's memory.
    ///
    /// Redis: O(partitions × services).
    public func status() async throws(ClientError) -> NamespaceStatus {
        let keys = try await keys()
        let infos = try await asking { () async throws(RedisError) in
            try await client.sendToEach(RedisCommand("INFO", "everything"))
        }.map { ServerInfo($0) }
        func sum(_ property: String) -> Int64 {
            infos.reduce(0) { $0 + ($1[property].flatMap(Int64.init) ?? 0) }
        }
        var services: [NamespaceStatus.Service] = []
        for name in Set(try await definitions().flatMap { $0.steps.compactMap(\.service) }).sorted() {
            services.append(try await service(name, keys))
        }
        let partitions = try await partitions(keys)
        return NamespaceStatus(
            partitions: partitions, members: try await members(keys, partitions), services: services,
            usedMemory: sum("used_memory"), maxMemory: sum("maxmemory"),
            redisVersion: infos.first?["redis_version"] ?? "", overload: try await readOverload()?.description)
    }

    private func partitions(_ keys: KeySpace) async throws(ClientError) -> [NamespaceStatus.Partition] {
        let time = try await asking { () async throws(RedisError) in try await client.send(RedisCommand("TIME")) }.value
        func clock(_ index: Int) -> Int64 { time[index].string.flatMap(Int64.init) ?? 0 }
        let now = clock(0) * 1_000 + clock(1) / 1_000
        var commands: [RedisCommand] = []
        for index in 0..<keys.partitions {
            commands += [
                RedisCommand(
                    "HMGET", keys.state(index), "owner", "name", "epoch", "era", "until", "reply", "control", "intake",
                    "instance"),
                RedisCommand("ZCARD", keys.open(index)), RedisCommand("ZCARD", keys.ended(index)),
                RedisCommand("XLEN", keys.dead(index)),
            ]
        }
        var replies: [RedisValue] = []
        for result in await client.pipeline(commands) {
            replies.append(try await asking { () throws(RedisError) in try result.get() }.value)
        }
        var partitions: [NamespaceStatus.Partition] = []
        for index in 0..<keys.partitions {
            let state = replies[index * 4]
            func number(_ field: Int) -> Int64 { state[field].string.flatMap(Int64.init) ?? 0 }
            var lag = 0
            for (field, stream) in [(5, keys.reply(index)), (6, keys.control(index)), (7, keys.intake(index))] {
                lag += try await entries(of: stream, after: state[field].string ?? "0-0")
            }
            let isOwned = state[0].string.map { !$0.isEmpty } ?? false
            partitions.append(
                NamespaceStatus.Partition(
                    index: index, owner: isOwned && number(4) > now ? state[1].string : nil,
                    instance: state[8].string ?? "", epoch: number(2),
                    era: number(3), leaseLeft: max(0, number(4) - now), open: replies[index * 4 + 1].tally,
                    ended: replies[index * 4 + 2].tally, lag: lag, dead: replies[index * 4 + 3].tally))
        }
        return partitions
    }

    /// Counts a stream's entries behind a position. They come with their payloads, so only a few are counted one by one;
    /// of a long stream, whose applied entries are trimmed several times a second, the length says enough.
    private func entries(of stream: String, after position: String) async throws(ClientError) -> Int {
        let page = 64
        var (count, last) = (0, position)
        while count < NamespaceStatus.exactLag {
            let range = RedisCommand("XRANGE", stream, "(" + last, "+", "COUNT", "\(page)")
            let found = try await asking { () async throws(RedisError) in try await client.send(range) }.value
            count += found.count
            guard found.count == page, let id = found[page - 1][0].string else { return count }
            last = id
        }
        let length = RedisCommand("XLEN", stream)
        let reply = try await asking { () async throws(RedisError) in try await client.send(length) }
        return max(count, reply.value.tally)
    }

    private func service(_ name: String, _ keys: KeySpace) async throws(ClientError) -> NamespaceStatus.Service {
        let commands = (0..<keys.partitions).flatMap { index in
            let stream = keys.command(index, service: name)
            return [
                RedisCommand("XLEN", stream), RedisCommand("XPENDING", stream, name),
                RedisCommand("XINFO", "CONSUMERS", stream, name),
            ]
        }
        let results = await client.pipeline(commands)
        var service = NamespaceStatus.Service(name: name, queued: 0, pending: 0, consumers: [])
        var consumers: [String: NamespaceStatus.Consumer] = [:]
        for index in 0..<keys.partitions {
            let length = results[index * 3]
            service.queued += try await asking { () throws(RedisError) in try length.get() }.value.tally
            // A stream or a group that isn't there yet is an error of the single command, and stands for nothing.
            service.pending += (try? results[index * 3 + 1].get())?.value[0].tally ?? 0
            guard let found = try? results[index * 3 + 2].get().value else { continue }
            for place in 0..<found.count {
                guard let consumer = NamespaceStatus.Consumer(found[place]) else { continue }
                consumers[consumer.name] = consumers[consumer.name]?.merged(with: consumer) ?? consumer
            }
        }
        service.consumers = consumers.values.sorted { $0.name < $1.name }
        return service
    }
}

extension NamespaceStatus.Consumer {
    /// Reads an element of XINFO CONSUMERS, whose fields servers add to.
    fileprivate init?(_ value: RedisValue) {
        self.init(name: "", pending: 0, idle: 0)
        for index in stride(from: 0, to: value.count - 1, by: 2) {
            switch value[index].string {
            case "name": name = value[index + 1].string ?? ""
            case "pending": pending = value[index + 1].tally
            case "idle": idle = value[index + 1].integer ?? 0
            default: break
            }
        }
        guard !name.isEmpty else { return nil }
    }

    fileprivate func merged(with other: Self) -> Self {
        Self(name: name, pending: pending + other.pending, idle: min(idle, other.idle))
    }
}

extension RedisValue {
    /// An integer reply that counts something.
    fileprivate var tally: Int { integer.map { Int(clamping: $0) } ?? 0 }
}
