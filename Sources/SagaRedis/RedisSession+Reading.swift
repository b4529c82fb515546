import RedisTransport
import SagaCore
import SagaStore
import SagaWire
import Synchronization

extension RedisSession {
    func read(
        _ cursors: [InboxCursor], count: Int, block: Milliseconds
    ) async throws(StoreError) -> [InboxBatch] {
        guard !cursors.isEmpty else { return [] }
        if let partitionReads { return try await read(cursors, count: count, block: block, with: partitionReads) }
        let request = InboxRequest(cursors, keys: keys)
        var block = block
        while true {
            let limit = min(count, pace.limit)
            do throws(RedisError) {
                let command = request.command(count: limit, block: block)
                let connection = try await reader.connection(for: keys.state(cursors[0].partition))
                let reply =
                    block > 0
                    ? try await connection.blocking(command, for: .milliseconds(block))
                    : try await connection.send(command)
                sources?.note(cursors.lazy.map(\.partition), from: connection.address)
                let batches = request.batches(of: reply)
                guard limit < count else { return batches }
                pace.quicken(from: limit)
                return batches.holdingBackOrders(limit: limit)
            } catch {
                guard error.code == .replyTooLarge else { throw StoreError(error) }
            }
            // There is something to read, so there is nothing to wait for.
            block = 0
            guard limit == 1 else {
                pace.slow(from: limit)
                continue
            }
            return try await readOneByOne(cursors)
        }
    }

    /// Reads each partition by itself.
    private func read(
        _ cursors: [InboxCursor], count: Int, block: Milliseconds, with reads: PartitionReads
    ) async throws(StoreError) -> [InboxBatch] {
        let limit = min(count, pace.limit)
        let round = try await translating { () async throws(RedisError) in
            try await reads.read(cursors, count: count, block: block)
        }
        if !round.oversized.isEmpty { return round.batches + (try await readOneByOne(round.oversized)) }
        guard limit < count else { return round.batches }
        // Slower meanwhile: not to be undone at once.
        if pace.limit >= limit { pace.quicken(from: limit) }
        return round.batches.holdingBackOrders(limit: limit)
    }

    /// Reads one entry of each stream at a time, where one of each together is too much. An entry that is too large by
    /// itself comes back without its fields, as one that cannot be processed: the partition moves on.
    private func readOneByOne(_ cursors: [InboxCursor]) async throws(StoreError) -> [InboxBatch] {
        var batches: [InboxBatch] = []
        for stream in InboxStream.inbox {
            for cursor in cursors where cursor.inbox.contains(stream) {
                batches += try await readOne(stream, after: cursor)
            }
        }
        for cursor in cursors {
            for topic in cursor.topics { batches += try await readOne(.event(topic), after: cursor) }
        }
        // What starts sagas was read last: where nothing came of it, there was nothing in it before the orders either.
        return batches.holdingBackOrders(limit: 1)
    }

    private func readOne(
        _ stream: InboxStream, after cursor: InboxCursor
    ) async throws(StoreError) -> [InboxBatch] {
        let request = InboxRequest(cursor, stream: stream, keys: keys)
        do throws(RedisError) {
            return request.batches(of: try await reader.send(request.command(count: 1, block: 0)))
        } catch {
            guard error.code == .replyTooLarge else { throw StoreError(error) }
            guard let id = try await peek(stream, after: cursor) else { return [] }
            let reason = DeadReason(.oversized, "the entry is too large to be read")
            let entry = InboxEntry(id: id, messages: [DecodedMessage(position: 0, content: .failure(reason))])
            return [InboxBatch(partition: cursor.partition, stream: stream, entries: [entry])]
        }
    }

    private func peek(_ stream: InboxStream, after cursor: InboxCursor) async throws(StoreError) -> String? {
        let key = keys.inbox(stream, cursor.partition)
        let reply = try await evaluate(scripts.peek, keys: [key]) { $0.append(cursor.positions[stream]) }
        return reply.word(0).isEmpty ? nil : reply.word(0)
    }

    func load(_ sagas: [String], of partition: Int) async throws(StoreError) -> [[[UInt8]]] {
        let commands = sagas.map { saga in
            RedisCommand("LRANGE", keys.log(partition, saga: saga), "0", "-1")
        }
        return try await pipeline(commands).map { reply in
            (0..<reply.value.count).map { reply.value[$0].bytes ?? [] }
        }
    }

    func due(_ partition: Int, by instant: Milliseconds, limit: Int) async throws(StoreError) -> DueSagas {
        let key = keys.open(partition)
        let replies = try await pipeline([
            RedisCommand("ZRANGEBYSCORE", key, "-inf", "\(instant)", "WITHSCORES", "LIMIT", "0", "\(limit + 1)"),
            RedisCommand("ZRANGEBYSCORE", key, "(\(instant)", "(+inf", "WITHSCORES", "LIMIT", "0", "1"),
        ])
        let due = replies[0].value
        let sagas = stride(from: 0, to: min(due.count, limit * 2), by: 2).compactMap { due[$0].string }
        let next = due.count > limit * 2 ? due[limit * 2 + 1] : replies[1].value[1]
        return DueSagas(sagas: sagas, next: Self.instant(next))
    }

    /// A score as an instant. Scores are doubles, so one near the end of time may lie beyond it.
    static func instant(_ score: RedisValue) -> Milliseconds? {
        guard let number = score.string.flatMap(Double.init), !number.isNaN else { return nil }
        return Milliseconds(exactly: number.rounded(.down)) ?? (number < 0 ? .min : .max)
    }

    func openSagas(
        _ partition: Int, after cursor: String
    ) async throws(StoreError) -> (sagas: [String], next: String) {
        let command = RedisCommand("ZSCAN", keys.open(partition), cursor, "COUNT", "256")
        let reply = try await translating { () async throws(RedisError) in try await writer.send(command) }.value
        let members = reply[1]
        let sagas = stride(from: 0, to: members.count, by: 2).compactMap { members[$0].string }
        return (sagas, reply[0].string ?? "0")
    }

    func memory() async throws(StoreError) -> StoreMemory {
        let replies = try await translating { () async throws(RedisError) in
            try await writer.sendToEach(RedisCommand("INFO", "memory"))
        }
        let memories = replies.map { reply in
            let info = ServerInfo(reply)
            func bytes(_ name: String) -> Int64 { info[name].flatMap(Int64.init) ?? 0 }
            return StoreMemory(used: bytes("used_memory"), limit: bytes("maxmemory"))
        }
        // The fullest node is the first that has no room.
        return memories.max { ($0.percent ?? 0, $0.used) < ($1.percent ?? 0, $1.used) }
            ?? StoreMemory(used: 0, limit: 0)
    }

    func announce(_ overload: Overload?, validity: Milliseconds) async throws(StoreError) {
        _ = try await evaluate(scripts.announce, keys: [keys.meta]) { command in
            command.append(overload.map { "\($0.used) \($0.allowed)" } ?? "")
            command.append(validity)
        }
    }

    func definitionCount() async throws(StoreError) -> Int {
        let command = RedisCommand("HLEN", keys.definitions)
        let reply = try await translating { () async throws(RedisError) in try await writer.send(command) }
        return Int(reply.value.integer ?? 0)
    }
}

/// How many entries of each stream a read may ask for: far fewer after a reply that was too large, which cost a
/// connection, and little by little more after each that was not.
final class ReadPace: Sendable {
    private let current = Mutex(Int.max)

    var limit: Int { current.withLock { $0 } }

    func slow(from limit: Int) { current.withLock { $0 = max(1, limit / 8) } }

    func quicken(from limit: Int) { current.withLock { $0 = limit + max(1, limit / 8) } }
}

extension [InboxBatch] {
    /// Without the control entries of partitions whose intake or topics may go on beyond what was read.
    fileprivate func holdingBackOrders(limit: Int) -> [InboxBatch] {
        let unfinished = Set(filter(\.startsSagas).filter { $0.entries.count >= limit }.map(\.partition))
        guard !unfinished.isEmpty else { return self }
        return filter { $0.stream != .control || !unfinished.contains($0.partition) }
    }
}

extension InboxBatch {
    fileprivate var startsSagas: Bool { stream == .intake || stream.topic != nil }
}
