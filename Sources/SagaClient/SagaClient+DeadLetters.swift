import RedisTransport
import SagaRedis

extension SagaClient {
    /// Dead letters of all partitions, newest first.
    ///
    /// Reads a few from each partition at a time, so that none of the replies is large.
    /// Redis: O(limit + partitions).
    public func deadLetters(limit: Int = 50) async throws(ClientError) -> [DeadLetter] {
        let keys = try await keys()
        let page = max(1, min(limit, 16))
        var unread = (0..<keys.partitions).map { UnreadLetters(key: keys.dead($0), partition: $0) }
        var letters: [DeadLetter] = []
        while letters.count < limit {
            let empty = unread.indices.filter { unread[$0].needsMore }
            let commands = empty.map { unread[$0].command(page) }
            for (index, result) in zip(empty, await client.pipeline(commands)) {
                let reply = try await asking { () throws(RedisError) in try result.get() }
                unread[index].take(reply.value, page)
            }
            guard let next = unread.indices.filter({ unread[$0].next != nil }).max(by: { unread[$0] < unread[$1] }),
                let letter = unread[next].pop()
            else { break }
            letters.append(letter)
        }
        return letters
    }

    /// One dead letter by its id; nil where there is none.
    public func deadLetter(_ id: String) async throws(ClientError) -> DeadLetter? {
        let keys = try await keys()
        let parts = id.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let partition = Int(parts[0]), (0..<keys.partitions).contains(partition),
            StreamID(String(parts[1])) > StreamID(nil)
        else {
            throw .refused("'\(id)' is no dead letter's id: they look like 3:1700000000000-0")
        }
        let command = RedisCommand("XRANGE", keys.dead(partition), String(parts[1]), String(parts[1]))
        let reply = try await asking { () async throws(RedisError) in try await client.send(command) }
        return reply.value.count == 0 ? nil : DeadLetter(reply.value[0], of: partition)
    }
}

/// One partition's dead letters, from the newest on, a page at a time.
private struct UnreadLetters {
    let key: String
    let partition: Int
    private var letters: [DeadLetter] = []
    /// Where the next page ends.
    private var end = "+"
    private var isExhausted = false

    init(key: String, partition: Int) {
        self.key = key
        self.partition = partition
    }

    var needsMore: Bool { letters.isEmpty && !isExhausted }

    /// The newest one that was read; the page stands in reverse.
    var next: DeadLetter? { letters.last }

    func command(_ page: Int) -> RedisCommand { RedisCommand("XREVRANGE", key, end, "-", "COUNT", "\(page)") }

    mutating func take(_ reply: RedisValue, _ page: Int) {
        letters = (0..<reply.count).reversed().map { DeadLetter(reply[$0], of: partition) }
        isExhausted = reply.count < page
        if let last = reply[reply.count - 1][0].string { end = "(" + last }
    }

    mutating func pop() -> DeadLetter? { letters.popLast() }

    /// Whether its newest one is older than the other's.
    static func < (one: UnreadLetters, other: UnreadLetters) -> Bool {
        guard let left = one.next, let right = other.next else { return one.next == nil && other.next != nil }
        return (left.at, left.id) < (right.at, right.id)
    }
}
