import Logging
import NIOCore
import Synchronization

/// One connection to each node of a cluster that is needed.
final class ClusterClients: Sendable {
    private struct State {
        var clients: [RedisNode: RedisClient] = [:]
        var isClosed = false
    }

    let topology: ClusterTopology
    private let options: ConnectionOptions
    private let group: any EventLoopGroup
    private let logger: Logger
    private let state = Mutex(State())
    private let observer = Mutex<Int?>(nil)

    init(_ topology: ClusterTopology, options: ConnectionOptions, group: any EventLoopGroup, logger: Logger) {
        self.topology = topology
        self.options = options
        self.group = group
        self.logger = logger
        let observer = topology.observe { [weak self] gone in self?.leave(gone) }
        self.observer.withLock { $0 = observer }
    }

    deinit {
        if let observer = observer.withLock({ $0 }) { topology.forget(observer: observer) }
    }

    // MARK: Nodes and connections

    private func client(of node: RedisNode) throws(RedisError) -> RedisClient {
        let client: RedisClient? = state.withLock { state in
            guard !state.isClosed else { return nil }
            if let client = state.clients[node] { return client }
            // A node that is gone must not use up the time in which another one takes its place.
            var hasty = options
            hasty.connectTimeout = min(options.connectTimeout, MasterFinder.patience)
            let client = RedisClient(
                endpoint: topology.endpoint.server(node), options: hasty, group: group, logger: logger)
            state.clients[node] = client
            return client
        }
        guard let client else { throw .clientClosed }
        return client
    }

    func connection(to node: RedisNode) async throws(RedisError) -> RedisConnection {
        try await client(of: node).connection()
    }

    /// Who serves a slot; of no slot, always the same as long as the cluster stays as it is.
    func owner(of slot: Int?) async throws(RedisError) -> RedisNode {
        let map = try await topology.map()
        guard let slot else { return map.nodes[0] }
        guard let node = map.node(of: slot) else {
            topology.refresh()
            throw RedisError(
                code: .clusterDown, message: "slot \(slot) is served by no node of the cluster", effect: .notApplied)
        }
        return node
    }

    /// The live connection to who serves a slot, as far as that is known.
    func current(for slot: Int?) -> (connection: RedisConnection, node: RedisNode)? {
        guard let map = topology.current else {
            topology.refresh()
            return nil
        }
        guard let node = slot.map({ map.node(of: $0) }) ?? map.nodes.first, let client = try? client(of: node) else {
            // A client that is closed has no connections.
            return nil
        }
        guard let connection = client.current else {
            client.connectInBackground()
            return nil
        }
        return (connection, node)
    }

    /// Leaves nodes that serve nothing any more. What is under way there may have been done, and may be lost.
    private func leave(_ gone: Set<RedisNode>) {
        let clients = state.withLock { state in gone.compactMap { state.clients.removeValue(forKey: $0) } }
        for client in clients {
            client.abandon(
                RedisError(
                    code: .connectionClosed,
                    message: "\(client.endpoint.redacted) serves no slots of the cluster any more",
                    effect: .indeterminate))
        }
    }

    func close() async {
        let clients = state.withLock { state in
            state.isClosed = true
            defer { state.clients = [:] }
            return Array(state.clients.values)
        }
        for client in clients { await client.close() }
    }

    // MARK: Calls

    /// Enqueues a call where there is a connection for it, in order with others of its slot.
    func submit(_ call: ClusterCall) -> PendingReply {
        guard let (connection, node) = current(for: call.slot) else { return PendingReply(failed: .noConnection) }
        return PendingReply(OrderedCall(call, on: connection, of: node, self))
    }

    /// Runs a call, wherever its slot is or goes, and bears with trouble that passes.
    ///
    /// - Parameter first: The first attempt, where it was begun already.
    func perform(
        _ call: ClusterCall, first: (reply: PendingReply, node: RedisNode)? = nil
    ) async throws(RedisError) -> RedisReply {
        var route = CallRoute(patience: options.connectTimeout)
        let begin = ContinuousClock.now
        var begun = first
        var asked: RedisNode?
        while true {
            var node = asked
            let failure: RedisError
            do throws(RedisError) {
                if let first = begun {
                    (node, begun) = (first.node, nil)
                    return try await first.reply.get()
                }
                if let asked { return try await call.runAsking(on: connection(to: asked)) }
                let owner = try await owner(of: call.slot)
                node = owner
                return try await call.run(on: connection(to: owner))
            } catch {
                failure = error
            }
            topology.note(failure, from: node)
            let step = route.failed(
                failure, from: node, elapsed: .now - begin, jitter: Double.random(in: 0..<1))
            switch step {
            case .fail(let error): throw error
            case .ask(let target): asked = target
            case .again(let pause):
                asked = nil
                if pause > .zero { try await Self.sleep(pause) }
            }
        }
    }

    private static func sleep(_ pause: Duration) async throws(RedisError) {
        do {
            try await Task.sleep(for: pause)
        } catch {
            throw .cancelledWait
        }
    }

    func pipeline(_ commands: [RedisCommand]) async -> [Result<RedisReply, RedisError>] {
        let calls = commands.map { ClusterCall($0) }
        // Enqueued one after the other without a suspension, so that those of one node leave in one write.
        let first = calls.map { call in
            current(for: call.slot).map { (reply: call.submit(on: $0.connection), node: $0.node) }
        }
        var results: [Result<RedisReply, RedisError>] = []
        for (call, first) in zip(calls, first) {
            do throws(RedisError) {
                results.append(.success(try await perform(call, first: first)))
            } catch {
                results.append(.failure(error))
            }
        }
        return results
    }
}
