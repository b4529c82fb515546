import Logging
import RedisTransport
import SagaCore
import SagaRedis
import SagaStore
import SagaWire

extension SagaClient {
    /// Sagas that match, the one that was started last first.
    ///
    /// Walks the shortest of the indexes that hold all of them, and looks at the others for each saga that it meets there:
    /// an index of a label, of a definition, or of a status; for `running`, the open sagas. Without any of these, and for
    /// `completed`, the indexes of all definitions. A saga whose log cannot be read is left out, and said in the log.
    ///
    /// Redis: O(sagas met × log(sagas of an index)); for `running`, where the open sagas are walked, O(open sagas).
    ///
    /// - Parameter cursor: The ``SagaPage/next`` of the page before, for the same filter.
    /// - Parameter limit: The most sagas of the page, from 1.
    public func list(
        _ filter: SagaFilter = SagaFilter(), after cursor: SagaCursor? = nil, limit: Int = 50
    ) async throws(ClientError) -> SagaPage {
        guard limit > 0 else { return SagaPage(sagas: [], next: nil) }
        if let name = filter.labels.keys.first(where: { !Names.isName($0) }) {
            throw .refused("'\(name)' is no label's name")
        }
        let keys = try await keys()
        let listing = Listing(
            client: self, keys: keys, filter: filter, cursor: cursor, definitions: try await definitionNames())
        // One more tells whether there is a next page.
        var sagas = try await listing.newest(limit + 1)
        guard sagas.count > limit else { return SagaPage(sagas: sagas, next: nil) }
        sagas.removeLast(sagas.count - limit)
        return SagaPage(
            sagas: sagas, next: sagas.last.map { SagaCursor(startedAt: $0.startedAt, id: $0.id) })
    }

    /// The names of all registered definitions; those that cannot be read have one, too.
    private func definitionNames() async throws(ClientError) -> [String] {
        let command = RedisCommand("HKEYS", KeySpace.definitions(of: namespace))
        let reply = try await asking { () async throws(RedisError) in try await client.send(command) }.value
        let names = (0..<reply.count).compactMap { reply[$0].string?.split(separator: "@").first.map(String.init) }
        return Set(names).sorted()
    }
}

/// The work on one page.
private struct Listing {
    let client: SagaClient
    let keys: KeySpace
    let filter: SagaFilter
    let cursor: SagaCursor?
    let definitions: [String]

    /// A saga that matches, as its indexes know it.
    private struct Match {
        var found: IndexWalk.Found
        var status: Saga.Status
    }

    /// Sagas that are looked at together.
    private static let page = 128

    func newest(_ count: Int) async throws(ClientError) -> [SagaSummary] {
        guard let indexes = try await driver() else { return try await newestOpen(count) }
        let sources = (0..<keys.partitions).flatMap { partition in
            indexes.map { (partition, keys.index(partition, $0)) }
        }
        var walk = IndexWalk(sources, in: filter, after: cursor, wanted: count, client: client.client)
        var sagas: [SagaSummary] = []
        while sagas.count < count {
            let found = try await walk.next(sagas.isEmpty ? min(count, Self.page) : Self.page)
            guard !found.isEmpty else { break }
            var matches = try await matches(among: found)[...]
            try await take(&matches, into: &sagas, upTo: count)
        }
        return sagas
    }

    /// Summarises as many as are wanted.
    private func take(
        _ matches: inout ArraySlice<Match>, into sagas: inout [SagaSummary], upTo count: Int
    ) async throws(ClientError) {
        while !matches.isEmpty, sagas.count < count {
            let part = matches.prefix(min(count - sagas.count, Self.page))
            matches = matches.dropFirst(part.count)
            sagas += try await summaries(of: part)
        }
    }

    // MARK: What to walk

    /// The indexes to walk, of which each saga that matches stands in exactly one; nil for the open sagas.
    private func driver() async throws(ClientError) -> [SagaIndex]? {
        var choices: [[SagaIndex]?] = filter.labels.map { [.label(name: $0.key, value: $0.value)] }
        if let definition = filter.definition { choices.append([.definition(definition)]) }
        if let index = filter.status.flatMap(SagaIndex.init) { choices.append([index]) }
        if filter.status == .running { choices.append(nil) }
        guard choices.count > 1 else { return choices.first ?? definitions.map { .definition($0) } }
        let counts = choices.flatMap { choice in
            (0..<keys.partitions).map { partition in
                RedisCommand("ZCARD", choice.map { keys.index(partition, $0[0]) } ?? keys.open(partition))
            }
        }
        let replies = try await client.replies(to: counts)
        let sums = choices.indices.map { choice in
            replies[choice * keys.partitions..<(choice + 1) * keys.partitions].reduce(0) {
                $0 + ($1.value.integer ?? 0)
            }
        }
        let shortest = choices.indices.min { sums[$0] < sums[$1] } ?? 0
        return choices[shortest]
    }

    /// The newest of the open sagas. They stand in no order of their start, so all are looked at.
    private func newestOpen(_ count: Int) async throws(ClientError) -> [SagaSummary] {
        var newest: [SagaCursor: Match] = [:]
        for partition in 0..<keys.partitions {
            var scan = "0"
            repeat {
                let command = RedisCommand("ZSCAN", keys.open(partition), scan, "COUNT", "\(Self.page)")
                let reply = try await client.replies(to: [command])[0].value
                scan = reply[0].string ?? "0"
                let ids = stride(from: 0, to: reply[1].count, by: 2).compactMap { reply[1][$0].string }
                // A small set comes whole, whatever the count says. A scan may return one twice.
                for start in stride(from: 0, to: ids.count, by: Self.page) {
                    let found = try await starts(of: ids[start..<min(start + Self.page, ids.count)], in: partition)
                    for match in try await matches(among: found) { newest[match.found.place] = match }
                }
                if newest.count > 4 * count { newest = Self.newest(count, of: newest) }
            } while scan != "0"
        }
        var matches = newest.values.sorted { $0.found.place > $1.found.place }[...]
        var sagas: [SagaSummary] = []
        try await take(&matches, into: &sagas, upTo: count)
        return sagas
    }

    private static func newest(_ count: Int, of matches: [SagaCursor: Match]) -> [SagaCursor: Match] {
        let places = matches.keys.sorted(by: >).prefix(count)
        return Dictionary(uniqueKeysWithValues: places.compactMap { place in matches[place].map { (place, $0) } })
    }

    /// Places of open sagas, as far as they are within the listing's range.
    private func starts(of ids: ArraySlice<String>, in partition: Int) async throws(ClientError) -> [IndexWalk.Found] {
        let names = filter.definition.map { [$0] } ?? definitions
        let scores = try await client.replies(
            to: ids.flatMap { id in names.map { RedisCommand("ZSCORE", keys.index(partition, .definition($0)), id) } })
        return ids.enumerated().compactMap { place, id in
            let own = scores[place * names.count..<(place + 1) * names.count]
            guard let score = own.lazy.compactMap({ $0.value.string.flatMap(Double.init) }).first,
                let startedAt = Milliseconds(exactly: score.rounded())
            else { return nil }
            let found = SagaCursor(startedAt: startedAt, id: id)
            guard cursor.map({ found < $0 }) ?? true, filter.since.map({ startedAt >= $0 }) ?? true,
                filter.until.map({ startedAt < $0 }) ?? true
            else { return nil }
            return IndexWalk.Found(partition: partition, place: found)
        }
    }

    // MARK: What each saga is

    /// Those that match, by what the indexes of their partitions say together.
    private func matches(among found: [IndexWalk.Found]) async throws(ClientError) -> [Match] {
        let required =
            filter.labels.map { SagaIndex.label(name: $0.key, value: $0.value) }
            + (filter.definition.map { [.definition($0)] } ?? [])
        let width = SagaIndex.statuses.count + 1 + required.count
        var statuses: [SagaCursor: Saga.Status] = [:]
        for (partition, sagas) in Dictionary(grouping: found, by: \.partition) {
            let sets =
                SagaIndex.statuses.map { keys.index(partition, .status($0)) } + [keys.open(partition)]
                + required.map { keys.index(partition, $0) }
            let commands = sagas.flatMap { saga in sets.map { RedisCommand("ZSCORE", $0, saga.place.id) } }
            // In one transaction, so that a saga that changes meanwhile is in one state or the other.
            let reply = try await asking { () async throws(RedisError) in
                try await client.client.transaction(commands)
            }.value
            for (place, saga) in sagas.enumerated() {
                func isIn(_ set: Int) -> Bool { !reply[place * width + set].isNull }
                guard required.indices.allSatisfy({ isIn(width - required.count + $0) }) else { continue }
                let indexed = SagaIndex.statuses.indices.first(where: isIn).map { SagaIndex.statuses[$0] }
                let status = indexed ?? (isIn(SagaIndex.statuses.count) ? .running : .completed)
                guard filter.status.map({ $0 == status }) ?? true else { continue }
                statuses[saga.place] = status
            }
        }
        return found.compactMap { saga in statuses[saga.place].map { Match(found: saga, status: $0) } }
    }

    /// The first entry of each log tells what was started, the last one of an ended saga when it ended.
    private func summaries(of matches: ArraySlice<Match>) async throws(ClientError) -> [SagaSummary] {
        let replies = try await client.replies(
            to: matches.flatMap { match in
                let log = keys.log(match.found.partition, saga: match.found.place.id)
                return [RedisCommand("LINDEX", log, "0"), RedisCommand("LINDEX", log, "-1")]
            })
        return matches.enumerated().compactMap { place, match in
            let id = match.found.place.id
            do throws(LogFault) {
                guard let first = replies[place * 2].value.bytes, let last = replies[place * 2 + 1].value.bytes,
                    // Else it was removed meanwhile.
                    case .started(let started, let startedAt) = try LogCodec.decode(head: first)
                else { return nil }
                return SagaSummary(
                    id: id, definition: started.definition, version: started.version, status: match.status,
                    startedAt: startedAt,
                    finishedAt: match.status.isFinal ? try LogCodec.instant(of: last) : nil)
            } catch {
                client.logger.error("a saga is left out", metadata: ["saga_id": "\(id)", "reason": "\(error)"])
                return nil
            }
        }
    }
}

extension SagaClient {
    /// The replies to commands that are sent together.
    fileprivate func replies(to commands: [RedisCommand]) async throws(ClientError) -> [RedisReply] {
        var replies: [RedisReply] = []
        for result in await client.pipeline(commands) {
            replies.append(try await asking { () throws(RedisError) in try result.get() })
        }
        return replies
    }
}
