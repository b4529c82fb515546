import RedisTransport
public import SagaCore
import SagaRedis
public import SagaWire

/// How a namespace fares.
public struct NamespaceStatus: Sendable {
    public struct Partition: Sendable {
        public var index: Int
        /// The owner's name; nil where nobody owns it.
        public var owner: String?
        public var epoch: Int64
        public var era: Int64
        /// Time until the lease runs out, where it is not renewed.
        public var leaseLeft: Milliseconds
        /// Sagas that are not ended, and ended ones that are still there.
        public var open: Int
        public var ended: Int
        /// Inbox entries that are not applied, at most ``NamespaceStatus/maxLag``.
        public var lag: Int
        public var dead: Int
    }

    public struct Service: Sendable {
        public var name: String
        /// Commands in its streams, of which some are delivered and not answered.
        public var queued: Int
        public var pending: Int
        public var consumers: Set<String>
    }

    public static let maxLag = 10_000

    public var partitions: [Partition]
    public var services: [Service]
    public var usedMemory: Int64
    public var maxMemory: Int64
    public var redisVersion: String

    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.beginArray("partitions")
        for partition in partitions {
            writer.beginObject()
            writer.field("partition", partition.index)
            writer.field("owner", partition.owner)
            writer.field("epoch", partition.epoch)
            writer.field("era", partition.era)
            writer.field("leaseLeft", partition.leaseLeft)
            writer.field("open", partition.open)
            writer.field("ended", partition.ended)
            writer.field("lag", partition.lag)
            writer.field("dead", partition.dead)
            writer.endObject()
        }
        writer.endArray()
        writer.beginArray("services")
        for service in services {
            writer.beginObject()
            writer.field("name", service.name)
            writer.field("queued", service.queued)
            writer.field("pending", service.pending)
            writer.beginArray("consumers")
            for consumer in service.consumers.sorted() { writer.value(consumer) }
            writer.endArray()
            writer.endObject()
        }
        writer.endArray()
        writer.beginObject("redis")
        writer.field("version", redisVersion)
        writer.field("usedMemory", usedMemory)
        writer.field("maxMemory", maxMemory)
        writer.endObject()
        writer.endObject()
    }
}

extension SagaClient {
    /// Partitions, their owners and lags, the services, and the server's memory.
    ///
    /// Redis: O(partitions × services + lag).
    public func status() async throws(ClientError) -> NamespaceStatus {
        let keys = try await keys()
        let info =
            try await asking { () async throws(RedisError) in
                try await client.send(RedisCommand("INFO", "everything"))
            }.value.string ?? ""
        let now = try await asking { () async throws(RedisError) in try await client.send(RedisCommand("TIME")) }.value
        let milliseconds = (now[0].string.flatMap(Int64.init) ?? 0) * 1_000
        var partitions: [NamespaceStatus.Partition] = []
        for index in 0..<keys.partitions {
            partitions.append(try await partition(index, keys, now: milliseconds))
        }
        var services: [NamespaceStatus.Service] = []
        for name in Set(try await definitions().flatMap { $0.steps.compactMap(\.service) }).sorted() {
            services.append(try await service(name, keys))
        }
        return NamespaceStatus(
            partitions: partitions, services: services, usedMemory: Self.number("used_memory", in: info),
            maxMemory: Self.number("maxmemory", in: info), redisVersion: Self.field("redis_version", in: info) ?? "")
    }

    private func partition(
        _ index: Int, _ keys: KeySpace, now: Milliseconds
    ) async throws(ClientError) -> NamespaceStatus.Partition {
        let read = RedisCommand(
            "HMGET", keys.state(index), "owner", "name", "epoch", "era", "until", "reply", "control", "intake")
        let state = try await asking { () async throws(RedisError) in try await client.send(read) }.value
        func lagging(_ stream: String, _ field: Int) -> RedisCommand {
            RedisCommand(
                "XRANGE", stream, "(" + (state[field].string ?? "0-0"), "+", "COUNT", "\(NamespaceStatus.maxLag)")
        }
        var numbers: [Int] = []
        let commands = [
            RedisCommand("ZCARD", keys.open(index)), RedisCommand("ZCARD", keys.ended(index)),
            RedisCommand("XLEN", keys.dead(index)), lagging(keys.reply(index), 5), lagging(keys.control(index), 6),
            lagging(keys.intake(index), 7),
        ]
        for result in await client.pipeline(commands) {
            let value = try await asking { () throws(RedisError) in try result.get() }.value
            numbers.append(value.integer.map { Int($0) } ?? value.count)
        }
        let isOwned = !(state[0].string ?? "").isEmpty
        let until = state[4].string.flatMap(Int64.init) ?? 0
        return NamespaceStatus.Partition(
            index: index, owner: isOwned && until > now ? state[1].string : nil,
            epoch: state[2].string.flatMap(Int64.init) ?? 0, era: state[3].string.flatMap(Int64.init) ?? 0,
            leaseLeft: max(0, until - now), open: numbers[0], ended: numbers[1],
            lag: numbers[3] + numbers[4] + numbers[5], dead: numbers[2])
    }

    private func service(_ name: String, _ keys: KeySpace) async throws(ClientError) -> NamespaceStatus.Service {
        var service = NamespaceStatus.Service(name: name, queued: 0, pending: 0, consumers: [])
        for index in 0..<keys.partitions {
            let stream = keys.command(index, service: name)
            // A stream or a group that isn't there yet is an error of the single command: it counts as empty.
            let results = await client.pipeline([
                RedisCommand("XLEN", stream), RedisCommand("XPENDING", stream, name),
                RedisCommand("XINFO", "CONSUMERS", stream, name),
            ])
            if case .failure(let error) = results[0] { throw ClientError(error) }
            service.queued += Int((try? results[0].get())?.value.integer ?? 0)
            service.pending += Int((try? results[1].get())?.value[0].integer ?? 0)
            guard let consumers = try? results[2].get() else { continue }
            for consumer in 0..<consumers.value.count {
                if let name = consumers.value[consumer][1].string { service.consumers.insert(name) }
            }
        }
        return service
    }

    private static func field(_ name: String, in info: String) -> String? {
        info.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name + ":") }
            .map { String($0.dropFirst(name.count + 1)) }
    }

    private static func number(_ name: String, in info: String) -> Int64 {
        field(name, in: info).flatMap(Int64.init) ?? 0
    }
}
