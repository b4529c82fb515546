import SagaCore
import SagaStore
import SagaWire

/// The store as one process sees it: with a network between, which delays, loses and breaks.
final class SimulatedStore: SagaStore {
    private let world: World
    private let node: Node

    init(_ world: World, _ node: Node) {
        self.world = world
        self.node = node
    }

    func open(partitions: Int?) async throws(StoreError) -> Int {
        try await Call(world, node, 20, "open").run { () async throws(StoreError) in
            try await world.memory.open(partitions: partitions)
        }
    }

    func definitions() async throws(StoreError) -> [[UInt8]] {
        try await Call(world, node, 21, "definitions").run { () async throws(StoreError) in
            try await world.memory.definitions()
        }
    }

    func register(id: String, canonical: [UInt8]) async throws(StoreError) -> Bool {
        try await Call(world, node, 22, "register").run { () async throws(StoreError) in
            try await world.memory.register(id: id, canonical: canonical)
        }
    }

    func secret(proposal: [UInt8]) async throws(StoreError) -> [UInt8] {
        try await Call(world, node, 23, "secret").run { () async throws(StoreError) in
            try await world.memory.secret(proposal: proposal)
        }
    }

    func beat(_ heartbeat: Heartbeat) async throws(StoreError) -> [Member] {
        try await Call(world, node, 24, "beat").run { () async throws(StoreError) in
            try await world.memory.beat(heartbeat)
        }
    }

    func session() -> any StoreSession { SimulatedSession(world, node) }
}

/// One call: its request's way, what the server does, its answer's way.
struct Call {
    private let world: World
    private let node: Node
    private let number: Int
    private let name: StaticString
    private let there: Milliseconds
    private let back: Milliseconds
    private let isRefused: Bool
    private let isAnswerLost: Bool
    /// Whether what was sent before the sender died arrives all the same.
    private let survives: Bool

    init(_ world: World, _ node: Node, _ number: Int, _ name: StaticString) {
        self.world = world
        self.node = node
        self.number = number
        self.name = name
        there = world.latency()
        back = world.latency()
        isRefused = world.chance(world.weather.refused)
        isAnswerLost = world.chance(world.weather.lostAnswers)
        survives = world.chance(0.5)
    }

    static let unreachable = StoreError(.unavailable, .notApplied, "the server is out of reach")
    static let lost = StoreError(.unavailable, .indeterminate, "the answer was lost")

    func run<Result>(_ body: () async throws(StoreError) -> Result) async throws(StoreError) -> Result {
        // A pause at least, so that nothing spins.
        guard !node.isDead else {
            await node.sleep(1)
            throw Self.unreachable
        }
        // The request is on its way, whatever becomes of its sender.
        await world.conductor.sleep(there)
        let failure = failure
        if let failure {
            await node.sleep(back)
            throw failure
        }
        do throws(StoreError) {
            let result = try await body()
            world.note(number, node.name, "\(name)")
            await node.sleep(back)
            if isAnswerLost || node.isDead {
                world.count { $0.lostAnswers += 1 }
                throw Self.lost
            }
            return result
        } catch {
            await node.thaw()
            throw error
        }
    }

    /// Executes without waiting, and reports when the answer has come.
    func send<Result>(
        at delay: Milliseconds, _ body: @escaping () -> Swift.Result<Result, StoreError>,
        _ answer: @escaping (Swift.Result<Result, StoreError>) -> Void
    ) {
        guard !node.isDead else {
            return world.conductor.after(1) { answer(.failure(Self.unreachable)) }
        }
        world.conductor.after(delay) {
            let result = failure.map { .failure($0) } ?? body()
            world.conductor.after(back) {
                if isAnswerLost, failure == nil {
                    world.count { $0.lostAnswers += 1 }
                    answer(.failure(Self.lost))
                } else {
                    answer(result)
                }
            }
        }
    }

    var latency: Milliseconds { there }

    /// Why the server does nothing; nil where it does.
    private var failure: StoreError? {
        if node.isDead, !survives { return Self.unreachable }
        return world.isDown || isRefused ? Self.unreachable : nil
    }
}
