import RedisTransport
import SagaCore

/// Walks sorted sets of sagas by their start together, from the saga that was started last on.
struct IndexWalk {
    /// A saga that was met.
    struct Found: Sendable {
        var partition: Int
        var place: SagaCursor
    }

    private struct Source {
        var partition: Int
        var key: String
        /// What was read and not returned yet, newest first.
        var buffer: ArraySlice<SagaCursor> = []
        /// Only what comes behind this place is returned: the last one read, or where to begin.
        var bound: SagaCursor?
        /// The last one read, and its number among those of its millisecond, from 1: where to read on. Sagas may come and
        /// go there, so it is read again, and looked for where it isn't met.
        var anchor: SagaCursor?
        var number = 0
        var page: Int
        var isAtEnd = false
    }

    private static let largestPage = 512
    private let client: RedisRouter
    private let since: Milliseconds?
    private let until: Milliseconds?
    private var sources: [Source]

    /// - Parameter wanted: How many sagas will be asked for first, which decides how much is read at once.
    init(
        _ keys: [(partition: Int, key: String)], in filter: SagaFilter, after cursor: SagaCursor?, wanted: Int,
        client: RedisRouter
    ) {
        self.client = client
        (since, until) = (filter.since, filter.until)
        // What begins behind the range's end begins there.
        let first = cursor.flatMap { cursor in filter.until.map { cursor.startedAt >= $0 } == true ? nil : cursor }
        let page = max(8, min(128, 2 * wanted / max(1, keys.count)))
        sources = keys.map { Source(partition: $0.partition, key: $0.key, bound: first, page: page) }
    }

    /// The next sagas, at most `count`; none where the end is reached.
    mutating func next(_ count: Int) async throws(ClientError) -> [Found] {
        var found: [Found] = []
        while found.count < count {
            try await refill()
            var newest: Int?
            for index in sources.indices {
                guard let head = sources[index].buffer.first else { continue }
                if let best = newest, let other = sources[best].buffer.first, other > head { continue }
                newest = index
            }
            guard let newest else { break }
            found.append(Found(partition: sources[newest].partition, place: sources[newest].buffer.removeFirst()))
        }
        return found
    }

    /// Reads on where everything that was read is returned.
    private mutating func refill() async throws(ClientError) {
        while true {
            let empty = sources.indices.filter { sources[$0].buffer.isEmpty && !sources[$0].isAtEnd }
            guard !empty.isEmpty else { return }
            let requests = empty.map { range(of: sources[$0]) }
            for ((index, request), result) in zip(zip(empty, requests), await client.pipeline(requests.map(\.command)))
            {
                let reply = try await asking { () throws(RedisError) in try result.get() }
                take(reply.value, of: request, into: index)
            }
        }
    }

    private struct Request {
        var command: RedisCommand
        var count: Int
    }

    private func range(of source: Source) -> Request {
        let offset = source.anchor == nil ? 0 : source.number - 1
        let highest = (source.anchor ?? source.bound).map { "\($0.startedAt)" } ?? until.map { "(\($0)" } ?? "+inf"
        let count = source.page + 1
        let command = RedisCommand(
            "ZRANGE", source.key, highest, since.map { "\($0)" } ?? "-inf", "BYSCORE", "REV", "LIMIT", "\(offset)",
            "\(count)", "WITHSCORES")
        return Request(command: command, count: count)
    }

    private mutating func take(_ members: RedisValue, of request: Request, into index: Int) {
        var read: [SagaCursor] = []
        for place in stride(from: 0, to: members.count - 1, by: 2) {
            guard let id = members[place].string, let score = members[place + 1].string.flatMap(Double.init),
                let startedAt = Milliseconds(exactly: score.rounded())
            else { continue }
            read.append(SagaCursor(startedAt: startedAt, id: id))
        }
        var source = sources[index]
        defer { sources[index] = source }
        source.page = min(Self.largestPage, source.page * 2)
        if let anchor = source.anchor, read.first != anchor {
            source.anchor = nil
            return
        }
        if let end = read.last {
            let peers = read.reversed().prefix { $0.startedAt == end.startedAt }.count
            source.number = source.anchor?.startedAt == end.startedAt ? source.number + peers - 1 : peers
            source.anchor = end
        }
        source.isAtEnd = members.count / 2 < request.count
        source.buffer = read.drop { place in source.bound.map { place >= $0 } ?? false }
        source.bound = source.buffer.last ?? source.bound
    }
}
