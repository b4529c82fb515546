import RedisTransport
import SagaCore
import SagaStore
import Synchronization

/// Blocking reads of a cluster's partitions side by side, each on a connection of its own: there, one command reads one
/// partition.
///
/// A read returns when the first partition has something. The others' reads stay with the servers and are looked at by the
/// next call; what they bring in between is not lost, and what they bring twice is passed over, because each read names
/// the positions that it follows.
actor PartitionReads {
    /// A read that was sent, and not looked at yet.
    private struct Sent {
        var cursor: InboxCursor
        var request: InboxRequest
        var limit: Int
        var reply: PendingReply
        var connection: RedisConnection
    }

    /// One partition's connection.
    private struct Line {
        let router: RedisRouter
        var sent: Sent?
        /// After trouble that passes: not to be read before.
        var notBefore: ContinuousClock.Instant?
        var troubles = 0
    }

    /// What came of a round of looking at replies.
    struct Round {
        var batches: [InboxBatch] = []
        /// Partitions that have something too large to be read as usual.
        var oversized: [InboxCursor] = []
    }

    private let router: RedisRouter
    private let keys: KeySpace
    private let sources: ReadSources?
    private let pace: ReadPace
    private let bell = Bell()
    private var lines: [Int: Line] = [:]

    init(_ router: RedisRouter, keys: KeySpace, sources: ReadSources?, pace: ReadPace) {
        self.router = router
        self.keys = keys
        self.sources = sources
        self.pace = pace
    }

    /// Reads what follows the cursors, and waits up to `block` for the first.
    func read(_ cursors: [InboxCursor], count: Int, block: Milliseconds) async throws(RedisError) -> Round {
        await leave(except: cursors)
        let end = ContinuousClock.now + .milliseconds(max(0, block))
        while true {
            // Before looking: what comes while this looks must be seen.
            bell.silence()
            let left = Milliseconds((end - .now) / .milliseconds(1))
            for cursor in cursors { try await send(cursor, limit: min(count, pace.limit), block: max(1, left)) }
            let round =
                block > 0 ? try await collect(cursors) : try await readAtOnce(cursors, limit: min(count, pace.limit))
            guard round.batches.isEmpty, round.oversized.isEmpty, ContinuousClock.now < end else { return round }
            // Whoever was answered with nothing new is asked again before anybody waits.
            guard cursors.allSatisfy({ lines[$0.partition].map { $0.sent != nil || $0.notBefore != nil } ?? false })
            else { continue }
            // Also when a partition in trouble is to be looked at again.
            let wakes = [end] + lines.values.compactMap(\.notBefore)
            router.after(max(.milliseconds(1), (wakes.min() ?? end) - .now)) { [bell] in bell.ring() }
            guard await bell.wait() else {
                throw RedisError(code: .cancelled, message: "cancelled while reading", effect: .notApplied)
            }
        }
    }

    /// Partitions that are not read any more need no connections.
    private func leave(except cursors: [InboxCursor]) async {
        guard lines.count > cursors.count else { return }
        let kept = Set(cursors.map(\.partition))
        for (partition, line) in lines where !kept.contains(partition) {
            lines[partition] = nil
            await line.router.close()
        }
    }

    /// Sends a partition's read, unless one is on its way.
    private func send(_ cursor: InboxCursor, limit: Int, block: Milliseconds) async throws(RedisError) {
        var line = lines[cursor.partition] ?? Line(router: router.sibling())
        defer { lines[cursor.partition] = line }
        guard line.sent == nil, line.notBefore.map({ $0 <= .now }) ?? true else { return }
        line.notBefore = nil
        let request = InboxRequest([cursor], keys: keys)
        do throws(RedisError) {
            let connection = try await line.router.connection(for: keys.state(cursor.partition))
            let timeout = Duration.milliseconds(block) + connection.blockingMargin
            let reply = connection.submit(request.command(count: limit, block: block), timeout: timeout) { [bell] in
                bell.ring()
            }
            line.sent = Sent(cursor: cursor, request: request, limit: limit, reply: reply, connection: connection)
        } catch {
            router.note(error)
            try Self.bear(error, &line)
        }
    }

    /// Looks at the replies that have come.
    private func collect(_ cursors: [InboxCursor]) async throws(RedisError) -> Round {
        var round = Round()
        for cursor in cursors {
            guard var line = lines[cursor.partition], let sent = line.sent, sent.reply.hasArrived else { continue }
            defer { lines[cursor.partition] = line }
            line.sent = nil
            do throws(RedisError) {
                let batches = sent.request.batches(of: try await sent.reply.get())
                line.troubles = 0
                // Else it followed other positions, and is read again from where the caller is.
                guard sent.cursor == cursor else { continue }
                sources?.note([cursor.partition], from: sent.connection.address)
                round.batches += batches
            } catch {
                router.note(error, from: sent.connection)
                if error.code == .replyTooLarge {
                    if sent.limit == 1 { round.oversized.append(cursor) } else { pace.slow(from: sent.limit) }
                } else {
                    try Self.bear(error, &line)
                }
            }
        }
        return round
    }

    /// Reads without waiting. A read that waits at a server may not have been told yet of what is there already, so it is
    /// asked for again.
    private func readAtOnce(_ cursors: [InboxCursor], limit: Int) async throws(RedisError) -> Round {
        var round = try await collect(cursors)
        let silent = cursors.filter { cursor in
            lines[cursor.partition]?.notBefore == nil && !round.batches.contains { $0.partition == cursor.partition }
        }
        let requests = silent.map { InboxRequest([$0], keys: keys) }
        let replies = await router.pipeline(requests.map { $0.command(count: limit, block: 0) })
        for ((cursor, request), result) in zip(zip(silent, requests), replies) {
            do throws(RedisError) {
                let batches = request.batches(of: try result.get())
                guard !batches.isEmpty else { continue }
                sources?.note([cursor.partition], from: router.current(for: keys.state(cursor.partition))?.address)
                round.batches += batches
            } catch {
                guard error.code == .replyTooLarge else {
                    guard var line = lines[cursor.partition] else { throw error }
                    defer { lines[cursor.partition] = line }
                    try Self.bear(error, &line)
                    continue
                }
                if limit == 1 { round.oversized.append(cursor) } else { pace.slow(from: limit) }
            }
        }
        return round
    }

    /// Trouble of a partition that passes by itself, a slot on its way for example, holds up that partition only.
    private static func bear(_ error: RedisError, _ line: inout Line) throws(RedisError) {
        switch error.code {
        case .moved:
            line.notBefore = line.troubles == 0 ? nil : .now + .milliseconds(20)
        case .ask, .tryAgain, .clusterDown, .masterDown, .loading, .unblocked:
            line.notBefore = .now + min(.milliseconds(500), .milliseconds(25) * (1 << min(line.troubles, 6)))
        default:
            throw error
        }
        line.troubles += 1
    }

    func close() async {
        for line in lines.values { await line.router.close() }
        lines = [:]
    }
}

/// Wakes one task when something has happened since it last looked.
final class Bell: Sendable {
    private let current = Mutex(OneShot<Void>())

    func ring() { current.withLock { $0 }.complete(()) }

    /// Forgets that it has rung.
    func silence() { current.withLock { $0 = OneShot() } }

    /// Returns when it rings, or has rung; false where the task is cancelled.
    func wait() async -> Bool { await current.withLock { $0 }.get() != nil }
}
