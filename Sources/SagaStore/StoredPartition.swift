public import SagaCore
public import SagaWire

/// One partition of the in-memory store: the rules of the scripts, on plain values.
public struct StoredPartition: Sendable {
    public internal(set) var inbox: [InboxStream: StoredStream] = [:]
    /// Commands that no participant has taken. What is taken is gone: a participant of the in-memory store doesn't die.
    public internal(set) var commands: [String: StoredStream] = [:]
    /// By topic. The in-memory store has no other readers than the coordinator.
    public internal(set) var events: [String: StoredStream] = [:]
    public internal(set) var outcomes = StoredStream()
    public internal(set) var dead = StoredStream()
    public package(set) var logs: [String: [[UInt8]]] = [:]
    /// Sagas that are not ended by their alarm; `.max` where none rings.
    public package(set) var open: [String: Milliseconds] = [:]
    /// Ended sagas by the instant of their removal.
    public package(set) var ended: [String: Milliseconds] = [:]
    /// Sagas by the instant of their start; an index without sagas is none.
    public internal(set) var indexes: [SagaIndex: [String: Milliseconds]] = [:]
    /// When a log goes by itself: tombstones do.
    public internal(set) var expiries: [String: Milliseconds] = [:]
    public private(set) var epoch: Int64 = 0
    public private(set) var era: Int64
    public internal(set) var positions = InboxPositions.beginning
    private var owner = ""
    private var holder = ""
    private var instance = ""
    private var until: Milliseconds = 0
    private var lease: Milliseconds = 0
    private var renewals = 0
    var sequence: Int64 = 0
    private var wasRewound = false
    var verifiedEra: Int64
    private var clock: Milliseconds
    /// The server on which the partition's history began.
    private var server: String
    let safeguards: Safeguards

    init(at now: Milliseconds, on server: String, safeguards: Safeguards) {
        (era, verifiedEra, clock) = (now, now, now)
        self.server = server
        self.safeguards = safeguards
    }

    /// The partition's clock, which never runs backwards.
    func present(_ now: Milliseconds) -> Milliseconds { max(clock, now) }

    /// Moves the partition's clock on.
    mutating func tick(_ now: Milliseconds) -> Milliseconds {
        clock = present(now)
        return clock
    }

    // MARK: Ownership

    mutating func take(
        _ index: Int, as claim: Claim, stale: TakeOutcome.Holder?, now: Milliseconds, server: String
    ) -> TakeOutcome {
        let now = present(now)
        let seen = sight
        guard owner.isEmpty || owner == claim.previous || until <= now || stale?.mark == seen.mark else {
            return .held(seen)
        }
        (owner, holder, instance) = (claim.owner, claim.name, claim.instance)
        (lease, until) = (claim.lease, tick(now) + claim.lease)
        epoch += 1
        renewals = 0
        return .taken(
            PartitionState(
                fence: Fence(partition: index, owner: owner, epoch: epoch, sequence: sequence), positions: positions,
                era: era, wasRewound: wasRewound, mayBeRewound: self.server != server, verifiedEra: verifiedEra,
                now: now))
    }

    /// Who holds it, as others see it.
    private var sight: TakeOutcome.Holder {
        TakeOutcome.Holder(name: holder, instance: instance, lease: lease, mark: "\(owner):\(epoch):\(renewals)")
    }

    func look(now: Milliseconds) -> Occupancy {
        guard !owner.isEmpty else { return .free }
        return until <= present(now) ? .expired(sight) : .held(sight)
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
        guard sequence == fence.sequence, era > self.era else { return .outOfSequence }
        (self.era, wasRewound, self.server) = (era, true, server)
        return .committed(now: tick(now))
    }

    func isHeld(by fence: Fence) -> Bool {
        owner == fence.owner && epoch == fence.epoch || !safeguards.contains(.epochChecked)
    }

    // MARK: Reading

    /// A stream that the owner reads by position; nil where nothing was ever written to it.
    public func stream(_ stream: InboxStream) -> StoredStream? {
        if case .event(let topic) = stream { events[topic] } else { inbox[stream] }
    }

    /// Appends an entry, as somebody outside does.
    mutating func append(_ fields: Fields, to stream: InboxStream, at now: Milliseconds) -> StoredStream.ID {
        guard case .event(let topic) = stream else {
            return inbox[stream, default: StoredStream()].append(fields, at: now)
        }
        return events[topic, default: StoredStream()].append(fields, at: now)
    }

    func read(_ stream: InboxStream, after cursor: InboxCursor, count: Int) -> InboxBatch? {
        guard let position = StoredStream.ID(cursor.positions[stream]),
            let entries = self.stream(stream)?.read(after: position, count: count), !entries.isEmpty
        else { return nil }
        return InboxBatch(
            partition: cursor.partition, stream: stream,
            entries: entries.map { entry in
                InboxEntry(
                    id: "\(entry.id)", messages: entry.fields.withViews { InboxMessage.decode(entry: $0, of: stream) })
            })
    }

    /// A page of the open sagas, as large as those that a server gives.
    func openSagas(after cursor: String) -> (sagas: [String], next: String) {
        let rest = open.keys.filter { "\(Self.mark)\($0)" > cursor }.sorted()
        let page = rest.prefix(256)
        return (Array(page), page.count < rest.count ? page.last.map { "\(Self.mark)\($0)" } ?? "0" : "0")
    }

    /// Begins each cursor but the first, which comes before all of them.
    private static let mark = ":"

    func due(by instant: Milliseconds, limit: Int) -> DueSagas {
        let alarms = open.filter { $0.value != .max }.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        let due = alarms.prefix { $0.value <= instant }.prefix(limit)
        return DueSagas(sagas: due.map(\.key), next: alarms.dropFirst(due.count).first?.value)
    }
}
