public import SagaCore
public import SagaWire

/// One partition of the in-memory store: the rules of the scripts, on plain values.
public struct StoredPartition: Sendable {
    public struct Entry: Sendable {
        public var id: String
        public var fields: Fields
    }

    public struct Letter: Sendable {
        public var mark: DeadMark
        public var fields: Fields
    }

    public private(set) var inbox: [InboxStream: [Entry]] = [:]
    public var commands: [String: [Entry]] = [:]
    public private(set) var outcomes: [Entry] = []
    public private(set) var dead: [Letter] = []
    public internal(set) var logs: [String: [[UInt8]]] = [:]
    public internal(set) var open: [String: Milliseconds] = [:]
    public private(set) var ended: [String: Milliseconds] = [:]
    public private(set) var epoch: Int64 = 0
    public private(set) var era: Int64?
    public private(set) var positions = InboxPositions.beginning
    private var owner = ""
    private var holder = ""
    private var until: Milliseconds = 0
    private var lease: Milliseconds = 0
    private var renewals = 0
    private var sequence: Int64 = 0
    private var wasRewound = false
    private var verifiedEra: Int64 = 0
    private var clock: Milliseconds = 0
    private var server: String?
    private var lastID: Int64 = 0

    init() {}

    private mutating func tick(_ now: Milliseconds) -> Milliseconds {
        clock = max(clock, now)
        return clock
    }

    private mutating func nextID() -> String {
        lastID += 1
        return "\(lastID)-0"
    }

    mutating func append(_ fields: Fields, to stream: InboxStream) -> String {
        let id = nextID()
        inbox[stream, default: []].append(Entry(id: id, fields: fields))
        return id
    }

    // MARK: Ownership

    mutating func take(
        _ index: Int, as claim: Claim, stale: TakeOutcome.Holder?, now: Milliseconds, server: String
    ) -> TakeOutcome {
        let now = tick(now)
        let mark = "\(owner):\(epoch):\(renewals)"
        guard owner.isEmpty || owner == claim.previous || until <= now || stale?.mark == mark else {
            return .held(TakeOutcome.Holder(name: holder, lease: lease, mark: mark))
        }
        (owner, holder, lease, until) = (claim.owner, claim.name, claim.lease, now + claim.lease)
        epoch += 1
        renewals = 0
        let era = self.era ?? now
        if self.server == nil { (self.server, self.era, verifiedEra) = (server, era, era) }
        return .taken(
            PartitionState(
                fence: Fence(partition: index, owner: owner, epoch: epoch, sequence: sequence), positions: positions,
                era: era, wasRewound: wasRewound, mayBeRewound: self.server != server, verifiedEra: verifiedEra,
                now: now))
    }

    mutating func renew(as claim: Claim, now: Milliseconds, server: String) -> RenewOutcome {
        guard owner == claim.owner else { return .lost }
        until = tick(now) + claim.lease
        renewals += 1
        return .renewed(mayBeRewound: self.server != server)
    }

    mutating func release(as claim: Claim) {
        guard owner == claim.owner else { return }
        (owner, until) = ("", 0)
    }

    mutating func raise(_ fence: Fence, era: Int64, now: Milliseconds, server: String) -> CommitOutcome {
        guard isHeld(by: fence) else { return .fenced }
        guard sequence == fence.sequence, era > self.era ?? 0 else { return .outOfSequence }
        (self.era, wasRewound, self.server) = (era, true, server)
        return .committed(now: tick(now))
    }

    private func isHeld(by fence: Fence) -> Bool { owner == fence.owner && epoch == fence.epoch }

    // MARK: Reading

    func read(after cursor: InboxCursor, count: Int) -> [InboxBatch] {
        InboxStream.allCases.compactMap { stream in
            let position = Self.number(cursor.positions[stream])
            let entries = (inbox[stream] ?? []).filter { Self.number($0.id) > position }.prefix(count)
            guard !entries.isEmpty else { return nil }
            return InboxBatch(
                partition: cursor.partition, stream: stream,
                entries: entries.map { entry in
                    InboxEntry(
                        id: entry.id,
                        messages: entry.fields.withViews { InboxMessage.decode(entry: $0, of: stream) })
                })
        }
    }

    func due(by instant: Milliseconds, limit: Int) -> DueSagas {
        let alarms = open.filter { $0.value != .max }.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        let due = alarms.prefix { $0.value <= instant }.prefix(limit)
        return DueSagas(sagas: due.map(\.key), next: alarms.dropFirst(due.count).first?.value)
    }

    private static func number(_ id: String) -> Int64 {
        id.firstIndex(of: "-").flatMap { Int64(id[..<$0]) } ?? 0
    }

    // MARK: Writing

    mutating func apply(_ commit: PartitionCommit, now: Milliseconds) -> CommitOutcome {
        guard isHeld(by: commit.fence) else { return .fenced }
        guard commit.fence.sequence == sequence else { return .outOfSequence }
        guard commit.changes.allSatisfy({ logs[$0.saga, default: []].count == $0.firstIndex }) else {
            return .logMoved
        }
        for change in commit.changes {
            if !change.entries.isEmpty { logs[change.saga, default: []] += change.entries }
            switch change.alarm {
            case .keep: break
            case .at(let instant): open[change.saga] = instant
            case .never: open[change.saga] = .max
            case .gone: open[change.saga] = nil
            case .ended(let instant):
                open[change.saga] = nil
                ended[change.saga] = instant
            }
        }
        for command in commit.commands {
            commands[command.service, default: []].append(Entry(id: nextID(), fields: command.fields))
        }
        for fields in commit.outcomes { outcomes.append(Entry(id: nextID(), fields: fields)) }
        for mark in commit.dead {
            let entry = inbox[mark.stream]?.first { $0.id == mark.entry }
            dead.append(Letter(mark: mark, fields: entry?.fields ?? Fields()))
        }
        positions = commit.positions
        sequence += 1
        if let era = commit.verifiedEra { verifiedEra = era }
        return .committed(now: tick(now))
    }

    mutating func trim(_ fence: Fence, positions: InboxPositions, now: Milliseconds) -> CommitOutcome {
        guard isHeld(by: fence) else { return .fenced }
        for stream in InboxStream.allCases {
            inbox[stream]?.removeAll { Self.number($0.id) < Self.number(positions[stream]) }
        }
        return .committed(now: tick(now))
    }
}
