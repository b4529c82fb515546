import SagaCore
import SagaStore
import SagaWire

/// A session over the simulated network.
///
/// Unchecked for the reason of ``Conductor``: one thread.
final class SimulatedSession: StoreSession, @unchecked Sendable {
    private let world: World
    private let node: Node
    private let inner: any StoreSession
    /// When the last submitted commit is executed: those of one session keep their order.
    private var lastExecution: Milliseconds = 0

    init(_ world: World, _ node: Node) {
        self.world = world
        self.node = node
        inner = world.memory.session()
    }

    func take(
        _ partition: Int, as claim: Claim, stale: TakeOutcome.Holder?
    ) async throws(StoreError) -> TakeOutcome {
        try await Call(world, node, 30, "take").run { () async throws(StoreError) in
            let outcome = try await inner.take(partition, as: claim, stale: stale)
            if case .taken(let state) = outcome {
                world.ownership.owners[partition] = claim.owner
                world.note(31, node.name, "takes partition \(partition), epoch \(state.fence.epoch) era \(state.era)")
            }
            return outcome
        }
    }

    func look(at partition: Int) async throws(StoreError) -> Occupancy {
        try await Call(world, node, 46, "look").run { () async throws(StoreError) in
            try await inner.look(at: partition)
        }
    }

    func memory() async throws(StoreError) -> StoreMemory {
        try await Call(world, node, 47, "memory").run { () async throws(StoreError) in try await inner.memory() }
    }

    func announce(_ overload: Overload?, validity: Milliseconds) async throws(StoreError) {
        try await Call(world, node, 48, "announce").run { () async throws(StoreError) in
            try await inner.announce(overload, validity: validity)
        }
    }

    func removeConsumers(
        _ fence: Fence, services: [String], idle: Milliseconds, limit: Int
    ) async throws(StoreError) -> CommitOutcome {
        try await Call(world, node, 49, "removeConsumers").run { () async throws(StoreError) in
            try await inner.removeConsumers(fence, services: services, idle: idle, limit: limit)
        }
    }

    func renew(_ partition: Int, as claim: Claim) async throws(StoreError) -> RenewOutcome {
        try await Call(world, node, 32, "renew").run { () async throws(StoreError) in
            try await inner.renew(partition, as: claim)
        }
    }

    func release(_ partition: Int, as claim: Claim) async throws(StoreError) {
        try await Call(world, node, 33, "release").run { () async throws(StoreError) in
            try await inner.release(partition, as: claim)
        }
    }

    func raise(_ fence: Fence, era: Int64) async throws(StoreError) -> CommitOutcome {
        try await Call(world, node, 34, "raise").run { () async throws(StoreError) in
            let outcome = try await inner.raise(fence, era: era)
            world.note(35, node.name, "raises era of partition \(fence.partition) to \(era): \(outcome)")
            return outcome
        }
    }

    func read(
        _ cursors: [InboxCursor], count: Int, block: Milliseconds
    ) async throws(StoreError) -> [InboxBatch] {
        try await Call(world, node, 36, "read").run { () async throws(StoreError) in
            let batches = try await inner.read(cursors, count: count, block: 0)
            guard batches.isEmpty, block > 0 else { return batches }
            guard await world.awaitEntry(in: Set(cursors.map(\.partition)), atMost: block) else {
                throw Call.unreachable
            }
            return try await inner.read(cursors, count: count, block: 0)
        }
    }

    func load(_ sagas: [String], of partition: Int) async throws(StoreError) -> [[[UInt8]]] {
        try await Call(world, node, 37, "load").run { () async throws(StoreError) in
            try await inner.load(sagas, of: partition)
        }
    }

    func due(_ partition: Int, by instant: Milliseconds, limit: Int) async throws(StoreError) -> DueSagas {
        try await Call(world, node, 38, "due").run { () async throws(StoreError) in
            try await inner.due(partition, by: instant, limit: limit)
        }
    }

    func openSagas(_ partition: Int, after cursor: String) async throws(StoreError) -> (sagas: [String], next: String) {
        try await Call(world, node, 39, "openSagas").run { () async throws(StoreError) in
            try await inner.openSagas(partition, after: cursor)
        }
    }

    func definitionCount() async throws(StoreError) -> Int {
        try await Call(world, node, 40, "definitionCount").run { () async throws(StoreError) in
            try await inner.definitionCount()
        }
    }

    func submit(_ commit: PartitionCommit) -> any PendingCommit {
        let call = Call(world, node, 41, "commit")
        let pending = PendingAnswer<CommitResult>(node)
        let delay = max(lastExecution - world.now, call.latency)
        lastExecution = world.now + delay
        call.send(at: delay) { [self] in
            execute(commit)
        } _: {
            pending.resolve($0)
        }
        return pending
    }

    private func execute(_ commit: PartitionCommit) -> Result<CommitResult, StoreError> {
        let result = world.memory.commit(commit)
        let partition = commit.fence.partition
        if world.isTracing {
            let sagas = commit.changes.map { "\($0.saga)+\($0.entries.count)" }.joined(separator: " ")
            let commands = commit.commands.count
            world.note(
                42, node.name,
                "commit \(commit.fence.sequence) of partition \(partition): \(result) \(sagas), \(commands) commands")
        } else {
            world.note(42, "", "")
        }
        guard case .success(let committed) = result, case .committed = committed.outcome else { return result }
        world.mix(UInt64(commit.changes.count))
        world.count { $0.commits += 1 }
        if world.ownership.owners[partition] != commit.fence.owner {
            world.report(.fenced, "\(node.name) commits to partition \(partition), which is not its own")
        }
        if world.ownership.sequences[partition] != commit.fence.sequence {
            world.report(.fenced, "\(node.name) commits to partition \(partition) out of sequence")
        }
        world.ownership.sequences[partition] += 1
        for service in Set(commit.commands.map(\.service)).sorted() { world.deliver?(service, partition) }
        return result
    }

    func confirmationMeans(replicas: Int) async throws(StoreError) -> ConfirmationMeans {
        try await Call(world, node, 50, "confirmationMeans").run { () async throws(StoreError) in
            world.hasReplica ? .replicas(replicas) : .none("it is simulated without")
        }
    }

    func confirm(
        _ partitions: [Int], by means: ConfirmationMeans, timeout: Milliseconds
    ) -> any PendingConfirmation {
        let call = Call(world, node, 51, "confirm")
        let pending = PendingAnswer<Set<Int>>(node)
        let delay = max(lastExecution - world.now, call.latency)
        lastExecution = world.now + delay
        // A replica that lags behind.
        if world.chance(world.weather.slowCalls) {
            world.conductor.after(max(timeout, delay)) { pending.resolve(.success([])) }
        } else {
            call.send(at: delay) { [world] in
                world.confirm()
                return .success(Set(partitions))
            } _: {
                pending.resolve($0)
            }
        }
        return pending
    }

    func trim(
        _ fence: Fence, services: [String], topics: [TrimmedTopic], outcomesBefore: Milliseconds,
        eventsBefore: Milliseconds
    ) async throws(StoreError) -> CommitOutcome {
        try await Call(world, node, 43, "trim").run { () async throws(StoreError) in
            try await inner.trim(
                fence, services: services, topics: topics, outcomesBefore: outcomesBefore, eventsBefore: eventsBefore)
        }
    }

    func expired(_ partition: Int, by instant: Milliseconds, limit: Int) async throws(StoreError) -> ExpiredSagas {
        try await Call(world, node, 44, "expired").run { () async throws(StoreError) in
            try await inner.expired(partition, by: instant, limit: limit)
        }
    }

    func retire(_ fence: Fence, _ retirements: [Retirement]) async throws(StoreError) -> CommitOutcome {
        try await Call(world, node, 45, "retire").run { () async throws(StoreError) in
            try await inner.retire(fence, retirements)
        }
    }

    func close() async {}
}

/// A commit or a confirmation under way.
///
/// Unchecked for the reason of ``Conductor``: one thread.
private final class PendingAnswer<Answer: Sendable>: @unchecked Sendable {
    private let node: Node
    private var settled: Result<Answer, StoreError>?
    private var waiting: UnsafeContinuation<Void, Never>?

    init(_ node: Node) { self.node = node }

    func resolve(_ result: Result<Answer, StoreError>) {
        settled = result
        waiting?.resume()
        waiting = nil
    }

    func answer() async throws(StoreError) -> Answer {
        if settled == nil { await withUnsafeContinuation { waiting = $0 } }
        await node.thaw()
        guard let settled else { throw Call.lost }
        return try settled.get()
    }
}

extension PendingAnswer: PendingCommit where Answer == CommitResult {
    func result() async throws(StoreError) -> CommitResult { try await answer() }
}

extension PendingAnswer: PendingConfirmation where Answer == Set<Int> {
    func outcome() async throws(StoreError) -> Set<Int> { try await answer() }
}
