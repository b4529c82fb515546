import SagaCore
public import SagaStore
import Synchronization

/// A store whose user can be frozen, as a stopped process or a cut-off machine is: nothing goes out and nothing comes in
/// until it thaws. What it was about to do it then does.
public final class FreezableStore: SagaStore {
    private let store: any SagaStore
    private let gate = Gate()

    public init(_ store: any SagaStore) {
        self.store = store
    }

    public func freeze() { gate.close() }
    public func thaw() { gate.open() }

    public func open(partitions: Int?) async throws(StoreError) -> Int {
        try await gate.around { () async throws(StoreError) in try await store.open(partitions: partitions) }
    }

    public func definitions() async throws(StoreError) -> [[UInt8]] {
        try await gate.around { () async throws(StoreError) in try await store.definitions() }
    }

    public func register(id: String, canonical: [UInt8]) async throws(StoreError) -> Bool {
        try await gate.around { () async throws(StoreError) in try await store.register(id: id, canonical: canonical) }
    }

    public func secret(proposal: [UInt8]) async throws(StoreError) -> [UInt8] {
        try await gate.around { () async throws(StoreError) in try await store.secret(proposal: proposal) }
    }

    public func beat(_ heartbeat: Heartbeat) async throws(StoreError) -> [Member] {
        try await gate.around { () async throws(StoreError) in try await store.beat(heartbeat) }
    }

    public func session() -> any StoreSession { Session(session: store.session(), gate: gate) }

    private struct Session: StoreSession {
        let session: any StoreSession
        let gate: Gate

        func take(
            _ partition: Int, as claim: Claim, stale: TakeOutcome.Holder?
        ) async throws(StoreError) -> TakeOutcome {
            try await gate.around { () async throws(StoreError) in
                try await session.take(partition, as: claim, stale: stale)
            }
        }

        func look(at partition: Int) async throws(StoreError) -> Occupancy {
            try await gate.around { () async throws(StoreError) in try await session.look(at: partition) }
        }

        func renew(_ partition: Int, as claim: Claim) async throws(StoreError) -> RenewOutcome {
            try await gate.around { () async throws(StoreError) in try await session.renew(partition, as: claim) }
        }

        func release(_ partition: Int, as claim: Claim) async throws(StoreError) {
            try await gate.around { () async throws(StoreError) in try await session.release(partition, as: claim) }
        }

        func raise(_ fence: Fence, era: Int64) async throws(StoreError) -> CommitOutcome {
            try await gate.around { () async throws(StoreError) in try await session.raise(fence, era: era) }
        }

        func read(
            _ cursors: [InboxCursor], count: Int, block: Milliseconds
        ) async throws(StoreError) -> [InboxBatch] {
            try await gate.around { () async throws(StoreError) in
                try await session.read(cursors, count: count, block: block)
            }
        }

        func load(_ sagas: [String], of partition: Int) async throws(StoreError) -> [[[UInt8]]] {
            try await gate.around { () async throws(StoreError) in try await session.load(sagas, of: partition) }
        }

        func due(_ partition: Int, by instant: Milliseconds, limit: Int) async throws(StoreError) -> DueSagas {
            try await gate.around { () async throws(StoreError) in
                try await session.due(partition, by: instant, limit: limit)
            }
        }

        func openSagas(
            _ partition: Int, after cursor: String
        ) async throws(StoreError) -> (sagas: [String], next: String) {
            try await gate.around { () async throws(StoreError) in
                try await session.openSagas(partition, after: cursor)
            }
        }

        func definitionCount() async throws(StoreError) -> Int {
            try await gate.around { () async throws(StoreError) in try await session.definitionCount() }
        }

        func submit(_ commit: PartitionCommit) -> any PendingCommit {
            let isClosed = gate.isClosed
            return Pending(
                session: session, gate: gate, commit: commit, submitted: isClosed ? nil : session.submit(commit))
        }

        func confirmationMeans(replicas: Int) async throws(StoreError) -> ConfirmationMeans {
            try await gate.around { () async throws(StoreError) in
                try await session.confirmationMeans(replicas: replicas)
            }
        }

        func confirm(
            _ partitions: [Int], by means: ConfirmationMeans, timeout: Milliseconds
        ) -> any PendingConfirmation {
            PendingAnswer(
                session: session, gate: gate, partitions: partitions, means: means, timeout: timeout,
                submitted: gate.isClosed ? nil : session.confirm(partitions, by: means, timeout: timeout))
        }

        func trim(
            _ fence: Fence, services: [String], topics: [TrimmedTopic], outcomesBefore: Milliseconds,
            eventsBefore: Milliseconds
        ) async throws(StoreError) -> CommitOutcome {
            try await gate.around { () async throws(StoreError) in
                try await session.trim(
                    fence, services: services, topics: topics, outcomesBefore: outcomesBefore,
                    eventsBefore: eventsBefore)
            }
        }

        func memory() async throws(StoreError) -> StoreMemory {
            try await gate.around { () async throws(StoreError) in try await session.memory() }
        }

        func announce(_ overload: Overload?, validity: Milliseconds) async throws(StoreError) {
            try await gate.around { () async throws(StoreError) in
                try await session.announce(overload, validity: validity)
            }
        }

        func removeConsumers(
            _ fence: Fence, services: [String], idle: Milliseconds, limit: Int
        ) async throws(StoreError) -> CommitOutcome {
            try await gate.around { () async throws(StoreError) in
                try await session.removeConsumers(fence, services: services, idle: idle, limit: limit)
            }
        }

        func expired(
            _ partition: Int, by instant: Milliseconds, limit: Int
        ) async throws(StoreError) -> ExpiredSagas {
            try await gate.around { () async throws(StoreError) in
                try await session.expired(partition, by: instant, limit: limit)
            }
        }

        func retire(_ fence: Fence, _ retirements: [Retirement]) async throws(StoreError) -> CommitOutcome {
            try await gate.around { () async throws(StoreError) in try await session.retire(fence, retirements) }
        }

        func close() async { await session.close() }
    }

    private struct Pending: PendingCommit {
        let session: any StoreSession
        let gate: Gate
        let commit: PartitionCommit
        /// Nil where the commit was to be sent while its sender was frozen: it goes out late.
        let submitted: (any PendingCommit)?

        func result() async throws(StoreError) -> CommitResult {
            try await gate.around { () async throws(StoreError) in
                try await (submitted ?? session.submit(commit)).result()
            }
        }
    }
}

/// A confirmation that is asked for, or awaited, by somebody who may be frozen.
private struct PendingAnswer: PendingConfirmation {
    let session: any StoreSession
    let gate: Gate
    let partitions: [Int]
    let means: ConfirmationMeans
    let timeout: Milliseconds
    let submitted: (any PendingConfirmation)?

    func outcome() async throws(StoreError) -> Set<Int> {
        try await gate.around { () async throws(StoreError) in
            try await (submitted ?? session.confirm(partitions, by: means, timeout: timeout)).outcome()
        }
    }
}

/// Lets calls through, or makes them wait.
private final class Gate: Sendable {
    private struct State {
        var isClosed = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func close() { state.withLock { $0.isClosed = true } }

    func open() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isClosed = false
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Calls when open, and returns when open.
    func around<Result>(_ body: () async throws(StoreError) -> Result) async throws(StoreError) -> Result {
        await pass()
        do throws(StoreError) {
            let result = try await body()
            await pass()
            return result
        } catch {
            await pass()
            throw error
        }
    }

    private func pass() async {
        await withCheckedContinuation { continuation in
            let mayPass = state.withLock { state in
                if state.isClosed { state.waiting.append(continuation) }
                return !state.isClosed
            }
            if mayPass { continuation.resume() }
        }
    }
}
