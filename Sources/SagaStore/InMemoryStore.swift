public import SagaCore
public import SagaWire
import Synchronization

/// The reference model of a store: the same promises as the Redis store, in one process's memory.
///
/// For tests and simulations, which need what a real server makes hard: a clock of their own, histories that are rewound
/// (``snapshot()``, ``restore(_:)``), and commits whose answer is lost (``setFault(_:)``).
public final class InMemoryStore: SagaStore {
    /// Everything that is stored; a value, so a snapshot is a copy.
    public struct Contents: Sendable {
        public var partitions: [StoredPartition]
        public var definitions: [String: [UInt8]] = [:]
        var secret: [UInt8]?
        var members = StoredMembers()
    }

    /// What to do to a commit.
    public enum Fault: Sendable {
        case none
        /// Refuse it; nothing is applied.
        case refuse(StoreError)
        /// Apply it, and lose the answer.
        case loseAnswer
    }

    private let contents: Mutex<Contents>
    /// What a confirmation comes to.
    public enum Confirming: Sendable, Hashable {
        /// As on a server with replicas that are in step.
        case prompt
        /// As on one whose replicas don't answer.
        case lagging
        /// As on one without replicas that doesn't sync its file at each write.
        case impossible
    }

    private let identity = Mutex("server-1")
    private let confirming = Mutex(Confirming.prompt)
    private let fault = Mutex<@Sendable (PartitionCommit) -> Fault>({ _ in .none })
    private let memory = Mutex(StoreMemory(used: 0, limit: 0))
    private let announced = Mutex<Overload?>(nil)
    private let clock: @Sendable () -> Milliseconds

    public convenience init(partitions: Int = 16, clock: @escaping @Sendable () -> Milliseconds) {
        self.init(partitions: partitions, safeguards: .all, clock: clock)
    }

    package init(partitions: Int, safeguards: Safeguards, clock: @escaping @Sendable () -> Milliseconds) {
        precondition(partitions > 0, "a store has at least one partition, not \(partitions)")
        let partition = StoredPartition(at: clock(), on: identity.withLock { $0 }, safeguards: safeguards)
        contents = Mutex(Contents(partitions: Array(repeating: partition, count: partitions)))
        self.clock = clock
    }

    // MARK: For tests

    public func snapshot() -> Contents { contents.withLock { $0 } }

    /// Brings an earlier state back, as a restart from an older file does: with another server identity.
    public func restore(_ snapshot: Contents) {
        contents.withLock { $0 = snapshot }
        identity.withLock { $0 += "'" }
    }

    /// Says what confirmations come to from now on; they are prompt at first.
    public func setConfirming(_ confirming: Confirming) { self.confirming.withLock { $0 = confirming } }

    public func setFault(_ fault: @escaping @Sendable (PartitionCommit) -> Fault) {
        self.fault.withLock { $0 = fault }
    }

    /// How much of its memory the store says is used. It is full where that is all of it.
    public func setMemory(_ memory: StoreMemory) { self.memory.withLock { $0 = memory } }

    /// What starters were told last.
    public var announcedOverload: Overload? { announced.withLock { $0 } }

    /// Appends a message to an inbox stream, as a starter, a participant or an operator does, or an event to a topic.
    @discardableResult
    public func append(_ fields: Fields, to stream: InboxStream, of partition: Int) -> String {
        let now = clock()
        return contents.withLock { "\($0.partitions[partition].append(fields, to: stream, at: now))" }
    }

    /// Takes a service's oldest commands off their stream, as a participant does.
    public func takeCommands(of service: String, in partition: Int, limit: Int = .max) -> [Fields] {
        contents.withLock { contents in
            let taken = contents.partitions[partition].commands[service]?.takeFirst(limit) ?? []
            return taken.map(\.fields)
        }
    }

    /// Reads and changes what is stored.
    public func withContents<Result>(_ body: (inout Contents) -> Result) -> Result where Result: Sendable {
        contents.withLock { body(&$0) }
    }

    // MARK: SagaStore

    public func open(partitions: Int?) async throws(StoreError) -> Int {
        let stored = contents.withLock { $0.partitions.count }
        guard partitions == nil || partitions == stored else {
            throw StoreError(.refused, .notApplied, "the namespace has \(stored) partitions, not \(partitions ?? 0)")
        }
        return stored
    }

    public func definitions() async throws(StoreError) -> [[UInt8]] {
        contents.withLock { Array($0.definitions.values) }
    }

    public func register(id: String, canonical: [UInt8]) async throws(StoreError) -> Bool {
        contents.withLock { contents in
            let stored = contents.definitions[id] ?? canonical
            contents.definitions[id] = stored
            return stored == canonical
        }
    }

    public func secret(proposal: [UInt8]) async throws(StoreError) -> [UInt8] {
        let secret = contents.withLock { contents in
            let secret = contents.secret ?? proposal
            contents.secret = secret
            return secret
        }
        guard secret.count >= 16 else { throw StoreError(.corrupt, .notApplied, "the secret is too short") }
        return secret
    }

    public func beat(_ heartbeat: Heartbeat) async throws(StoreError) -> [Member] {
        let now = clock()
        return contents.withLock { $0.members.beat(heartbeat, at: now) }
    }

    public func session() -> any StoreSession { Session(store: self) }

    fileprivate func commit(_ commit: PartitionCommit) -> Result<CommitResult, StoreError> {
        let fault = fault.withLock { $0 }(commit)
        if case .refuse(let error) = fault { return .failure(error) }
        let memory = memory.withLock { $0 }
        if commit.startsSagas, memory.limit > 0, memory.used >= memory.limit {
            return .failure(StoreError(.full, .notApplied, "the store is full"))
        }
        let now = clock()
        let outcome = contents.withLock { $0.partitions[commit.fence.partition].apply(commit, now: now) }
        if case .loseAnswer = fault {
            return .failure(StoreError(.unavailable, .indeterminate, "the answer was lost"))
        }
        return .success(outcome)
    }

    /// A session of the in-memory store; all of them see the same contents at once.
    private struct Session: StoreSession {
        let store: InMemoryStore

        func take(
            _ partition: Int, as claim: Claim, stale: TakeOutcome.Holder?
        ) async throws(StoreError) -> TakeOutcome {
            let (now, server) = (store.clock(), store.identity.withLock { $0 })
            return store.contents.withLock {
                $0.partitions[partition].take(partition, as: claim, stale: stale, now: now, server: server)
            }
        }

        func look(at partition: Int) async throws(StoreError) -> Occupancy {
            let now = store.clock()
            return store.contents.withLock { $0.partitions[partition].look(now: now) }
        }

        func renew(_ partition: Int, as claim: Claim) async throws(StoreError) -> RenewOutcome {
            let (now, server) = (store.clock(), store.identity.withLock { $0 })
            return store.contents.withLock { $0.partitions[partition].renew(as: claim, now: now, server: server) }
        }

        func release(_ partition: Int, as claim: Claim) async throws(StoreError) {
            store.contents.withLock { $0.partitions[partition].release(as: claim) }
        }

        func raise(_ fence: Fence, era: Int64) async throws(StoreError) -> CommitOutcome {
            let (now, server) = (store.clock(), store.identity.withLock { $0 })
            return store.contents.withLock {
                $0.partitions[fence.partition].raise(fence, era: era, now: now, server: server)
            }
        }

        func read(
            _ cursors: [InboxCursor], count: Int, block: Milliseconds
        ) async throws(StoreError) -> [InboxBatch] {
            let end = ContinuousClock.now + .milliseconds(block)
            while true {
                let batches = store.contents.withLock { contents in
                    let inbox = InboxStream.inbox.flatMap { stream in
                        cursors.filter { $0.inbox.contains(stream) }.compactMap {
                            contents.partitions[$0.partition].read(stream, after: $0, count: count)
                        }
                    }
                    let events = cursors.flatMap { cursor in
                        cursor.topics.compactMap { topic in
                            contents.partitions[cursor.partition].read(.event(topic), after: cursor, count: count)
                        }
                    }
                    return inbox + events
                }
                if !batches.isEmpty || cursors.isEmpty || ContinuousClock.now >= end { return batches }
                do {
                    try await Task.sleep(for: .milliseconds(1))
                } catch {
                    return []
                }
            }
        }

        func load(_ sagas: [String], of partition: Int) async throws(StoreError) -> [[[UInt8]]] {
            let now = store.clock()
            return store.contents.withLock { contents in
                contents.partitions[partition].dropExpiredLogs(now)
                return sagas.map { contents.partitions[partition].logs[$0] ?? [] }
            }
        }

        func due(_ partition: Int, by instant: Milliseconds, limit: Int) async throws(StoreError) -> DueSagas {
            store.contents.withLock { $0.partitions[partition].due(by: instant, limit: limit) }
        }

        func openSagas(
            _ partition: Int, after cursor: String
        ) async throws(StoreError) -> (sagas: [String], next: String) {
            store.contents.withLock { $0.partitions[partition].openSagas(after: cursor) }
        }

        func memory() async throws(StoreError) -> StoreMemory { store.memory.withLock { $0 } }

        func announce(_ overload: Overload?, validity: Milliseconds) async throws(StoreError) {
            store.announced.withLock { $0 = overload }
        }

        func definitionCount() async throws(StoreError) -> Int {
            store.contents.withLock { $0.definitions.count }
        }

        func submit(_ commit: PartitionCommit) -> any PendingCommit {
            Settled(settled: store.commit(commit))
        }

        func confirmationMeans(replicas: Int) async throws(StoreError) -> ConfirmationMeans {
            store.confirming.withLock { $0 } == .impossible ? .none("the store keeps nothing") : .replicas(replicas)
        }

        func confirm(
            _ partitions: [Int], by means: ConfirmationMeans, timeout: Milliseconds
        ) -> any PendingConfirmation {
            Confirmed(
                partitions: store.confirming.withLock { $0 } == .prompt ? Set(partitions) : [], timeout: timeout)
        }

        func trim(
            _ fence: Fence, services: [String], topics: [TrimmedTopic], outcomesBefore: Milliseconds,
            eventsBefore: Milliseconds
        ) async throws(StoreError) -> CommitOutcome {
            let now = store.clock()
            return store.contents.withLock {
                $0.partitions[fence.partition].trim(
                    fence, topics: topics, outcomesBefore: outcomesBefore, eventsBefore: eventsBefore, now: now)
            }
        }

        /// Its participants are no consumers: what they take is theirs.
        func removeConsumers(
            _ fence: Fence, services: [String], idle: Milliseconds, limit: Int
        ) async throws(StoreError) -> CommitOutcome {
            let now = store.clock()
            return store.contents.withLock { contents in
                let partition = contents.partitions[fence.partition]
                return partition.isHeld(by: fence) ? .committed(now: partition.present(now)) : .fenced
            }
        }

        func expired(
            _ partition: Int, by instant: Milliseconds, limit: Int
        ) async throws(StoreError) -> ExpiredSagas {
            store.contents.withLock { $0.partitions[partition].expired(by: instant, limit: limit) }
        }

        func retire(_ fence: Fence, _ retirements: [Retirement]) async throws(StoreError) -> CommitOutcome {
            let now = store.clock()
            return store.contents.withLock { $0.partitions[fence.partition].retire(fence, retirements, now: now) }
        }

        func close() async {}
    }

    private struct Confirmed: PendingConfirmation {
        let partitions: Set<Int>
        let timeout: Milliseconds

        func outcome() async throws(StoreError) -> Set<Int> {
            // Cancelled: there is nothing left to wait for.
            if partitions.isEmpty { try? await Task.sleep(for: .milliseconds(timeout)) }
            return partitions
        }
    }

    private struct Settled: PendingCommit {
        let settled: Result<CommitResult, StoreError>

        func result() async throws(StoreError) -> CommitResult { try settled.get() }
    }
}
