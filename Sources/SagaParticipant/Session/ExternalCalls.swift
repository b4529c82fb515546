import SagaRedis
import SagaWire
import Synchronization

/// The commands whose handlers work outside of the barrier's transaction: they take their time, side by side, while the
/// session reads on.
final class ExternalCalls: Sendable {
    struct Work: Sendable {
        var id: EntryID
        var command: Command
        var keys: KeySpace
        /// Whether it may be what kills its consumer.
        var isSuspect = false
    }

    private struct State {
        /// Entries in hand: not to be begun again when they are read again.
        var entries: Set<EntryID> = []
        var suspects: Set<EntryID> = []
        /// Commands that wait for the one before them with the same key.
        var waiting: [String: [Work]] = [:]
        /// Partitions of which an answer was lost.
        var unanswered: Set<Int> = []
        var roomWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let concurrency: Int
    private let state = Mutex(State())
    private let queue: AsyncStream<Work>
    private let continuation: AsyncStream<Work>.Continuation

    init(concurrency: Int) {
        self.concurrency = concurrency
        // Bounded by what a session hands over before it waits for room: one read's worth beyond the concurrency, of each
        // session.
        (queue, continuation) = AsyncStream.makeStream()
    }

    /// Takes a command, unless it is in hand already.
    func submit(_ work: Work) {
        let isFirst = state.withLock { state in
            guard state.entries.insert(work.id).inserted else { return false }
            if work.isSuspect { state.suspects.insert(work.id) }
            if state.waiting[work.command.key] != nil {
                state.waiting[work.command.key]?.append(work)
                return false
            }
            state.waiting[work.command.key] = []
            return true
        }
        if isFirst { continuation.yield(work) }
    }

    func contains(_ id: EntryID) -> Bool {
        state.withLock { $0.entries.contains(id) }
    }

    /// Whether one of those in hand may be what kills its consumer.
    var hasSuspect: Bool { state.withLock { !$0.suspects.isEmpty } }

    /// Returns when another call can begin.
    func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let hasRoom = state.withLock { state in
                if state.entries.count < concurrency { return true }
                state.roomWaiters.append(continuation)
                return false
            }
            if hasRoom { continuation.resume() }
        }
    }

    /// Marks that an answer was lost, so that its command has to be read again.
    func needRecovery(of partition: Int) {
        state.withLock { _ = $0.unanswered.insert(partition) }
    }

    /// Whether an answer of one of the partitions was lost since this was last asked.
    func takeRecoveryNeeded(of partitions: [Int]) -> Bool {
        state.withLock { state in
            guard !state.unanswered.isDisjoint(with: partitions) else { return false }
            state.unanswered.subtract(partitions)
            return true
        }
    }

    /// Takes no more commands; ``run(_:)`` returns when those in hand are done.
    func finish() {
        continuation.finish()
    }

    /// Performs commands, several at once, and those of one key one after the other.
    func run(_ perform: @escaping @Sendable (Work) async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await work in queue {
                if running >= concurrency {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask {
                    var next: Work? = work
                    while let work = next {
                        await perform(work)
                        next = self.done(work)
                    }
                }
            }
        }
    }

    /// Lets go of a command, and returns the next one of its key.
    private func done(_ work: Work) -> Work? {
        let (next, waiters) = state.withLock { state -> (Work?, [CheckedContinuation<Void, Never>]) in
            state.entries.remove(work.id)
            state.suspects.remove(work.id)
            var next: Work?
            if let first = state.waiting[work.command.key]?.first {
                state.waiting[work.command.key]?.removeFirst()
                next = first
            } else {
                state.waiting[work.command.key] = nil
            }
            guard state.entries.count < concurrency else { return (next, []) }
            defer { state.roomWaiters = [] }
            return (next, state.roomWaiters)
        }
        for waiter in waiters { waiter.resume() }
        return next
    }
}
