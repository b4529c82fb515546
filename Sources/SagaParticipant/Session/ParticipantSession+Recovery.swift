import Logging
import RedisTransport
import SagaCore
import SagaRedis
import Synchronization

extension ParticipantSession {
    /// Reads what is pending with this consumer, from an earlier session or an earlier process: answers that were lost,
    /// and commands that nobody saw because the reply to a read was lost.
    mutating func recover() async throws {
        var positions: [String?] = Array(repeating: "-", count: partitions.count)
        while positions.contains(where: { $0 != nil }) {
            let open = positions.indices.filter { positions[$0] != nil }
            let commands = open.map { place in
                pendingCommand(
                    partitions[place], from: positions[place] ?? "-", to: "+", count: core.options.readCount)
            }
            var pages: [[PendingEntry]] = []
            for (place, result) in zip(open, await writer.pipeline(commands)) {
                let page = Self.pending(try result.get().value, of: partitions[place])
                positions[place] =
                    page.count < core.options.readCount ? nil : page.last.map { "(" + $0.id.entry }
                pages.append(page)
            }
            try await takeUp(pages) { _ in true }
        }
        try await confirm(leaving: 0)
    }

    /// One page of XAUTOCLAIM on each partition of the round that is under way, or of a new one.
    ///
    /// It claims ids only (JUSTID), which counts as no delivery.
    mutating func claim() async throws {
        // What is on its way to being acknowledged is not abandoned.
        try await confirm(leaving: 0)
        let places = claims.begin()
        if places.count == partitions.count { try await core.clock.measure(on: writer) }
        let idle = Milliseconds(core.claimAfter)
        let commands = places.map { place in
            var command = RedisCommand(
                "XAUTOCLAIM", keys.command(partitions[place], service: core.service), core.service, core.consumer)
            command.append(idle)
            command.append(claims.cursor(of: place))
            command.append("COUNT")
            command.append(core.options.readCount)
            command.append("JUSTID")
            return command
        }
        var claimed: Set<EntryID> = []
        var ranges: [(partition: Int, command: RedisCommand)] = []
        for (place, result) in zip(places, await writer.pipeline(commands)) {
            let value = try result.get().value
            claims.advance(place, to: value[0].string ?? ClaimRound.end)
            let ids = (0..<value[1].count).compactMap { value[1][$0].string }
            for id in ids { claimed.insert(EntryID(partition: partitions[place], entry: id)) }
            if let first = ids.first, let last = ids.last {
                // Room for entries in between that are in hand.
                let count = ids.count + core.options.readCount + core.options.concurrency + suspects.count
                ranges.append(
                    (partitions[place], pendingCommand(partitions[place], from: first, to: last, count: count)))
            }
            // Redis 7: pending entries that were deleted from the stream; it has let go of them already.
            noticeLost(value[2], of: partitions[place])
        }
        guard !ranges.isEmpty else { return }
        var pages: [[PendingEntry]] = []
        for (range, result) in zip(ranges, await writer.pipeline(ranges.map(\.command))) {
            pages.append(Self.pending(try result.get().value, of: range.partition))
        }
        try await takeUp(pages) { claimed.contains($0) }
    }

    // MARK: What is pending

    /// Asks what is pending with this consumer, which counts as no delivery.
    private func pendingCommand(_ partition: Int, from first: String, to last: String, count: Int) -> RedisCommand {
        var command = RedisCommand(
            "XPENDING", keys.command(partition, service: core.service), core.service, first, last)
        command.append(count)
        command.append(core.consumer)
        return command
    }

    private static func pending(_ rows: RedisValue, of partition: Int) -> [PendingEntry] {
        (0..<rows.count).compactMap { index in
            guard let entry = rows[index][0].string else { return nil }
            let deliveries = rows[index][3].integer.map { Int(clamping: $0) } ?? 1
            return PendingEntry(
                id: EntryID(partition: partition, entry: entry), counted: deliveries, deliveries: deliveries)
        }
    }

    /// Entries that lie side by side in what is pending with this consumer.
    private typealias Run = [PendingEntry]

    /// Performs what is pending, but for what may be what kills this consumer, which is noted.
    ///
    /// Reading a pending entry counts as a delivery. So a suspect is not read before its turn, and is not blamed for the
    /// end that another one brings about.
    private mutating func takeUp(_ pages: [[PendingEntry]], where isWanted: (EntryID) -> Bool) async throws {
        var runs: [Run] = []
        let noted = Set(suspects.map(\.id))
        for page in pages {
            var run: Run = []
            for entry in page {
                var entry = entry
                entry.deliveries = core.deliveries(of: entry.id, counted: entry.counted)
                // Calls that are still under way are pending with everything else.
                let isFree = isWanted(entry.id) && !core.calls.contains(entry.id)
                if isFree, !deliveries.isSuspicious(entry.deliveries) {
                    run.append(entry)
                    continue
                }
                if isFree, !noted.contains(entry.id) { suspects.append(entry) }
                runs.append(run)
                run = []
            }
            runs.append(run)
        }
        try await perform(runs.filter { !$0.isEmpty })
    }

    private mutating func perform(_ runs: [Run]) async throws {
        guard !runs.isEmpty else { return }
        let wanted = Set(runs.joined().map(\.id))
        var entries: [Delivery] = []
        for result in await reader.pipeline(runs.map { again($0[0].id, count: $0.count) }) {
            entries += deliveries.read(try result.get())
        }
        entries.removeAll { !wanted.contains($0.id) }
        try await correctCounts(of: runs.flatMap { $0 })
        core.counts.withLock { $0.recovered += entries.count }
        try await handle(entries)
    }

    /// Reads entries that are pending with this consumer, from one on.
    private func again(_ first: EntryID, count: Int) -> RedisCommand {
        var command = RedisCommand("XREADGROUP", "GROUP", core.service, core.consumer, "COUNT")
        command.append(count)
        command.append("STREAMS")
        command.append(keys.command(first.partition, service: core.service))
        command.append(first.predecessor)
        return command
    }

    /// Takes back what this process has added to the count of deliveries by reading again what it did not die of: the
    /// next process knows nothing but the count.
    private func correctCounts(of entries: [PendingEntry]) async throws(RedisError) {
        let wrong = entries.filter { $0.counted > $0.deliveries }
        guard !wrong.isEmpty else { return }
        let groups = Dictionary(grouping: wrong) { [$0.id.partition, $0.deliveries + 1] }
        let commands = groups.map { group, entries in
            var command = RedisCommand(
                "XCLAIM", keys.command(group[0], service: core.service), core.service, core.consumer, "0")
            for entry in entries { command.append(entry.id.entry) }
            command.append("RETRYCOUNT")
            command.append(group[1])
            command.append("JUSTID")
            return command
        }
        for result in await writer.pipeline(commands) {
            guard case .failure(let error) = result else { continue }
            guard error.code == .noPermission else { throw error }
            core.noticeUncorrected()
        }
    }

    private func noticeLost(_ ids: RedisValue, of partition: Int) {
        guard ids.count > 0 else { return }
        core.counts.withLock { $0.lost += ids.count }
        core.logger.warning(
            "commands were lost: deleted from their stream while they were pending",
            metadata: ["partition": "\(partition)", "count": "\(ids.count)", "first": "\(ids[0].string ?? "")"])
    }

    // MARK: Suspects

    var hasSuspectToTry: Bool { !suspects.isEmpty && !core.calls.hasSuspect }

    /// Performs the least suspicious of the commands that may be what kills this consumer, when everything else that was
    /// begun is answered, and no other suspect's call is under way: should it be the end, nobody else is to blame. New
    /// commands are performed in between.
    mutating func trySuspect() async throws {
        guard let place = suspects.indices.min(by: { suspects[$0].deliveries < suspects[$1].deliveries }) else {
            return
        }
        let suspect = suspects.remove(at: place)
        try await confirm(leaving: 0)
        let reply = try await reader.send(again(suspect.id, count: 1))
        // Where another consumer has claimed it, the next entry comes, which is left for its own turn.
        let entries = deliveries.read(reply, earlier: suspect.deliveries).filter { $0.id == suspect.id }
        try await correctCounts(of: [suspect])
        core.counts.withLock { $0.recovered += entries.count }
        try await handle(entries)
        try await confirm(leaving: 0)
    }
}

extension EntryID {
    /// The highest id below the entry's, which a read of what comes behind it begins at.
    fileprivate var predecessor: String {
        let parts = entry.split(separator: "-")
        guard parts.count == 2, let milliseconds = UInt64(parts[0]), let number = UInt64(parts[1]) else { return "0" }
        if number > 0 { return "\(milliseconds)-\(number - 1)" }
        return milliseconds > 0 ? "\(milliseconds - 1)-\(UInt64.max)" : "0"
    }
}
