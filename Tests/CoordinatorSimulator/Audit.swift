import SagaCore
import SagaStore
import SagaWire

/// What must hold when everything has ended: the logs, the streams, and the services' books compared.
struct Audit {
    private let world: World
    private let cast: Cast
    private let people: People
    private let services: Services

    init(_ world: World, _ cast: Cast, _ people: People, _ services: Services) {
        self.world = world
        self.cast = cast
        self.people = people
        self.services = services
    }

    func complainOfOpen(held: Set<Int>) {
        for (index, partition) in world.memory.snapshot().partitions.enumerated() {
            for id in partition.open.keys.sorted() {
                let saga = people.saga(id, in: index)
                let states = saga?.steps.map { "\($0.action.status)/\($0.compensation.status)" } ?? []
                return world.report(
                    .liveness,
                    "\(id) in partition \(index) is \(saga.map { "\($0.status)" } ?? "?"), verifying \(saga?.isVerifying ?? false), alarm \(partition.open[id] ?? 0), now \(world.storeTime), \(states)",
                    saga: id)
            }
        }
        for role in cast.roles where people.saga(role.saga, in: role.partition) == nil {
            return world.report(.known, "\(role.saga) is unknown", saga: role.saga)
        }
        for (index, partition) in world.memory.snapshot().partitions.enumerated() {
            if !held.contains(index) { return world.report(.owned, "partition \(index) is nobody's") }
            if let stream = partition.untrimmed {
                return world.report(.trimmed, "entries of \(stream) are left in partition \(index)")
            }
        }
        world.report(.liveness, "\(services.underWay) commands or replies are on their way for ever")
    }

    func run() {
        for role in cast.roles {
            guard let saga = people.saga(role.saga, in: role.partition) else {
                world.report(.known, "\(role.saga) is unknown", saga: role.saga)
                continue
            }
            world.count { tally in
                tally.sagas += 1
                tally.completed += saga.status == .completed ? 1 : 0
                tally.compensated += saga.status == .compensated ? 1 : 0
            }
            check(saga, in: role.partition)
        }
        for partition in world.memory.snapshot().partitions {
            checkOutcomes(partition)
        }
    }

    /// The logs go into the hash, byte for byte.
    func mixContents() {
        for partition in world.memory.snapshot().partitions {
            for id in partition.logs.keys.sorted() { for entry in partition.logs[id] ?? [] { world.mix(entry) } }
        }
    }

    // MARK: Sagas

    private func check(_ saga: Saga, in partition: Int) {
        guard saga.status.isFinal else {
            return world.report(.liveness, "\(saga.id) is \(saga.status)", saga: saga.id)
        }
        for (index, step) in saga.definition.steps.enumerated() {
            if step.isChild { checkChild(index, of: saga, partition) }
            guard step.service != nil else { continue }
            let items: [Int?] = step.forEach == nil ? [nil] : Array(0..<5)
            for item in items { checkEffects(index, item, of: saga) }
        }
    }

    private func checkEffects(_ index: Int, _ item: Int?, of saga: Saga) {
        guard let expected = expectedEffects(index, item, of: saga) else { return }
        let name = saga.definition.steps[index].name
        let branch = "\(saga.id)/\(name)\(item.map { "#\($0)" } ?? "")"
        let effects = services.effects[branch] ?? 0
        guard effects != expected else { return }
        world.report(
            .wholeness, "\(saga.id) is \(saga.status), and \(branch) has \(effects) effects", saga: saga.id)
    }

    /// How many effects a branch has at the end; nil where its books can say either.
    private func expectedEffects(_ index: Int, _ item: Int?, of saga: Saga) -> Int? {
        let (step, whole) = (saga.definition.steps[index], saga.steps[index])
        let isThere = item.map(whole.items.indices.contains) ?? true
        let part: any TwoPhased = isThere ? item.map { whole.items[$0] } ?? whole : whole
        let isMeddled = people.meddled.contains(String(saga.id.prefix { $0 != "/" }))
        if saga.status == .completed {
            // What an operator declared done may have been done or not.
            if whole.action.status == .skipped || part.action.status == .skipped { return nil }
            if whole.action.status != .omitted, isThere { return 1 }
            // Another way, decided by an operator, may be in what was lost.
            return saga.compensatesAll && isMeddled ? nil : 0
        }
        if index == saga.definition.pivot || step.isAfterPivot {
            // That the pivot took effect can be in what was lost, unless the server confirms that nothing is.
            return saga.compensatesAll && !world.hasReplica ? nil : 0
        }
        // What cannot be undone stays as it was.
        if step.compensation == nil || whole.compensation.status == .skipped { return nil }
        if part.compensation.status == .skipped { return nil }
        return isThere || !isMeddled ? 0 : nil
    }

    private func checkChild(_ index: Int, of parent: Saga, _ partition: Int) {
        let child = people.saga(parent.childID(of: index), in: partition)
        let (action, compensation) = (parent.steps[index].action.status, parent.steps[index].compensation.status)
        guard let child else {
            if parent.status == .completed, action == .succeeded {
                world.report(.family, "\(parent.id) is completed without \(parent.childID(of: index))", saga: parent.id)
            }
            return
        }
        check(child, in: partition)
        guard child.status != parent.status, action != .skipped, compensation != .skipped else { return }
        world.report(.family, "\(parent.id) is \(parent.status), \(child.id) \(child.status)", saga: parent.id)
    }

    // MARK: Streams

    private func checkOutcomes(_ partition: StoredPartition) {
        var last: [String: OutcomeEntry.Status] = [:]
        for entry in partition.outcomes.entries {
            guard case .end(let end) = entry.fields.withViews({ Outcome.decode($0) }), end.status != .stuck else {
                continue
            }
            if end.status == .refused || last[end.saga] == end.status {
                world.report(.outcomes, "\(end.saga) is told to be \(end.status)", saga: end.saga)
            }
            last[end.saga] = end.status
        }
        for role in cast.roles where partition.logs[role.saga] != nil && last[role.saga] == nil {
            world.report(.outcomes, "the end of \(role.saga) is not told", saga: role.saga)
        }
    }
}

extension StoredPartition {
    /// A stream of which more is left than the last entry that was applied; nil where there is none.
    var untrimmed: String? {
        for stream in InboxStream.inbox where self.stream(stream)?.entries.count ?? 0 > 1 { return stream.name }
        return commands.keys.sorted().first { !(commands[$0]?.entries.isEmpty ?? true) }.map { "cmd:\($0)" }
    }
}
