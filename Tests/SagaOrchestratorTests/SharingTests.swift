import SagaCore
import SagaOrchestrator
import SagaRedis
import SagaStore
import SagaTesting
import SagaWire
import Synchronization
import Testing

/// Orchestrators that come and go while sagas run.
@Suite("Sharing the partitions")
struct SharingTests {
    /// What was delivered to services.
    private final class Deliveries: Sendable {
        private struct State {
            var counts: [String: Int] = [:]
            var attempts: Set<Int> = []
            /// Eras by partition.
            var eras: [Int: Set<Int64>] = [:]
        }

        private let state = Mutex(State())

        func note(_ command: Command, in partition: Int) {
            state.withLock { state in
                state.counts[command.key, default: 0] += 1
                state.attempts.insert(command.attempt)
                state.eras[partition, default: []].insert(command.era)
            }
        }

        var counts: [String: Int] { state.withLock { $0.counts } }
        var attempts: Set<Int> { state.withLock { $0.attempts } }
        var eras: [Int: Set<Int64>] { state.withLock { $0.eras } }
    }

    /// An orchestrator of its own.
    private struct Running {
        let orchestrator: Orchestrator
        let task: Task<Void, any Error>

        init(_ name: String, on store: any SagaStore) {
            // The lease of real ones: how soon others notice is measured.
            let orchestrator = Orchestrator(
                store: store, options: OrchestratorOptions(name: name), logger: quietLogger)
            self.orchestrator = orchestrator
            task = Task { try await orchestrator.run() }
        }

        var count: Int { orchestrator.heldPartitions.count }

        func leave() async throws {
            task.cancel()
            try await task.value
        }
    }

    /// Told to tasks that must not be cut off in the middle of a call.
    private final class Flag: Sendable {
        private let state = Mutex(false)

        var isSet: Bool { state.withLock { $0 } }
        func set() { state.withLock { $0 = true } }
    }

    /// How long partitions were seen without owner.
    private final class Gaps: Sendable {
        private let gaps = Mutex<[Duration]>([])

        var all: [Duration] { gaps.withLock { $0.sorted() } }

        func watch(_ namespace: any TestNamespace, until end: Flag) async throws {
            let session = namespace.store.session()
            var since: [Int: ContinuousClock.Instant] = [:]
            // Nobody has owned them yet.
            var owned: Set<Int> = []
            while !end.isSet {
                for partition in 0..<namespace.keys.partitions {
                    let isFree = try await session.look(at: partition) == .free
                    if !isFree {
                        owned.insert(partition)
                        guard let began = since.removeValue(forKey: partition) else { continue }
                        gaps.withLock { $0.append(.now - began) }
                    } else if owned.contains(partition), since[partition] == nil {
                        since[partition] = .now
                    }
                }
                try await Task.sleep(for: .milliseconds(1))
            }
            await session.close()
        }
    }

    @Test(arguments: StoreKind.allCases)
    func joinsAndLeavesMoveOnePartitionAfterTheOtherAndNothingIsDoneTwice(on kind: StoreKind) async throws {
        try await withNamespace(on: kind, partitions: 8) { namespace in
            let scenario = Scenario(namespace)
            try await scenario.register(orderDraft(timeout: 60_000))
            let (deliveries, gaps) = (Deliveries(), Gaps())
            scenario.participants.setPlan { command in
                deliveries.note(command, in: scenario.partition(of: command.saga))
                return Behaviour()
            }
            let participants = Task {
                await scenario.participants.run(
                    services: ["create", "reserve", "charge"].map { "\($0)-service" }, on: namespace)
            }
            let (isOver, isEnough) = (Flag(), Flag())
            let watching = Task { try await gaps.watch(namespace, until: isOver) }
            let pump = Task {
                var count = 0
                while !isEnough.isSet {
                    try await scenario.start("s\(count)")
                    count += 1
                    try await Task.sleep(for: .milliseconds(3))
                }
                return count
            }
            let one = Running("o1", on: namespace.store)
            try await eventually("one has all") { one.count == 8 }
            let two = Running("o2", on: namespace.store)
            try await eventually("two have as many") { one.count == 4 && two.count == 4 }
            let three = Running("o3", on: namespace.store)
            try await eventually("three have as many") {
                [one.count, two.count, three.count].sorted() == [2, 3, 3]
            }
            try await one.leave()
            #expect(one.count == 0)
            try await eventually("the two that stay have as many") { two.count == 4 && three.count == 4 }
            isEnough.set()
            let sagas = (0..<(try await pump.value)).map { "s\($0)" }
            try await eventually("all sagas end") { try await scenario.endedCount() == sagas.count }
            try await two.leave()
            isOver.set()
            try await watching.value
            try await three.leave()
            participants.cancel()
            await participants.value

            #expect(sagas.count > 20)
            #expect(try await scenario.audit(sagas) == [])
            #expect(deliveries.counts.count == sagas.count * 3)
            #expect(deliveries.counts.values.allSatisfy { $0 == 1 })
            #expect(deliveries.attempts == [1])
            #expect(deliveries.eras.count == 8 && deliveries.eras.values.allSatisfy { $0.count == 1 })
            #expect([one, two, three].allSatisfy { $0.orchestrator.counts.fenced == 0 })
            #expect([one, two, three].reduce(0) { $0 + $1.orchestrator.counts.ended } == sagas.count)
            // 4 to the second, 2 to the third, 3 of the first, 4 of the second: what is looked for at random can be missed.
            let all = gaps.all
            print("\(kind): without owner for \(all)")
            #expect(all.count >= 4)
            // A tenth of a second by design, where others look each 50 ms and nobody else needs the machine.
            #expect(all[all.count / 2] < .milliseconds(300))
            #expect(try #require(all.last) < .milliseconds(1_500))
        }
    }

    /// A clock that jumps has every lease run out, and every heartbeat grow old, at once.
    @Test(arguments: [7_200_000, -7_200_000] as [Milliseconds])
    func aClockThatJumpsMovesNothing(by jump: Milliseconds) async throws {
        let offset = Mutex<Milliseconds>(0)
        let beginning = ContinuousClock.now
        let store = InMemoryStore(partitions: 6) {
            let (seconds, attoseconds) = (ContinuousClock.now - beginning).components
            return 1_700_000_000_000 + seconds * 1_000 + attoseconds / 1_000_000_000_000_000 + offset.withLock { $0 }
        }
        let members = ["a", "b", "c"].map { Running($0, on: store) }
        try await eventually("all have as many") { members.allSatisfy { $0.count == 2 } }
        let held = members.map(\.orchestrator.heldPartitions)
        let epochs = store.snapshot().partitions.map(\.epoch)
        offset.withLock { $0 = jump }
        // Two rounds and more, in which each of them finds every lease of the others run out.
        try await Task.sleep(for: .milliseconds(2_000))
        #expect(members.map(\.orchestrator.heldPartitions) == held)
        #expect(store.snapshot().partitions.map(\.epoch) == epochs)
        for member in members { try await member.leave() }
    }

    @Test func twoOfOneNameShareAsAnyTwo() async throws {
        let store = InMemoryNamespace(partitions: 4).store
        let (one, two) = (Running("same", on: store), Running("same", on: store))
        try await eventually("both have as many") { one.count == 2 && two.count == 2 }
        try await one.leave()
        try await eventually("the other has all") { two.count == 4 }
        try await two.leave()
    }
}
