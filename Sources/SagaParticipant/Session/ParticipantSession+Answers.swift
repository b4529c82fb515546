import Logging
import RedisTransport
import SagaCore
import SagaWire
import Synchronization

extension ParticipantSession {
    /// Performs entries in batches, and sends the answers of one batch while the next one is performed.
    mutating func handle(_ entries: [Delivery]) async throws {
        guard !entries.isEmpty else { return }
        core.counts.withLock { $0.received += entries.count }
        var rest = entries[...]
        while !rest.isEmpty {
            let batch = rest.prefix(core.options.batch)
            rest = rest.dropFirst(batch.count)
            try await perform(batch)
        }
    }

    private mutating func perform(_ entries: ArraySlice<Delivery>) async throws {
        guard let now = core.clock.now else { return }
        var answers = AnswerBatch(keys: keys, service: core.service, payloadKeys: core.options.payloadKeys)
        var local: [Command] = []
        var ids: [EntryID] = []
        for delivery in entries {
            switch delivery.content {
            case .command(let command):
                if core.handlers.isExternal(command.operation) {
                    core.calls.submit(
                        ExternalCalls.Work(
                            id: delivery.id, command: command, keys: keys, isSuspect: delivery.isSuspect))
                } else if let late = ParticipantCore<Store>.lateReply(to: command, now: now) {
                    answers.add(late, to: delivery.id)
                } else {
                    local.append(command)
                    ids.append(delivery.id)
                }
            case .poison(let command, let letter):
                answers.add(letter, with: Self.poisonReply(to: command), for: delivery.id, at: now)
            case .sealed(let command, let fault):
                core.noticeSealed(fault)
                answers.add(
                    ReplyMessage(
                        id: command.id, outcome: .retry, error: fault.description, code: RetryCode.payloadKey),
                    to: delivery.id)
            case .undecodable(let letter): answers.add(letter, for: delivery.id, at: now)
            case .vanished: answers.addLost(delivery.id)
            }
        }
        for (index, answer) in try await core.perform(local, now: now).enumerated() {
            guard let reply = answer.reply else { continue }
            if reply.code == RetryCode.unknownOperation { core.noticeUnknown(local[index].operation) }
            answers.add(reply, to: ids[index])
        }
        try await send(answers, performed: ids, local)
    }

    private mutating func send(_ answers: AnswerBatch, performed: [EntryID], _ commands: [Command]) async throws {
        let transactions = answers.transactions
        guard !transactions.isEmpty else { return }
        report(answers.counts)
        var round = SentAnswers(
            pending: [], transactions: transactions.map(\.entries), entries: performed, counts: answers.counts)
        do {
            try await core.hooks.committed?(commands)
            try await confirm(leaving: Self.sentLimit - 1)
        } catch {
            core.noteSurvived(performed)
            throw error
        }
        // Enqueued one after the other without a suspension: they leave in one write.
        round.pending = transactions.map { writer.submitTransaction($0.commands) }
        sent.append(round)
    }

    /// Waits until at most `limit` rounds of answers are on their way.
    mutating func confirm(leaving limit: Int) async throws {
        while sent.count > limit, let round = sent.first {
            for (pending, entries) in zip(round.pending, round.transactions) {
                let acknowledged = try AnswerBatch.check(try await pending.get())
                if acknowledged < entries {
                    core.logger.debug(
                        "another consumer answered some commands as well",
                        metadata: ["answered": "\(entries)", "acknowledged": "\(acknowledged)"])
                }
            }
            core.counts.withLock { $0.add(round.counts, confirmed: round.transactions.reduce(0, +)) }
            core.noteAnswered(round.entries)
            sent.removeFirst()
        }
    }

    private func report(_ counts: ParticipantCounts) {
        if counts.dead > 0 {
            core.logger.warning(
                "commands went to the dead letters; see `skald dead list`", metadata: ["count": "\(counts.dead)"])
        }
        if counts.lost > 0 {
            core.logger.warning(
                "commands were lost: deleted from their stream while they were pending",
                metadata: ["count": "\(counts.lost)"])
        }
    }

    private static func poisonReply(to command: Command) -> ReplyMessage {
        ReplyMessage(
            id: command.id, outcome: .retry,
            error: "the command was delivered again and again and never answered; whether it took effect is not known",
            code: RetryCode.poison)
    }
}

extension AnswerBatch {
    /// Checks EXEC's reply, and returns how many entries were acknowledged.
    static func check(_ reply: RedisReply) throws(RedisError) -> Int64 {
        let results = reply.value
        // Redis does not roll back: what went through stays, and an entry that was acknowledged without its reply is
        // sent again by the coordinator when its attempt times out.
        for index in 0..<results.count {
            if let error = results[index].error { throw error }
        }
        return results[results.count - 1].integer ?? 0
    }
}
