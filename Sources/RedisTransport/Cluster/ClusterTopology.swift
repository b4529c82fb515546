import Logging
import NIOCore
import Synchronization

/// What is known of a cluster, for all routers of one user.
///
/// The map is asked for when it is first needed, after every sign that it is out of date (at most ten times a second), and
/// once a second anyway, so that a master that was frozen while another took its place is left.
final class ClusterTopology: Sendable {
    typealias Slot = OneShot<Result<SlotMap, RedisError>>
    /// Told of the nodes that serve slots no more.
    typealias Observer = @Sendable (_ gone: Set<RedisNode>) -> Void

    private static let interval = TimeAmount.seconds(1)
    private static let shortestInterval = TimeAmount.milliseconds(100)
    /// Maps with a lower epoch that are taken for outdated before the cluster is taken for a new one.
    private static let mostOutdated = 10

    private struct State {
        var map: SlotMap?
        var waiters: [Slot] = []
        var isFetching = false
        var lastFetch: NIODeadline?
        var outdated = 0
        var observers: [Int: Observer] = [:]
        var nextObserver = 0
        var isReportedLost = false
    }

    let endpoint: RedisEndpoint
    let seeds: [RedisNode]
    let options: ConnectionOptions
    let eventLoop: any EventLoop
    private let logger: Logger
    private let state = Mutex(State())

    init(
        _ endpoint: RedisEndpoint, seeds: [RedisNode], options: ConnectionOptions, on eventLoop: any EventLoop,
        logger: Logger
    ) {
        self.endpoint = endpoint
        self.seeds = seeds
        self.options = options
        self.eventLoop = eventLoop
        self.logger = logger
    }

    /// The map as far as it is known.
    var current: SlotMap? { state.withLock { $0.map } }

    /// The map, which is asked for where there is none yet.
    func map() async throws(RedisError) -> SlotMap {
        if let map = current { return map }
        let slot = Slot()
        state.withLock { $0.waiters.append(slot) }
        fetch(atOnce: true)
        guard let result = await slot.get() else {
            throw RedisError(code: .cancelled, message: "cancelled while connecting", effect: .notApplied)
        }
        return try result.get()
    }

    /// Asks for a new map, without waiting for it.
    func refresh() { fetch(atOnce: false) }

    /// An error from a node may tell something about the cluster.
    func note(_ error: RedisError, from node: RedisNode?) {
        switch error.code {
        case .moved(let slot, let address):
            if let owner = RedisNode(redirect: address, from: node) {
                state.withLock { $0.map?.move(slot, to: owner) }
            }
            refresh()
        case .clusterDown, .masterDown, .unblocked, .readOnly, .connectionClosed, .connectFailed, .timeout:
            refresh()
        default: break
        }
    }

    func observe(_ observer: @escaping Observer) -> Int {
        state.withLock { state in
            state.nextObserver += 1
            state.observers[state.nextObserver] = observer
            return state.nextObserver
        }
    }

    func forget(observer: Int) { state.withLock { $0.observers[observer] = nil } }

    private func fetch(atOnce: Bool) {
        let now = eventLoop.now
        let known: SlotMap?? = state.withLock { state in
            guard !state.isFetching else { return nil }
            if !atOnce, let last = state.lastFetch, now - last < Self.shortestInterval { return nil }
            state.isFetching = true
            state.lastFetch = now
            return .some(state.map)
        }
        guard let known else { return }
        var nodes = (known?.nodes ?? []).shuffled()
        nodes += seeds.shuffled().filter { !nodes.contains($0) }
        SlotMapFinder.find(endpoint, options: options, nodes: nodes, on: eventLoop) { self.fetched($0) }
    }

    private func fetched(_ result: Result<SlotMap, RedisError>) {
        let (waiters, gone, observers) = state.withLock { state in
            state.isFetching = false
            defer { state.waiters = [] }
            let before = Set(state.map?.nodes ?? [])
            guard case .success(let map) = result, accept(map, &state) else {
                return (state.waiters, Set<RedisNode>(), [Observer]())
            }
            return (state.waiters, before.subtracting(map.nodes), Array(state.observers.values))
        }
        report(result)
        for waiter in waiters { waiter.complete(result) }
        if !gone.isEmpty {
            for observer in observers { observer(gone) }
        }
        let interval = Int64(Double(Self.interval.nanoseconds) * Double.random(in: 0.8..<1.2))
        eventLoop.scheduleTask(in: .nanoseconds(interval)) { [weak self] in
            guard let self, eventLoop.now - (state.withLock { $0.lastFetch } ?? eventLoop.now) >= Self.interval / 2
            else { return }
            refresh()
        }
    }

    /// A node that was frozen or cut off tells what it knew then.
    private func accept(_ map: SlotMap, _ state: inout State) -> Bool {
        if let known = state.map, map.epoch < known.epoch, state.outdated < Self.mostOutdated {
            state.outdated += 1
            return false
        }
        state.outdated = 0
        state.map = map
        return true
    }

    private func report(_ result: Result<SlotMap, RedisError>) {
        let changed = state.withLock { state in
            let isLost = if case .failure = result { true } else { false }
            defer { state.isReportedLost = isLost }
            return state.isReportedLost != isLost
        }
        guard changed else { return }
        switch result {
        case .success:
            logger.info("the Redis Cluster is back", metadata: ["endpoint": "\(endpoint.redacted)"])
        case .failure(let error):
            logger.warning(
                "the Redis Cluster does not answer; trying to reach it whenever it is needed",
                metadata: ["endpoint": "\(endpoint.redacted)", "reason": "\(error.message)"])
        }
    }
}

extension TimeAmount {
    fileprivate static func / (amount: TimeAmount, divisor: Int64) -> TimeAmount {
        .nanoseconds(amount.nanoseconds / divisor)
    }
}
