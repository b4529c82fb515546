import Logging
import RedisTransport
import SagaCore
import SagaRedis
import SagaWire

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
            guard case .started(let started) = try LogCodec.decode(first).fact else {
                throw ClientError.unreadable("the log of saga '\(id)' does not begin with its start")
            }
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

    /// Sagas that match, the one that was started last first.
    ///
    /// Looks at all open sagas, and at ended ones from the last ended on, until none that is left can have been started
    /// later than those found. A saga whose log cannot be read is left out, and said in the log.
    /// Redis: O(open sagas + sagas looked at).
    public func list(_ filter: SagaFilter = SagaFilter(), limit: Int = 50) async throws(ClientError) -> [SagaView] {
        guard limit > 0 else { return [] }
        let keys = try await keys()
        var newest = NewestSagas(limit: limit)
        // Open ones first: a saga that ends in between is found among the ended ones.
        for partition in 0..<keys.partitions where filter.status?.isFinal != true {
            try await lookAtOpen(partition, keys, filter, &newest)
        }
        for partition in 0..<keys.partitions where filter.status?.isFinal ?? true {
            try await lookAtEnded(partition, keys, filter, &newest)
        }
        return newest.views
    }

    private static let page = 128

    /// A scan, because ranks move while sagas end: it returns every one that stays.
    private func lookAtOpen(
        _ partition: Int, _ keys: KeySpace, _ filter: SagaFilter, _ newest: inout NewestSagas
    ) async throws(ClientError) {
        var cursor = "0"
        repeat {
            let scan = RedisCommand("ZSCAN", keys.open(partition), cursor, "COUNT", "\(Self.page)")
            let reply = try await asking { () async throws(RedisError) in try await client.send(scan) }.value
            cursor = reply[0].string ?? "0"
            let members = reply[1]
            let ids = stride(from: 0, to: members.count, by: 2).compactMap { members[$0].string }
            // A small set comes whole, whatever the count says.
            for start in stride(from: 0, to: ids.count, by: Self.page) {
                let page = Array(ids[start..<min(start + Self.page, ids.count)])
                try await look(at: page, of: partition, keys, filter, &newest)
            }
        } while cursor != "0"
    }

    /// From the last end backwards. No saga was started after its end, so the last page is known when it is read.
    private func lookAtEnded(
        _ partition: Int, _ keys: KeySpace, _ filter: SagaFilter, _ newest: inout NewestSagas
    ) async throws(ClientError) {
        var offset = 0
        while true {
            let range = RedisCommand(
                "ZREVRANGE", keys.ended(partition), "\(offset)", "\(offset + Self.page - 1)", "WITHSCORES")
            let members = try await asking { () async throws(RedisError) in try await client.send(range) }.value
            var ids: [String] = []
            for index in stride(from: 0, to: members.count, by: 2) {
                let end = members[index + 1].string.flatMap(Double.init) ?? .infinity
                if let bar = newest.bar, end < Double(bar) { break }
                if let id = members[index].string { ids.append(id) }
            }
            try await look(at: ids, of: partition, keys, filter, &newest)
            guard ids.count == Self.page else { return }
            offset += Self.page
        }
    }

    private func look(
        at ids: [String], of partition: Int, _ keys: KeySpace, _ filter: SagaFilter, _ newest: inout NewestSagas
    ) async throws(ClientError) {
        let commands = ids.map { RedisCommand("LRANGE", keys.log(partition, saga: $0), "0", "-1") }
        for (id, result) in zip(ids, await client.pipeline(commands)) {
            let reply = try await asking { () throws(RedisError) in try result.get() }
            do throws(ClientError) {
                guard let view = try await view(of: id, reply), filter.matches(view.saga) else { continue }
                newest.insert(view)
            } catch {
                guard case .unreadable(let reason) = error else { throw error }
                logger.error("a saga is left out", metadata: ["saga_id": "\(id)", "reason": "\(reason)"])
            }
        }
    }
}

/// The sagas that were started last, of all that are shown to it.
private struct NewestSagas {
    let limit: Int
    /// The newest first.
    private(set) var views: [SagaView] = []

    init(limit: Int) {
        self.limit = limit
    }

    /// A saga that was started before this instant is of no interest any more.
    var bar: Milliseconds? { views.count == limit ? views.last?.saga.startedAt : nil }

    mutating func insert(_ view: SagaView) {
        // A scan may return one twice, and one that ended while the sets were read is in both.
        guard !views.contains(where: { $0.saga.id == view.saga.id }) else { return }
        let place = views.firstIndex { Self.isNewer(view, $0) } ?? views.count
        guard place < limit else { return }
        views.insert(view, at: place)
        if views.count > limit { views.removeLast() }
    }

    private static func isNewer(_ one: SagaView, _ other: SagaView) -> Bool {
        (one.saga.startedAt, one.saga.id) > (other.saga.startedAt, other.saga.id)
    }
}
