import Logging
import RedisTransport
import SagaCore
import SagaScripts
import SagaStore
import SagaWire

/// A session: one connection for blocking reads, one for everything else.
struct RedisSession: StoreSession {
    let keys: KeySpace
    private let reader: RedisClient
    private let writer: RedisClient
    private let scripts = Scripts()

    /// Prepared once: a script's digest is needed for each call.
    private struct Scripts {
        let take = RedisScript(SagaScripts.partitionTake)
        let renew = RedisScript(SagaScripts.partitionRenew)
        let release = RedisScript(SagaScripts.partitionRelease)
        let raise = RedisScript(SagaScripts.partitionRaise)
        let commit = RedisScript(SagaScripts.partitionCommit)
        let trim = RedisScript(SagaScripts.partitionTrim)
        let peek = RedisScript(SagaScripts.inboxPeek)
    }

    init(endpoint: RedisEndpoint, keys: KeySpace, options: ConnectionOptions, logger: Logger) {
        self.keys = keys
        reader = RedisClient(endpoint: endpoint, options: options, logger: logger)
        writer = RedisClient(endpoint: endpoint, options: options, logger: logger)
    }

    func close() async {
        await reader.close()
        await writer.close()
    }

    // MARK: Ownership

    func take(
        _ partition: Int, as claim: Claim, stale: TakeOutcome.Holder?
    ) async throws(StoreError) -> TakeOutcome {
        let reply = try await evaluate(scripts.take, keys: [keys.state(partition)]) { command in
            command.append(claim.owner)
            command.append(claim.name)
            command.append(claim.lease)
            command.append(stale?.mark ?? "")
            command.append(claim.previous ?? "")
        }
        if reply.word(0) == "held" {
            return .held(
                TakeOutcome.Holder(name: reply.word(1), lease: try reply.number(2), mark: reply.word(3)))
        }
        return .taken(
            PartitionState(
                fence: Fence(
                    partition: partition, owner: claim.owner, epoch: try reply.number(1), sequence: try reply.number(2)),
                positions: InboxPositions(reply: reply.word(3), control: reply.word(4), intake: reply.word(5)),
                era: try reply.number(6), wasRewound: reply.word(7) == "1", mayBeRewound: reply.word(9) == "1",
                verifiedEra: try reply.number(8), now: try reply.number(10)))
    }

    func renew(_ partition: Int, as claim: Claim) async throws(StoreError) -> RenewOutcome {
        let reply = try await evaluate(scripts.renew, keys: [keys.state(partition)]) { command in
            command.append(claim.owner)
            command.append(claim.lease)
        }
        return reply.word(0) == "renewed" ? .renewed(mayBeRewound: reply.word(1) == "1") : .lost
    }

    func release(_ partition: Int, as claim: Claim) async throws(StoreError) {
        _ = try await evaluate(scripts.release, keys: [keys.state(partition)]) { $0.append(claim.owner) }
    }

    func raise(_ fence: Fence, era: Int64) async throws(StoreError) -> CommitOutcome {
        let reply = try await evaluate(scripts.raise, keys: [keys.state(fence.partition)]) { command in
            command.append(fence.owner)
            command.append(fence.epoch)
            command.append(fence.sequence)
            command.append(era)
        }
        return try reply.commitOutcome()
    }

    // MARK: Commits

    func submit(_ commit: PartitionCommit) -> any PendingCommit {
        let encoder = CommitEncoder(commit, keys: keys)
        return PendingRedisCommit(
            reply: writer.submit(scripts.commit, keys: encoder.keyNames) { encoder.encode(into: &$0) })
    }

    private struct PendingRedisCommit: PendingCommit {
        let reply: PendingReply

        func outcome() async throws(StoreError) -> CommitOutcome {
            try StatusReply(try await translating { () async throws(RedisError) in try await reply.get() })
                .commitOutcome()
        }
    }

    func trim(
        _ fence: Fence, positions: InboxPositions, services: [String], outcomesBefore: Milliseconds
    ) async throws(StoreError) -> CommitOutcome {
        let partition = fence.partition
        var names = [
            keys.state(partition), keys.reply(partition), keys.control(partition), keys.intake(partition),
            keys.outcome(partition),
        ]
        names += services.map { keys.command(partition, service: $0) }
        let reply = try await evaluate(scripts.trim, keys: names) { command in
            command.append(fence.owner)
            command.append(fence.epoch)
            command.append(positions.reply)
            command.append(positions.control)
            command.append(positions.intake)
            command.append("\(max(0, outcomesBefore))-0")
            for service in services { command.append(service) }
        }
        return try reply.commitOutcome()
    }

    // MARK: Reading

    func read(
        _ cursors: [InboxCursor], count: Int, block: Milliseconds
    ) async throws(StoreError) -> [InboxBatch] {
        let request = InboxRequest(cursors, keys: keys)
        do throws(RedisError) {
            let command = request.command(count: count, block: block)
            let reply =
                block > 0
                ? try await reader.blocking(command, for: .milliseconds(block)) : try await reader.send(command)
            return request.batches(of: reply)
        } catch {
            guard error.code == .replyTooLarge else { throw StoreError(error) }
            return try await readCarefully(cursors)
        }
    }

    /// Reads one entry of each stream at a time, after a reply that was too large. An entry that is too large by itself
    /// comes back without its fields, as one that cannot be processed: the partition moves on.
    private func readCarefully(_ cursors: [InboxCursor]) async throws(StoreError) -> [InboxBatch] {
        var batches: [InboxBatch] = []
        for cursor in cursors {
            for stream in InboxStream.allCases {
                let request = InboxRequest([cursor], streams: [stream], keys: keys)
                do throws(RedisError) {
                    batches += request.batches(of: try await reader.send(request.command(count: 1, block: 0)))
                } catch {
                    guard error.code == .replyTooLarge else { throw StoreError(error) }
                    if let id = try await peek(stream, after: cursor) {
                        let reason = DeadReason(.oversized, "the entry is too large to be read")
                        let entry = InboxEntry(
                            id: id, messages: [DecodedMessage(position: 0, content: .failure(reason))])
                        batches.append(InboxBatch(partition: cursor.partition, stream: stream, entries: [entry]))
                    }
                }
            }
        }
        return batches
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
            RedisCommand("ZRANGEBYSCORE", key, "-inf", "\(instant)", "LIMIT", "0", "\(limit)"),
            RedisCommand("ZRANGEBYSCORE", key, "(\(instant)", "(+inf", "WITHSCORES", "LIMIT", "0", "1"),
        ])
        let sagas = (0..<replies[0].value.count).compactMap { replies[0].value[$0].string }
        // Where the limit was reached there may be more that ring now.
        if sagas.count >= limit { return DueSagas(sagas: sagas, next: instant) }
        let next = replies[1].value[1].string.flatMap(Double.init).map { Milliseconds($0) }
        return DueSagas(sagas: sagas, next: next)
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

    func definitionCount() async throws(StoreError) -> Int {
        let command = RedisCommand("HLEN", keys.definitions)
        let reply = try await translating { () async throws(RedisError) in try await writer.send(command) }
        return Int(reply.value.integer ?? 0)
    }

    // MARK: Calls

    private func evaluate(
        _ script: RedisScript, keys: [String], _ arguments: (inout RedisCommand) -> Void
    ) async throws(StoreError) -> StatusReply {
        StatusReply(
            try await translating { () async throws(RedisError) in
                try await writer.evaluate(script, keys: keys, arguments: arguments)
            })
    }

    private func pipeline(_ commands: [RedisCommand]) async throws(StoreError) -> [RedisReply] {
        var replies: [RedisReply] = []
        for result in await writer.pipeline(commands) {
            switch result {
            case .success(let reply): replies.append(reply)
            case .failure(let error): throw StoreError(error)
            }
        }
        return replies
    }
}
