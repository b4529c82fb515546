import Logging
import SagaCore
import SagaStore
import SagaWire

/// From what was read to commits.
extension Lane {
    /// What one partition has to do in this round.
    struct Work {
        let partition: OwnedPartition
        var batches: [InboxStream: InboxBatch] = [:]
        var due: [String] = []
        var sweep: [String] = []
        var nextSweepCursor: String?
    }

    func decide(_ read: [Int: [InboxBatch]]) async {
        for partition in ordered where !partition.isInDoubt {
            let now = partition.clock.now(monotonic: surroundings.monotonic())
            let hasAlarm = partition.nextAlarm <= now
            guard
                read[partition.index] != nil || hasAlarm || partition.sweepCursor != nil
                    || !partition.confirmed.isEmpty
            else { continue }
            var work = Work(partition: partition)
            for batch in read[partition.index] ?? [] { work.batches[batch.stream] = batch }
            if let seen = newerEra(in: work, at: now) {
                // Somebody has seen a later history than the partition's own: begin a still later one first.
                holdings.noteEra(seen, of: partition.index)
                partition.eraToExceed = seen
                partition.doubt()
                continue
            }
            do throws(StoreError) {
                try await lookUp(&work, hasAlarm: hasAlarm, now: now)
                submit(try await decide(work, now: now))
            } catch {
                partition.doubt()
                await endure(error, "sagas cannot be read")
            }
        }
    }

    private func submit(_ batch: Batch) {
        let partition = batch.partition
        partition.positions = batch.commit.positions
        guard !batch.commit.isEmpty || batch.commit.positions != partition.committedPositions else {
            return batch.close()
        }
        partition.hasChangedSinceTrim = true
        pending.append((batch, session.submit(batch.commit)))
    }

    /// The highest era above the partition's that an answer with a right token shows.
    private func newerEra(in work: Work, at now: Milliseconds) -> Int64? {
        let era = work.partition.era
        let latest = Batch.latestEra(of: work.partition, at: now)
        var highest = era
        for entry in work.batches[.reply]?.entries ?? [] {
            for message in entry.messages {
                guard case .success(.reply(let reply)) = message.content else { continue }
                let seen = max(reply.id.era, reply.outcome == .stale ? reply.seen ?? 0 : 0)
                guard seen > highest, seen <= latest else { continue }
                let token = signer.token(
                    saga: reply.saga, step: reply.id.step, item: reply.id.item, phase: reply.id.phase)
                if TokenSigner.areEqual(token, reply.id.token) { highest = seen }
            }
        }
        return highest > era ? highest : nil
    }

    /// Reads which alarms ring and which sagas the sweep comes to next.
    private func lookUp(_ work: inout Work, hasAlarm: Bool, now: Milliseconds) async throws(StoreError) {
        let partition = work.partition
        if hasAlarm {
            let due = try await session.due(partition.index, by: now, limit: options.alarmCount)
            work.due = due.sagas
            partition.nextAlarm = due.next ?? .max
        }
        if let cursor = partition.sweepCursor {
            (work.sweep, work.nextSweepCursor) = try await session.openSagas(partition.index, after: cursor)
        }
    }

    private func decide(_ work: Work, now: Milliseconds) async throws(StoreError) -> Batch {
        let partition = work.partition
        var batch = Batch(
            partition: partition, registry: registry, signer: signer, round: roundNumber, now: now,
            options: options, confirmations: confirmations)
        try await load(work, into: &batch)
        try await lookAtConfirmations()
        tellConfirmed(&batch)
        applyAll(of: .reply, work, &batch)
        // Before the intake, which may have signals to the sagas that they start.
        let hasMoreEvents = applyEvents(work, &batch)
        let hasMoreIntake = applyAll(of: .intake, work, &batch)
        applyControls(work, &batch, hasMoreStarts: hasMoreIntake || hasMoreEvents || holdsStarts)
        ring(work, &batch)
        if partition.sweepCursor != nil { sweep(work, &batch) }
        batch.seal()
        return batch
    }

    private func ring(_ work: Work, _ batch: inout Batch) {
        batch.budget.renew()
        for saga in work.due {
            guard !batch.budget.isSpent else {
                work.partition.nextAlarm = .min
                return
            }
            batch.ring(saga)
        }
    }

    private func sweep(_ work: Work, _ batch: inout Batch) {
        batch.budget.renew()
        batch.isSweeping = true
        for saga in work.sweep {
            // Those that are done by then have nothing to do when the same part is looked at again.
            guard !batch.budget.isSpent else { return }
            if let cell = work.partition.sagas[saga] { batch.catchUp(cell) }
        }
        let isDone = work.nextSweepCursor == "0"
        work.partition.sweepCursor = isDone ? nil : work.nextSweepCursor
        if isDone { batch.commit.verifiedEra = work.partition.era }
    }

    /// Returns whether there may be more.
    @discardableResult
    private func applyAll(of stream: InboxStream, _ work: Work, _ batch: inout Batch) -> Bool {
        let entries = work.batches[stream]?.entries ?? []
        for entry in entries {
            guard !batch.budget.isSpent else { return true }
            for message in entry.messages { batch.apply(message, from: stream, entry: entry.id) }
            batch.commit.positions[stream] = entry.id
        }
        return entries.count >= options.readCount
    }

    /// Orders come after this round's starts: one call has read both, so an order whose saga is still unknown, while
    /// what starts sagas was read to its end, is about a saga that nobody has asked for. While there is more it waits.
    private func applyControls(_ work: Work, _ batch: inout Batch, hasMoreStarts: Bool) {
        batch.budget.renew()
        for entry in work.batches[.control]?.entries ?? [] {
            guard !batch.budget.isSpent else { return }
            let isUnknown = entry.messages.contains { message in
                guard case .success(let content) = message.content else { return false }
                return batch.isUnknown(content.saga)
            }
            if isUnknown, hasMoreStarts { return }
            for message in entry.messages { batch.apply(message, from: .control, entry: entry.id) }
            batch.commit.positions.control = entry.id
        }
    }

    // MARK: Loading

    /// Brings every saga that the work is about into memory. A saga that is to be started is taken to be new, which
    /// the commit checks, unless a refused commit found one that was not.
    private func load(_ work: Work, into batch: inout Batch) async throws(StoreError) {
        let partition = work.partition
        var needed = partition.suspects.union(partition.confirmed.keys)
        var needsDefinitions = false
        var wantsHighest = false
        for read in work.batches.values {
            for entry in read.entries {
                for message in entry.messages {
                    guard case .success(let content) = message.content else {
                        // Whether there is a saga that an unprocessable start names.
                        if message.definition != nil, let saga = message.saga { needed.insert(saga) }
                        continue
                    }
                    if case .event(let event) = content {
                        needed.formUnion(sagas(triggeredBy: event))
                        wantsHighest = true
                    } else if case .start(let start) = content {
                        let definition = registry.definition(start.definition, version: start.version)
                        if start.version != nil, definition == nil { needsDefinitions = true }
                        if start.version == nil || definition?.children.isEmpty == false { wantsHighest = true }
                    } else {
                        needed.insert(content.saga)
                    }
                }
            }
        }
        needed.formUnion(work.due)
        needed.formUnion(work.sweep)
        try await loadFamilies(of: needed, into: &batch)
        wantsHighest = wantsHighest || needed.contains { partition.sagas[$0]?.saga.hasChildrenToStart ?? false }
        if !needsDefinitions, wantsHighest {
            // Registered definitions never change, so their number tells whether there are new ones.
            needsDefinitions = try await session.definitionCount() != registry.storedCount
        }
        if needsDefinitions { try await registry.reload() }
    }

    /// Reads the sagas that are not in memory, and with each its parents and children.
    private func loadFamilies(of needed: Set<String>, into batch: inout Batch) async throws(StoreError) {
        let partition = batch.partition
        var (seen, next) = (needed, needed)
        while !next.isEmpty {
            let missing = next.filter { partition.sagas[$0] == nil }.sorted()
            if !missing.isEmpty {
                let logs = try await session.load(missing, of: partition.index)
                for (id, log) in zip(missing, logs) { try await adopt(log, of: id, into: &batch) }
            }
            var relatives: Set<String> = []
            for id in next {
                guard let cell = partition.sagas[id] else { continue }
                cell.lastRound = roundNumber
                relatives.formUnion(cell.saga.relatives)
            }
            next = relatives.subtracting(seen)
            seen.formUnion(next)
        }
    }

    private func adopt(_ log: [[UInt8]], of id: String, into batch: inout Batch) async throws(StoreError) {
        do {
            var replayed = try SagaLog.replay(
                log, of: id, safeguards: options.safeguards, definition: registry.definition)
            if case .unknownDefinition = replayed {
                try await registry.reload()
                replayed = try SagaLog.replay(
                    log, of: id, safeguards: options.safeguards, definition: registry.definition)
            }
            switch replayed {
            case .saga(let saga):
                let cell = SagaCell(saga: saga, storedCount: log.count, storedAlarm: nil)
                cell.lastRound = roundNumber
                batch.partition.sagas[id] = cell
            case .absent: break
            case .tombstone(let tombstone): batch.tombstones[id] = tombstone
            case .unknownDefinition(let name, let version):
                let reason = DeadReason(.unknownDefinition, "'\(name)@\(version)' is not registered")
                batch.unreadable[id] = Batch.UnreadableLog(count: log.count, reason: reason)
                logger.error("open saga's definition is not registered", metadata: ["saga_id": "\(id)"])
            }
        } catch let error as StoreError {
            throw error
        } catch {
            let reason = DeadReason(.unreadable, "the log of saga '\(id)' cannot be read: \(error)")
            batch.unreadable[id] = Batch.UnreadableLog(count: log.count, reason: reason)
            logger.error("saga's log cannot be read", metadata: ["saga_id": "\(id)", "error": "\(error)"])
        }
    }
}
