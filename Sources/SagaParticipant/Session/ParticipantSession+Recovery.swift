import Logging
import RedisTransport
import SagaCore
import SagaRedis
import Synchronization

extension ParticipantSession {
    /// Reads what is pending with this consumer, from an earlier session or an earlier process: answers that were lost,
    /// and commands that nobody saw because the reply to a read was lost.
    mutating func recover() async throws {
        let streams = partitions.map { keys.command($0, service: core.service) }
        var positions: [String?] = Array(repeating: "0", count: streams.count)
        while positions.contains(where: { $0 != nil }) {
            let open = positions.indices.filter { positions[$0] != nil }
            var command = RedisCommand("XREADGROUP", "GROUP", core.service, core.consumer, "COUNT")
            command.append(core.options.readCount)
            command.append("STREAMS")
            for place in open { command.append(streams[place]) }
            for place in open { command.append(positions[place] ?? "0") }
            let reply = try await reader.send(command)
            var pages: [Page] = []
            for place in open { positions[place] = nil }
            var index = 0
            DeliveryReader.streams(in: reply) { key, entries in
                // In the order of the request; a stream may be left out.
                while index < open.count, streams[open[index]] != key { index += 1 }
                guard index < open.count, entries.count > 0 else { return }
                positions[open[index]] = entries[entries.count - 1][0].string
                pages.append(Page(partition: partitions[open[index]], entries: entries))
            }
            try await handleRecovered(pages)
        }
        try await confirm(leaving: 0)
    }

    /// One page of XAUTOCLAIM on each partition of the round that is under way, or of a new one.
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
            return command
        }
        var pages: [Page] = []
        for (place, result) in zip(places, await writer.pipeline(commands)) {
            let value = try result.get().value
            claims.advance(place, to: value[0].string ?? ClaimRound.end)
            pages.append(Page(partition: partitions[place], entries: value[1]))
            // Redis 7: pending entries that were deleted from the stream; it has let go of them already.
            noticeLost(value[2], of: partitions[place])
        }
        try await handleRecovered(pages)
    }

    /// Entries of one stream, within their reply.
    private struct Page {
        var partition: Int
        var entries: RedisValue
    }

    private mutating func handleRecovered(_ pages: [Page]) async throws {
        let pages = pages.filter { $0.entries.count > 0 }
        guard !pages.isEmpty else { return }
        let counts = try await deliveryCounts(pages)
        var entries: [Delivery] = []
        for page in pages {
            deliveries.append(page.entries, of: page.partition, deliveries: counts, to: &entries)
        }
        // Calls that are still under way were read again with everything else.
        entries.removeAll { core.calls.contains($0.id) }
        core.counts.withLock { $0.recovered += entries.count }
        try await handle(entries)
    }

    /// How often each entry has been delivered. Only a hint: reading what is pending counts as well.
    private func deliveryCounts(_ pages: [Page]) async throws(RedisError) -> DeliveryCounts {
        let commands = pages.map { page in
            var command = RedisCommand(
                "XPENDING", keys.command(page.partition, service: core.service), core.service,
                page.entries[0][0].string ?? "-", page.entries[page.entries.count - 1][0].string ?? "+")
            // Room for entries in between that are in hand.
            command.append(page.entries.count + core.options.concurrency)
            command.append(core.consumer)
            return command
        }
        var counts: DeliveryCounts = [:]
        for (page, result) in zip(pages, await writer.pipeline(commands)) {
            let rows = try result.get().value
            for index in 0..<rows.count {
                guard let entry = rows[index][0].string, let count = rows[index][3].integer else { continue }
                let id = EntryID(partition: page.partition, entry: entry)
                if !core.hasSurvived(id) { counts[id] = Int(clamping: count) }
            }
        }
        return counts
    }

    private func noticeLost(_ ids: RedisValue, of partition: Int) {
        guard ids.count > 0 else { return }
        core.counts.withLock { $0.lost += ids.count }
        core.logger.warning(
            "commands were lost: deleted from their stream while they were pending",
            metadata: ["partition": "\(partition)", "count": "\(ids.count)", "first": "\(ids[0].string ?? "")"])
    }
}
