import RedisTransport
public import SagaCore
import SagaRedis
import SagaWire

/// Which sagas a listing shows.
public struct SagaFilter: Sendable, Hashable {
    public var status: Saga.Status?
    public var definition: String?
    public var label: (name: String, value: String)?

    public init(status: Saga.Status? = nil, definition: String? = nil, label: (name: String, value: String)? = nil) {
        self.status = status
        self.definition = definition
        self.label = label
    }

    func matches(_ saga: Saga) -> Bool {
        (status.map { $0 == saga.status } ?? true) && (definition.map { $0 == saga.definition.name } ?? true)
            && (label.map { saga.started.labels[$0.name] == $0.value } ?? true)
    }

    public static func == (one: SagaFilter, other: SagaFilter) -> Bool {
        one.status == other.status && one.definition == other.definition && one.label?.name == other.label?.name
            && one.label?.value == other.label?.value
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(status)
        hasher.combine(definition)
        hasher.combine(label?.name)
        hasher.combine(label?.value)
    }
}

extension SagaClient {
    /// A saga with its whole timeline; nil where there is none with this id.
    ///
    /// Redis: O(entries of its log).
    public func saga(_ id: String) async throws(ClientError) -> SagaView? {
        guard Names.isSagaID(id) else { throw .refused("'\(id)' is no saga id") }
        let keys = try await keys()
        let command = RedisCommand("LRANGE", keys.log(keys.partition(of: id), saga: id), "0", "-1")
        let reply = try await asking { () async throws(RedisError) in try await client.send(command) }
        return try await view(of: id, reply)
    }

    private func view(of id: String, _ reply: RedisReply) async throws(ClientError) -> SagaView? {
        let log = (0..<reply.value.count).map { reply.value[$0].bytes ?? [] }
        guard let first = log.first else { return nil }
        do {
            guard case .started(let started) = try LogCodec.decode(first).fact else { return nil }
            let definition = try await definition(started.definition, started.version)
            var timeline: [TimelineEntry] = []
            let replayed = try SagaLog.replay(log, of: id, definition: { _, _ in definition }) {
                timeline += TimelineEntry.entries(of: $0, $1, $2)
            }
            switch replayed {
            case .saga(let saga): return SagaView(saga: saga, timeline: timeline)
            case .absent: return nil
            case .unknownDefinition(let name, let version):
                throw ClientError.unreadable("saga '\(id)': its definition \(name)@\(version) is not registered")
            }
        } catch let error as ClientError {
            throw error
        } catch {
            throw .unreadable("the log of saga '\(id)' cannot be read: \(error)")
        }
    }

    /// Sagas that match, newest first.
    ///
    /// Looks at all open sagas, and at ended ones from the last ended on until there are enough.
    /// Redis: O(open sagas + sagas looked at).
    public func list(_ filter: SagaFilter = SagaFilter(), limit: Int = 50) async throws(ClientError) -> [SagaView] {
        let keys = try await keys()
        var found: [SagaView] = []
        for partition in 0..<keys.partitions {
            found += try await views(keys.open(partition), of: partition, keys, filter, limit: .max)
            if filter.status.map(\.isFinal) ?? true {
                found += try await views(keys.ended(partition), of: partition, keys, filter, limit: limit)
            }
        }
        found.sort { ($0.saga.startedAt, $0.saga.id) > ($1.saga.startedAt, $1.saga.id) }
        return Array(found.prefix(limit))
    }

    /// Members of a sorted set from the highest score on, until `limit` match.
    private func views(
        _ key: String, of partition: Int, _ keys: KeySpace, _ filter: SagaFilter, limit: Int
    ) async throws(ClientError) -> [SagaView] {
        let page = 256
        var found: [SagaView] = []
        var offset = 0
        while found.count < limit {
            let range = RedisCommand("ZREVRANGE", key, "\(offset)", "\(offset + page - 1)")
            let members = try await asking { () async throws(RedisError) in try await client.send(range) }.value
            let ids = (0..<members.count).compactMap { members[$0].string }
            let commands = ids.map { RedisCommand("LRANGE", keys.log(partition, saga: $0), "0", "-1") }
            for (id, result) in zip(ids, await client.pipeline(commands)) {
                let reply = try await asking { () throws(RedisError) in try result.get() }
                guard let view = try await view(of: id, reply), filter.matches(view.saga) else { continue }
                found.append(view)
            }
            guard ids.count == page else { break }
            offset += page
        }
        return found
    }
}
