public import SagaCore

/// A running orchestrator's sign of life, and what the others need to know to share the partitions with it.
public struct Heartbeat: Sendable, Hashable {
    public enum Phase: String, Sendable, Hashable {
        /// The process' first one: whoever had the same name before is forgotten, and remembered again if it still runs.
        case joining
        case present
        /// It hands its partitions over.
        case leaving
        /// The last one: it is forgotten.
        case gone
    }

    /// Random and new for each process.
    public var instance: String
    /// For people; several processes may have one name.
    public var name: String
    public var phase: Phase
    /// Time without a heartbeat after which it doesn't count any more.
    public var lease: Milliseconds
    /// How many partitions it holds.
    public var held: Int
    /// The partition that it is about to give up.
    public var offer: Int?

    public init(
        instance: String, name: String, phase: Phase = .present, lease: Milliseconds, held: Int = 0, offer: Int? = nil
    ) {
        self.instance = instance
        self.name = name
        self.phase = phase
        self.lease = lease
        self.held = held
        self.offer = offer
    }
}

/// An orchestrator that runs, as its last heartbeat told it.
public struct Member: Sendable, Hashable {
    public var heartbeat: Heartbeat
    /// Time since the heartbeat, by the store's clock.
    public var age: Milliseconds

    public var instance: String { heartbeat.instance }
    public var held: Int { heartbeat.held }
    /// Whether it will hold partitions.
    public var isStaying: Bool { heartbeat.phase == .joining || heartbeat.phase == .present }

    public init(_ heartbeat: Heartbeat, age: Milliseconds) {
        self.heartbeat = heartbeat
        self.age = age
    }
}

extension [Member] {
    /// How many partitions each of those that stay is to hold: as many as any other, or one more. Who holds the most
    /// already keeps what is left over, so that no partition moves for that.
    package func shares(of partitions: Int) -> [String: Int] {
        let staying = filter(\.isStaying).sorted { one, other in
            one.held != other.held ? one.held > other.held : one.instance < other.instance
        }
        guard !staying.isEmpty else { return [:] }
        let (share, rest) = partitions.quotientAndRemainder(dividingBy: staying.count)
        return Dictionary(
            staying.enumerated().map { place, member in (member.instance, place < rest ? share + 1 : share) },
            uniquingKeysWith: { first, _ in first })
    }
}

/// Who holds a partition, to somebody who might take it.
public enum Occupancy: Sendable, Hashable {
    case free
    case held(TakeOutcome.Holder)
    /// The lease has run out, by the store's clock.
    case expired(TakeOutcome.Holder)
}

/// Heartbeats in the in-memory store: the rules of the script, on plain values.
struct StoredMembers: Sendable {
    /// A member is forgotten after this many leases without a heartbeat; until then, people can see that it is gone.
    static let memory: Milliseconds = 20

    private var records: [String: (heartbeat: Heartbeat, at: Milliseconds)] = [:]

    mutating func beat(_ heartbeat: Heartbeat, at now: Milliseconds) -> [Member] {
        records = records.filter { instance, record in
            let age = now - record.at
            // One from the future was written before the clock fell back: its sender says so anew.
            guard age <= record.heartbeat.lease * Self.memory, -age <= record.heartbeat.lease else { return false }
            guard instance != heartbeat.instance else { return false }
            return !(heartbeat.phase == .joining && record.heartbeat.name == heartbeat.name)
        }
        if heartbeat.phase != .gone { records[heartbeat.instance] = (heartbeat, now) }
        return records.values.filter { now - $0.at <= $0.heartbeat.lease }
            .map { Member($0.heartbeat, age: Swift.max(0, now - $0.at)) }.sorted { $0.instance < $1.instance }
    }
}
