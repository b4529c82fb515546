package import SagaCore

/// What was read of a namespace, and what follows from it.
package struct NamespaceReading: Sendable {
    /// A service's commands in one partition.
    package struct Queue: Sendable, Hashable {
        package var service: String
        package var partition: Int
        /// Whether the stream has the service's group, and how many consumers that has.
        package var hasGroup: Bool
        package var consumers: Int
        /// When the oldest command was sent that nobody was given, and the oldest that was given and not acknowledged.
        package var undelivered: Milliseconds?
        package var pending: Milliseconds?

        package init(
            service: String, partition: Int, hasGroup: Bool = true, consumers: Int = 1,
            undelivered: Milliseconds? = nil, pending: Milliseconds? = nil
        ) {
            self.service = service
            self.partition = partition
            self.hasGroup = hasGroup
            self.consumers = consumers
            self.undelivered = undelivered
            self.pending = pending
        }
    }

    /// The saga that was started first, of those that are not ended and were looked at.
    package struct OldestSaga: Sendable, Hashable {
        package var id: String
        package var startedAt: Milliseconds
        package var looked: Int

        package init(id: String, startedAt: Milliseconds, looked: Int) {
            self.id = id
            self.startedAt = startedAt
            self.looked = looked
        }
    }

    package var status: NamespaceStatus
    /// The server's instant, and the newest one that each partition has recorded.
    package var now: Milliseconds
    package var clocks: [Milliseconds] = []
    package var stuck = 0
    package var oldest: OldestSaga?
    package var queues: [Queue] = []
    /// The newest dead letter.
    package var newestDead: (at: Milliseconds, reason: String)?

    package init(status: NamespaceStatus, now: Milliseconds) {
        self.status = status
        self.now = now
    }

    package var findings: [Finding] {
        ownership + membership + admission + lag + clockFindings + sagas + status.services.flatMap(commands) + dead
    }

    private var admission: [Finding] {
        guard let overload = status.overload else { return [] }
        return [
            Finding(
                .warning, "admission", "overloaded: \(overload): no sagas are begun, those that are go on",
                remedy: "raise maxmemory, or shorten the retention of ended sagas")
        ]
    }

    // MARK: Partitions

    private var ownership: [Finding] {
        let idle = status.partitions.filter { $0.owner == nil }
        guard !idle.isEmpty else {
            let owners = Set(status.partitions.compactMap(\.owner)).count
            let text =
                "\(Self.counted(status.partitions.count, "partition")), owned by \(Self.counted(owners, "orchestrator"))"
            return [Finding(.ok, "ownership", text)]
        }
        let (open, unread) = (idle.reduce(0) { $0 + $1.open }, idle.reduce(0) { $0 + $1.lag })
        let text =
            "\(idle.count) of \(status.partitions.count) partitions have no owner, or one whose lease has expired"
        let remedy = "start an orchestrator ('skald orchestrator'), or look at the log of those that run"
        guard open + unread > 0 else { return [Finding(.warning, "ownership", text, remedy: remedy)] }
        return [
            Finding(
                .danger, "ownership",
                text
                    + "; what stands still in them: \(Self.counted(open, "open saga")), \(Self.counted(unread, "unread message"))",
                remedy: remedy)
        ]
    }

    /// Nothing is said of orchestrators in good order: their partitions say it.
    private var membership: [Finding] {
        var findings: [Finding] = []
        for member in status.members where member.isGone {
            findings.append(
                Finding(
                    .warning, "orchestrator-gone",
                    "orchestrator '\(member.name)' has not been heard of for \(Self.span(member.age)): it ended without "
                        + "handing over, is frozen, or is cut off from Redis",
                    remedy:
                        "look at its log, and start it again; others have its partitions within a lease and a second"))
        }
        let running = Dictionary(grouping: status.members.filter { !$0.isGone }, by: \.name)
        for (name, members) in running.sorted(by: { $0.key < $1.key }) where members.count > 1 {
            findings.append(
                Finding(
                    .warning, "orchestrator-names",
                    "\(members.count) running orchestrators are named '\(name)'",
                    remedy: "give each a name of its own ('--id'): logs and 'skald status' cannot be told apart"))
        }
        return findings
    }

    private var lag: [Finding] {
        let total = status.partitions.reduce(0) { $0 + $1.lag }
        guard let worst = status.partitions.max(by: { $0.lag < $1.lag }), worst.lag >= NamespaceStatus.exactLag else {
            return [
                Finding(.ok, "inbox", total == 0 ? "all inbox messages are read" : "\(total) inbox entries are unread")
            ]
        }
        return [
            Finding(
                .warning, "inbox",
                "\(total) inbox entries are unread, the most in partition \(worst.index): \(worst.lag)",
                remedy: "look at the orchestrators' load; more of them help if partitions are unevenly owned")
        ]
    }

    /// A partition's clock never runs backwards, so it stands where the server's was at its latest.
    private var clockFindings: [Finding] {
        guard let latest = clocks.max(), latest > now + 1_000 else { return [] }
        return [
            Finding(
                .warning, "clock-fell-back",
                "the server's clock fell back: \(Self.span(latest - now)) behind what a partition has recorded; its "
                    + "deadlines and retries wait that long",
                remedy: "let a time daemon slew the clock of the server's machine, and not step it")
        ]
    }

    private var sagas: [Finding] {
        var findings: [Finding] = []
        let open = status.partitions.reduce(0) { $0 + $1.open }
        if let oldest {
            let part = oldest.looked < open ? " of the \(oldest.looked) that were looked at" : ""
            findings.append(
                Finding(
                    .info, "oldest-saga",
                    "\(Self.counted(open, "open saga")); the oldest\(part) is '\(oldest.id)', since "
                        + age(oldest.startedAt),
                    remedy: "'skald show \(oldest.id)' tells what it waits for"))
        } else {
            findings.append(
                Finding(.ok, "oldest-saga", open == 0 ? "no saga is open" : Self.counted(open, "open saga")))
        }
        findings.append(
            stuck == 0
                ? Finding(.ok, "stuck", "no saga is stuck")
                : Finding(
                    .warning, "stuck", "\(stuck) saga\(stuck == 1 ? " is" : "s are") stuck",
                    remedy: "'skald list --status stuck' shows them; 'skald retry' or 'skald skip' goes on"))
        return findings
    }

    // MARK: Services

    /// From when on a command counts as one that nobody fetches, and one that nobody finishes.
    private static let fetchSpan: Milliseconds = 60_000
    private static let finishSpan: Milliseconds = 300_000

    private func commands(of service: NamespaceStatus.Service) -> [Finding] {
        let own = queues.filter { $0.service == service.name }
        var findings: [Finding] = []
        let unread = own.filter { $0.undelivered != nil && (!$0.hasGroup || $0.consumers == 0) }
        if !unread.isEmpty {
            findings.append(
                Finding(
                    .warning, "no-consumers",
                    "service '\(service.name)': nobody reads its commands in \(Self.counted(unread.count, "partition"))",
                    remedy: "start the service, with the name '\(service.name)' and this namespace"))
        }
        if let oldest = own.compactMap(\.undelivered).min(), now - oldest >= Self.fetchSpan {
            findings.append(
                Finding(
                    .warning, "undelivered",
                    "service '\(service.name)': its oldest unread command waits since \(age(oldest))",
                    remedy: "start the service, or more instances of it"))
        }
        if let oldest = own.compactMap(\.pending).min(), now - oldest >= Self.finishSpan {
            findings.append(
                Finding(
                    .warning, "pending",
                    "service '\(service.name)': its oldest unanswered command was sent \(age(oldest)) ago",
                    remedy: "look at the service's log; 'skald failing --service \(service.name)' shows the steps"))
        }
        for consumer in service.consumers where consumer.pending > 0 && consumer.idle >= Self.finishSpan {
            findings.append(
                Finding(
                    .warning, "orphaned",
                    "service '\(service.name)': consumer '\(consumer.name)' holds \(Self.counted(consumer.pending, "command")) and has "
                        + "not asked for more since \(Self.span(consumer.idle))",
                    remedy: "start it again under this name, or another instance, which claims them (XAUTOCLAIM)"))
        }
        guard findings.isEmpty else { return findings }
        return [
            Finding(
                .ok, "commands",
                "service '\(service.name)': \(service.queued) commands queued, \(service.pending) under way, "
                    + "\(service.consumers.count) consumers")
        ]
    }

    // MARK: Dead letters

    private var dead: [Finding] {
        let count = status.partitions.reduce(0) { $0 + $1.dead }
        guard count > 0 else { return [Finding(.ok, "dead-letters", "no dead letters")] }
        let newest = newestDead.map { ", the newest \(age($0.at)) ago: \($0.reason)" } ?? ""
        return [
            Finding(
                .warning, "dead-letters", Self.counted(count, "dead letter") + newest,
                remedy: "'skald dead list' shows them")
        ]
    }

    /// How long ago an instant was. It may be any: services write dead letters, and choose the ids of entries.
    private func age(_ instant: Milliseconds) -> String {
        let (age, overflow) = now.subtractingReportingOverflow(instant)
        return Self.span(overflow ? .max : age)
    }

    private static func counted(_ count: Int, _ what: String) -> String {
        "\(count) \(what)\(count == 1 ? "" : "s")"
    }

    /// To the second, from a second on.
    private static func span(_ span: Milliseconds) -> String {
        DurationText.format(span < 1_000 ? max(0, span) : span / 1_000 * 1_000)
    }
}
