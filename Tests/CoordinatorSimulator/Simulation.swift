package import SagaCore
import SagaOrchestrator
import SagaStore
import SagaWire
import TestSupport

/// One coordinator and all around it, as a seed makes them: real orchestrators on a simulated store, in one thread.
///
/// Faults come and go for a while, as the seed's weather has it; then they stop, and everything must end.
package final class Simulation {
    /// What a simulation came to.
    package struct Result {
        package var tally: Tally
        package var violation: Violation?
        /// Of everything that happened and of all that is stored at the end.
        package var hash: UInt64
        package var trace: [String]
        /// The part of it that is about the faults and the violation's family of sagas.
        package var account: [String]
    }

    /// How long faults last, and how long what they left may take to end.
    private static let faultTime: Milliseconds = 15_000
    private static let patience: Milliseconds = 600_000

    package let seed: UInt64
    private let world: World
    private let cast: Cast
    private let people: People
    private let services: Services
    private var nodes: [Node] = []
    private var options: OrchestratorOptions
    private var isFaulty = true
    private var nextLook: Milliseconds = 0
    /// Processes that are to start again.
    private var restarting = 0

    /// - Parameters:
    ///   - safeguards: All rules, but where a simulation is to show what one is good for.
    package init(
        seed: UInt64, sagas: Int = 20, safeguards: Safeguards = .all, isTracing: Bool = false
    ) throws(DefinitionFaults) {
        self.seed = seed
        var random = SeededRandom(seed: seed)
        let partitions = Int.random(in: 1...4, using: &random)
        let weather = Weather(&random)
        world = World(
            seed: seed, partitions: partitions, weather: weather, hasReplica: random.chance(0.4),
            safeguards: safeguards, isTracing: isTracing)
        cast = try Cast(seed: seed, sagas: sagas, partitions: partitions)
        people = People(world, cast)
        services = Services(world, results: cast.results)
        options = Self.options(&random)
        for (id, definition) in cast.definitions.sorted(by: { $0.key < $1.key }) {
            world.memory.withContents { $0.definitions[id] = definition.canonicalJSON }
        }
        world.deliver = { [services] service, partition in services.fetch(service, in: partition) }
        let count = Int.random(in: 2...3, using: &random)
        for index in 0..<count { addNode("o\(index)", skew: Int64.random(in: -3_600_000...3_600_000, using: &random)) }
    }

    private static func options(_ random: inout SeededRandom) -> OrchestratorOptions {
        var options = OrchestratorOptions(name: "")
        options.lease = random.pick([500, 1_500, 3_000])
        options.lanes = random.pick([1, 2])
        options.block = random.pick([100, 500])
        options.readCount = random.pick([2, 16, 256])
        options.cachedSagas = random.pick([2, 50_000])
        options.alarmCount = random.pick([2, 256])
        options.commitEntries = random.pick([4, 16_384])
        options.trimInterval = random.pick([400, 2_000])
        return options
    }

    private func addNode(_ name: String, skew: Milliseconds) {
        let node = Node(name, skew: skew, in: world)
        nodes.append(node)
        node.start(options)
    }

    /// The definitions that a saga's family runs by, as canonical JSON.
    package func definitions(of saga: String) -> [String] {
        guard let first = cast.roles.first(where: { $0.saga == saga.prefix { $0 != "/" } })?.definition else {
            return []
        }
        var (family, next) = ([first], [first])
        while let definition = next.popLast() {
            for case .child(let name, _) in definition.steps.map(\.kind)
            where !family.contains(where: { $0.name == name }) {
                guard let child = cast.definitions[name] else { continue }
                family.append(child)
                next.append(child)
            }
        }
        return family.map { String(decoding: $0.canonicalJSON, as: UTF8.self) }
    }

    // MARK: The run

    /// Runs to the end, on the calling thread.
    package func run() -> Result {
        scheduleStarts()
        scheduleFaults()
        scheduleSignals()
        let conductor = world.conductor
        _ = conductor.run(until: Self.faultTime) { self.world.violation != nil }
        if world.violation == nil { settle() }
        stop()
        world.count { tally in
            tally.simulations = 1
            tally.milliseconds = conductor.now
        }
        return Result(
            tally: world.tally, violation: world.violation, hash: world.hash,
            trace: world.trace.map(\.text), account: account())
    }

    private func settle() {
        calm()
        let start = world.now
        let isDone = world.conductor.run(until: start + Self.patience) { [self] in
            if world.violation != nil { return true }
            guard world.now >= nextLook else { return false }
            nextLook = world.now + 200
            return isAtRest
        }
        guard world.violation == nil else { return }
        let audit = Audit(world, cast, people, services)
        if !isDone { audit.complainOfOpen(held: held) }
        if world.violation == nil { audit.run() }
        audit.mixContents()
    }

    /// Nothing is open, nothing is on its way, all streams are trimmed, and each partition has an owner.
    private var isAtRest: Bool {
        services.underWay == 0 && restarting == 0 && people.haveAllStarted && held.count == world.partitionCount
            && world.contents { contents in
                contents.partitions.allSatisfy { $0.open.isEmpty && $0.untrimmed == nil }
            }
    }

    private var held: Set<Int> {
        Set(nodes.filter { !$0.isDead }.flatMap { $0.orchestrator?.heldPartitions ?? [] })
    }

    private func stop() {
        for node in nodes where !node.isDead { node.stop() }
        // What is left ends by itself: tasks that were never resumed would stay in memory.
        _ = world.conductor.run(until: world.now + 120_000) { [nodes] in nodes.allSatisfy { !$0.isRunning } }
        for node in nodes where node.isRunning { world.report(.liveness, "\(node.name) does not stop") }
        world.conductor.discardTimers()
        world.deliver = nil
    }

    private func account() -> [String] {
        let saga = world.violation?.saga?.prefix { $0 != "/" }
        return world.trace.filter { line in
            guard let saga else { return true }
            return line.isFault || line.what.contains("\(saga)/") || line.what.contains("\(saga) ")
                || line.what.contains("\(saga)+") || line.what.contains("takes partition")
        }.map(\.text)
    }

    // MARK: What happens

    private func scheduleStarts() {
        for index in cast.roles.indices {
            world.conductor.after(world.span(0...(Self.faultTime * 6 / 10))) { [people] in people.start(index) }
        }
    }

    private func scheduleSignals() {
        world.conductor.after(isFaulty ? 2_000 : 1_000) { [self] in
            people.signal(share: isFaulty ? 0.4 : 1)
            if !isFaulty { people.help() }
            scheduleSignals()
        }
    }

    private func scheduleFaults() {
        let weather = world.weather
        repeated(weather.crashes) { [self] in crash() }
        repeated(weather.freezes) { [self] in
            guard let node = living.randomElement(using: &world.random) else { return }
            node.freeze(for: world.span(100...(3 * options.lease)))
        }
        repeated(weather.stalls) { [self] in
            services.stall(world.random.pick(cast.services), for: world.span(500...8_000))
        }
        repeated(weather.outages) { [self] in world.takeDown(for: world.span(50...3_000)) }
        repeated(weather.clockJumps) { [self] in world.jumpClock(by: world.span(-20_000...20_000)) }
        repeated(weather.orders) { [people] in people.meddle() }
        guard weather.rewinds > 0 else { return }
        repeated(400) { [self] in world.takeSnapshot() }
        for _ in 0..<weather.rewinds {
            world.conductor.after(world.span(1_500...(Self.faultTime - 500))) { [self] in rewind() }
        }
    }

    private var living: [Node] { nodes.filter { !$0.isDead } }

    /// Calls again and again while faults last, at random intervals of this mean.
    private func repeated(_ mean: Milliseconds?, _ body: @escaping () -> Void) {
        guard let mean else { return }
        world.conductor.after(world.span(mean / 4...(mean * 7 / 4))) { [self] in
            guard isFaulty else { return }
            body()
            repeated(mean, body)
        }
    }

    private func crash() {
        guard let node = living.randomElement(using: &world.random) else { return }
        node.crash()
        let place = nodes.count
        restarting += 1
        world.conductor.after(world.span(100...3_000)) { [self] in
            restarting -= 1
            addNode("\(node.name.prefix { $0 != "." }).\(place)", skew: node.skew)
        }
    }

    private func rewind() {
        world.rewind()
        people.lookAgain()
        // What the services have not taken, they find again.
        for service in cast.services {
            for partition in 0..<world.partitionCount { services.fetch(service, in: partition) }
        }
    }

    /// The faults stop.
    private func calm() {
        isFaulty = false
        world.weather = Weather()
        world.note(70, "simulation", "faults stop", isFault: true)
    }
}
