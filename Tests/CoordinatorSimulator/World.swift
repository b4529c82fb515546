package import SagaCore
import SagaStore
import SagaWire
import TestSupport

/// What everybody in a simulation shares: the store's server, the clock, chance, and the record of what happened.
///
/// Unchecked for the reason of ``Conductor``: one thread.
final class World: @unchecked Sendable {
    /// Where the store's clock begins.
    private static let epoch: Milliseconds = 1_700_000_000_000

    let conductor = Conductor()
    let memory: InMemoryStore
    let partitionCount: Int
    let safeguards: Safeguards
    let isTracing: Bool
    /// Whether the server has a replica, and can confirm what that has.
    let hasReplica: Bool
    var random: SeededRandom
    var weather: Weather
    private let clock: StoreClock
    private(set) var trace: [TraceLine] = []
    private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    private(set) var tally = Tally()
    /// The first rule that was seen broken on the way.
    private(set) var violation: Violation?
    /// Until when the server answers nobody.
    private(set) var downUntil: Milliseconds = 0
    /// Told when something was appended to a partition's inbox, or the connections ended.
    private var readers: [Reader] = []
    /// Told when a commit has brought commands.
    var deliver: ((_ service: String, _ partition: Int) -> Void)?
    var ownership: Ownership
    private var snapshots: [Snapshot] = []

    struct TraceLine {
        var at: Milliseconds
        var who: String
        var what: String
        /// Whether it belongs into every account of what happened.
        var isFault: Bool

        var text: String { "\(at) \(who): \(what)" }
    }

    /// Who may write, as the takings tell: what commits are compared with.
    struct Ownership {
        var owners: [String?]
        var sequences: [Int64]
    }

    private struct Snapshot {
        var at: Milliseconds
        var contents: InMemoryStore.Contents
        var ownership: Ownership
    }

    private struct Reader {
        let partitions: Set<Int>
        let wake: (_ isConnected: Bool) -> Void
    }

    /// The store asks for the time under its lock, so it cannot ask the world.
    private final class StoreClock: @unchecked Sendable {
        var offset: Milliseconds = 0
        let conductor: Conductor

        init(_ conductor: Conductor) { self.conductor = conductor }

        var now: Milliseconds { World.epoch + conductor.now + offset }
    }

    init(seed: UInt64, partitions: Int, weather: Weather, hasReplica: Bool, safeguards: Safeguards, isTracing: Bool) {
        random = SeededRandom(seed: seed ^ 0x5bd1_e995_9d1b_54a5)
        self.weather = weather
        self.safeguards = safeguards
        self.isTracing = isTracing
        self.hasReplica = hasReplica
        partitionCount = partitions
        let clock = StoreClock(conductor)
        self.clock = clock
        memory = InMemoryStore(partitions: partitions, safeguards: safeguards, clock: { clock.now })
        ownership = Ownership(
            owners: Array(repeating: nil, count: partitions), sequences: Array(repeating: 0, count: partitions))
    }

    var now: Milliseconds { conductor.now }
    var isDown: Bool { now < downUntil }
    var storeTime: Milliseconds { clock.now }
    /// A machine's clock that is not wrong.
    var wall: Milliseconds { Self.epoch + now }

    // MARK: Chance

    func chance(_ share: Double) -> Bool { share > 0 && random.chance(share) }

    func span(_ range: ClosedRange<Milliseconds>) -> Milliseconds { Milliseconds.random(in: range, using: &random) }

    /// A message's way through the network.
    func latency() -> Milliseconds {
        chance(weather.slowCalls) ? span(20...1_500) : span(1...4)
    }

    // MARK: The record

    func note(_ number: Int, _ who: @autoclosure () -> String, _ what: @autoclosure () -> String, isFault: Bool = false)
    {
        mix(UInt64(bitPattern: Int64(now)))
        mix(UInt64(bitPattern: Int64(number)))
        if isTracing { trace.append(TraceLine(at: now, who: who(), what: what(), isFault: isFault)) }
    }

    func mix(_ value: UInt64) { hash = (hash ^ value) &* 0x0000_0100_0000_01b3 }

    func mix(_ bytes: [UInt8]) { for byte in bytes { mix(UInt64(byte)) } }

    func report(_ rule: Violation.Rule, _ details: String, saga: String? = nil) {
        violation = violation ?? Violation(rule: rule, details: details, saga: saga)
    }

    func count(_ change: (inout Tally) -> Void) { change(&tally) }

    // MARK: The server

    /// Appends to an inbox stream, unless the server is away.
    @discardableResult
    func append(_ fields: Fields, to stream: InboxStream, of partition: Int) -> Bool {
        guard !isDown else { return false }
        memory.append(fields, to: stream, of: partition)
        let woken = readers.filter { $0.partitions.contains(partition) }
        readers.removeAll { $0.partitions.contains(partition) }
        for reader in woken { reader.wake(true) }
        return true
    }

    /// Returns when a partition's inbox has something new, or the time is over.
    ///
    /// - Returns: Whether the connection still stands.
    func awaitEntry(in partitions: Set<Int>, atMost span: Milliseconds) async -> Bool {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
            var isWaiting = true
            let wake = { (isConnected: Bool) in
                guard isWaiting else { return }
                isWaiting = false
                continuation.resume(returning: isConnected)
            }
            readers.append(Reader(partitions: partitions, wake: wake))
            conductor.after(span) { wake(true) }
        }
    }

    /// The server answers nobody for a while; connections end.
    func takeDown(for span: Milliseconds) {
        downUntil = max(downUntil, now + span)
        note(1, "server", "down for \(span) ms", isFault: true)
        let woken = readers
        readers = []
        for reader in woken { reader.wake(false) }
    }

    func jumpClock(by span: Milliseconds) {
        clock.offset += span
        note(2, "server", "clock jumps by \(span) ms", isFault: true)
    }

    func takeSnapshot() {
        if snapshots.count >= 24 { snapshots.removeFirst() }
        snapshots.append(Snapshot(at: now, contents: memory.snapshot(), ownership: ownership))
    }

    /// All that is stored is on a replica: no failover goes back behind it.
    func confirm() {
        snapshots.removeAll()
        takeSnapshot()
        note(4, "server", "confirms")
    }

    /// The server fails over to a replica that has not got the newest writes.
    func rewind() {
        guard !snapshots.isEmpty else { return }
        let index = Int.random(in: snapshots.indices, using: &random)
        let snapshot = snapshots[index]
        // What was written since is part of no history any more.
        snapshots.removeSubrange((index + 1)...)
        takeDown(for: span(10...800))
        memory.restore(snapshot.contents)
        ownership = snapshot.ownership
        count { $0.rewinds += 1 }
        note(3, "server", "back to its state of \(snapshot.at)", isFault: true)
    }

    func contents<Result: Sendable>(_ body: (InMemoryStore.Contents) -> Result) -> Result {
        memory.withContents { body($0) }
    }
}

/// A promise that was not kept.
package struct Violation: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Rule: String, Sendable, Hashable, CaseIterable {
        case wholeness = "a saga that ended did all of its steps or none"
        case oneEffect = "a step has at most one effect"
        case family = "a child saga ends as its parent does"
        case liveness = "everything ends when the faults have stopped"
        case known = "a saga whose start is repeated is known"
        case wellFormed = "a log can be replayed"
        case outcomes = "an end is told once"
        case trimmed = "what is applied is trimmed"
        case owned = "a partition has an owner"
        case fenced = "only the owner commits, and to the state that it knows"
        case readable = "no message of ours is refused"
    }

    package var rule: Rule
    package var details: String
    /// The saga that it is about.
    package var saga: String?

    init(rule: Rule, details: String, saga: String? = nil) {
        self.rule = rule
        self.details = details
        self.saga = saga
    }

    package var description: String { details.isEmpty ? rule.rawValue : "\(rule.rawValue): \(details)" }
}

/// What a number of simulations came to.
package struct Tally: Sendable, Hashable {
    package var simulations = 0
    package var sagas = 0
    package var completed = 0
    package var compensated = 0
    package var commits = 0
    package var commands = 0
    package var crashes = 0
    package var freezes = 0
    package var rewinds = 0
    package var lostAnswers = 0
    package var skips = 0
    /// Virtual time.
    package var milliseconds: Milliseconds = 0

    package init() {}

    package static func += (left: inout Tally, right: Tally) {
        left.simulations += right.simulations
        left.sagas += right.sagas
        left.completed += right.completed
        left.compensated += right.compensated
        left.commits += right.commits
        left.commands += right.commands
        left.crashes += right.crashes
        left.freezes += right.freezes
        left.rewinds += right.rewinds
        left.lostAnswers += right.lostAnswers
        left.skips += right.skips
        left.milliseconds += right.milliseconds
    }
}
