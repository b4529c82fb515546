import SagaCore
import SagaStore
import SagaWire
import TestSupport

/// Who starts sagas, sends them signals, and gives orders.
final class People {
    private let world: World
    private let cast: Cast
    /// Sagas whose first start was sent.
    private var begun: Set<Int> = []
    /// Sagas (by the first of their family) that an operator or chance could turn another way when they are played again.
    private(set) var meddled: Set<String> = []
    /// What was retried once, and waits for a skip: `SAGA/STEP/PHASE`, with when.
    private var retried: [String: Milliseconds] = [:]
    private var orderCount = 0

    init(_ world: World, _ cast: Cast) {
        self.world = world
        self.cast = cast
    }

    // MARK: Starters

    /// Starts a saga, and again until it is known.
    func start(_ index: Int) {
        begun.insert(index)
        let role = cast.roles[index]
        guard !isKnown(role) else { return }
        let message = StartMessage(saga: role.saga, definition: role.definition.name, input: role.input)
        if !world.chance(world.weather.lostStarts) {
            let count = world.chance(world.weather.doubledStarts) ? 2 : 1
            for _ in 0..<count { send(message.fields, to: .intake, of: role.partition) }
            world.note(60, "starter", "starts \(role.saga)")
        }
        world.conductor.after(world.span(500...2_000)) { [self] in start(index) }
    }

    /// After the store went back: what was known may be unknown.
    func lookAgain() {
        for index in begun.sorted() { world.conductor.after(world.span(100...1_000)) { [self] in start(index) } }
    }

    var haveAllStarted: Bool { begun.count == cast.roles.count && cast.roles.allSatisfy(isKnown) }

    private func isKnown(_ role: Cast.Role) -> Bool {
        !world.isDown && world.contents { $0.partitions[role.partition].logs[role.saga] != nil }
    }

    private func send(_ fields: Fields, to stream: InboxStream, of partition: Int) {
        world.conductor.after(world.latency()) { [self] in world.append(fields, to: stream, of: partition) }
    }

    // MARK: Signals

    /// Sends every open saga what it may wait for; each signal has an id of its own, so that a repetition is none.
    func signal(share: Double) {
        for (saga, partition) in openSagas() {
            guard let definition = cast.definition(of: saga) else { continue }
            var counts: [String: Int] = [:]
            for step in definition.steps {
                guard case .signal(let name) = step.kind else { continue }
                counts[name, default: 0] += 1
                guard world.chance(share) else { continue }
                let id = "\(name)-\(counts[name] ?? 0)"
                let message = SignalMessage(saga: saga, name: name, payload: Array(#"{"a":1}"#.utf8), id: id)
                send(message.fields, to: .intake, of: partition)
            }
        }
    }

    private func openSagas() -> [(saga: String, partition: Int)] {
        world.contents { contents in
            contents.partitions.indices.flatMap { index in
                contents.partitions[index].open.keys.sorted().map { ($0, index) }
            }
        }
    }

    // MARK: Operators

    /// An order that nobody had to give.
    func meddle() {
        let open = openSagas()
        guard !open.isEmpty else { return }
        let (saga, partition) = world.random.pick(open)
        var operations: [Order.Operation] = [.cancel, .pause, .resume, .retry]
        if world.weather.hasSkips { operations.append(.skip) }
        let operation = world.random.pick(operations)
        let step = cast.definition(of: saga).map { definition in world.random.pick(definition.steps).name }
        order(operation, saga, partition, step: operation == .skip ? step : nil)
    }

    private func order(_ operation: Order.Operation, _ saga: String, _ partition: Int, step: String? = nil) {
        orderCount += 1
        if operation == .skip { world.count { $0.skips += 1 } }
        meddled.insert(String(saga.prefix { $0 != "/" }))
        world.note(61, "operator", "\(operation) \(saga) \(step ?? "")")
        let message = ControlMessage(
            saga: saga, operation: operation, step: step, reason: "simulated", by: "ann", id: "o\(orderCount)")
        send(message.fields, to: .control, of: partition)
    }

    /// Does what the open sagas need, when the faults have stopped: everything once more, and what is refused after that
    /// is declared done.
    func help() {
        for (id, partition) in openSagas() {
            guard let saga = saga(id, in: partition) else { continue }
            if saga.isPaused {
                order(.resume, id, partition)
            } else if saga.status == .stuck, !saga.isVerifying {
                unstick(saga, partition)
            }
        }
    }

    private func unstick(_ saga: Saga, _ partition: Int) {
        let phase: Phase = saga.isCompensating ? .compensation : .action
        let stuck = saga.steps.indices.filter { saga.steps[$0][phase].status == .stuck }
            .map { saga.definition.steps[$0].name }
        func key(_ step: String) -> String { "\(saga.id)/\(step)/\(phase.rawValue)" }
        if let hopeless = stuck.first(where: { retried[key($0)].map { world.now - $0 > 6_000 } ?? false }) {
            return order(.skip, saga.id, partition, step: hopeless)
        }
        let fresh = stuck.filter { retried[key($0)] == nil }
        for step in fresh { retried[key(step)] = world.now }
        if !fresh.isEmpty { order(.retry, saga.id, partition) }
    }

    func saga(_ id: String, in partition: Int) -> Saga? {
        let log = world.contents { $0.partitions[partition].logs[id] ?? [] }
        do throws(LogFault) {
            let replayed = try SagaLog.replay(log, of: id, safeguards: world.safeguards) { name, _ in
                cast.definitions[name]
            }
            guard case .saga(let saga) = replayed else { return nil }
            return saga
        } catch {
            world.report(.wellFormed, "\(id): \(error)", saga: id)
            return nil
        }
    }
}
