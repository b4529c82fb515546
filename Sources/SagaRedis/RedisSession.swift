import Logging
import RedisTransport
import SagaCore
import SagaScripts
import SagaStore
import SagaWire

/// A session: one connection for blocking reads, one for everything else; in a cluster one for the reads of each
/// partition, and one to each node for everything else.
struct RedisSession: StoreSession {
    let keys: KeySpace
    let reader: RedisRouter
    let writer: RedisRouter
    /// The reads of a cluster.
    let partitionReads: PartitionReads?
    let scripts = Scripts()
    let pace = ReadPace()
    let lastWriter = LastWriter()
    /// Whether to ask for the server's settings.
    var looksAtSettings = true
    /// Nil where there is one server only.
    let sources: ReadSources?

    /// Prepared once: a script's digest is needed for each call.
    struct Scripts {
        let look = RedisScript(SagaScripts.partitionLook)
        let take = RedisScript(SagaScripts.partitionTake)
        let renew = RedisScript(SagaScripts.partitionRenew)
        let release = RedisScript(SagaScripts.partitionRelease)
        let raise = RedisScript(SagaScripts.partitionRaise)
        let commit = RedisScript(SagaScripts.partitionCommit)
        let settle = RedisScript(SagaScripts.partitionSettle)
        let announce = RedisScript(SagaScripts.namespaceAnnounce)
        let trim = RedisScript(SagaScripts.partitionTrim)
        let retire = RedisScript(SagaScripts.partitionRetire)
        let removeConsumers = RedisScript(SagaScripts.consumerRemove)
        let peek = RedisScript(SagaScripts.inboxPeek)
    }

    /// - Parameter router: Knows the servers; the session makes connections of its own.
    init(_ router: RedisRouter, keys: KeySpace) {
        self.keys = keys
        sources = router.endpoint.address.hasSuccessors ? ReadSources() : nil
        reader = router.sibling()
        writer = router.sibling()
        partitionReads =
            router.spansNodes ? PartitionReads(reader, keys: keys, sources: sources, pace: pace) : nil
    }

    func close() async {
        await partitionReads?.close()
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
            command.append(claim.instance)
        }
        if reply.word(0) == "held" {
            return .held(try reply.holder())
        }
        return .taken(
            PartitionState(
                fence: Fence(
                    partition: partition, owner: claim.owner, epoch: try reply.number(1), sequence: try reply.number(2)),
                positions: InboxPositions(
                    reply: reply.word(3), control: reply.word(4), intake: reply.word(5), events: reply.pairs(from: 11)),
                era: try reply.number(6), wasRewound: reply.word(7) == "1", mayBeRewound: reply.word(9) == "1",
                verifiedEra: try reply.number(8), now: try reply.number(10)))
    }

    func look(at partition: Int) async throws(StoreError) -> Occupancy {
        let reply = try await evaluate(scripts.look, keys: [keys.state(partition)]) { _ in }
        switch reply.word(0) {
        case "free": return .free
        case "expired": return .expired(try reply.holder())
        default: return .held(try reply.holder())
        }
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
        let partition = commit.fence.partition
        if let sources,
            let source = sources.takeConflict(partition, with: writer.current(for: keys.state(partition))?.address)
        {
            return RefusedCommit(
                reason: "partition \(partition) was read from \(source), which is not its master any more")
        }
        let encoder = CommitEncoder(commit, keys: keys)
        let state = keys.state(partition)
        lastWriter.note(writer.current(for: state), for: state)
        return PendingRedisCommit(
            reply: writer.submit(commit.startsSagas ? scripts.commit : scripts.settle, keys: encoder.keyNames) {
                encoder.encode(into: &$0)
            }, commands: commit.commands.count)
    }

    private struct PendingRedisCommit: PendingCommit {
        let reply: PendingReply
        let commands: Int

        func result() async throws(StoreError) -> CommitResult {
            let status = StatusReply(try await translating { () async throws(RedisError) in try await reply.get() })
            let outcome = try status.commitOutcome()
            guard case .committed = outcome, commands > 0 else { return CommitResult(outcome) }
            return CommitResult(outcome, commands: status.streamIDs(from: 2, count: commands))
        }
    }

    private struct RefusedCommit: PendingCommit {
        let reason: String

        func result() async throws(StoreError) -> CommitResult {
            throw StoreError(.unavailable, .notApplied, reason)
        }
    }

    func trim(
        _ fence: Fence, services: [String], topics: [TrimmedTopic], outcomesBefore: Milliseconds,
        eventsBefore: Milliseconds
    ) async throws(StoreError) -> CommitOutcome {
        let partition = fence.partition
        var names = [
            keys.state(partition), keys.reply(partition), keys.control(partition), keys.intake(partition),
            keys.outcome(partition),
        ]
        names += services.map { keys.command(partition, service: $0) }
        names += topics.map { keys.event(partition, topic: $0.name) }
        let reply = try await evaluate(scripts.trim, keys: names) { command in
            command.append(fence.owner)
            command.append(fence.epoch)
            command.append("\(max(0, outcomesBefore))-0")
            command.append("\(max(0, eventsBefore))-0")
            command.append(services.count)
            for service in services { command.append(service) }
            for topic in topics { command.append(topic.isTrigger ? InboxStream.event(topic.name).name : "") }
        }
        return try reply.commitOutcome()
    }

    // MARK: Calls

    func evaluate(
        _ script: RedisScript, keys: [String], _ arguments: (inout RedisCommand) -> Void
    ) async throws(StoreError) -> StatusReply {
        let reply = try await translating { () async throws(RedisError) in
            try await writer.evaluate(script, keys: keys, arguments: arguments)
        }
        if let key = keys.first { lastWriter.note(writer.current(for: key), for: key) }
        return StatusReply(reply)
    }

    func pipeline(_ commands: [RedisCommand]) async throws(StoreError) -> [RedisReply] {
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
