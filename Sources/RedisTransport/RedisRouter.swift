public import Logging
public import NIOCore
public import NIOPosix

/// What an endpoint stands for, as one user of it sees it: a server, the master that sentinels name, or a cluster.
///
/// Commands go to the node that serves their first key's slot; all keys of one command, and of one transaction, have to be
/// of one slot. Of a cluster it keeps a connection to each node that it needs; of everything else there is one connection.
///
/// In a cluster, calls that wait follow `MOVED` and `ASK`, and bear with `TRYAGAIN`, `CLUSTERDOWN` and a node that is gone
/// up to ``ConnectionOptions/connectTimeout``: only what is known to have changed nothing is sent again. What is submitted
/// stays in order on one connection a node, and fails where its slot has moved.
public final class RedisRouter: Sendable {
    enum Servers: Sendable {
        case one(RedisClient)
        case cluster(ClusterClients)
    }

    public let endpoint: RedisEndpoint
    public let options: ConnectionOptions
    let servers: Servers
    private let group: any EventLoopGroup
    private let logger: Logger

    /// Connects when it is first used.
    public convenience init(
        endpoint: RedisEndpoint,
        options: ConnectionOptions = ConnectionOptions(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger
    ) {
        let topology: ClusterTopology? =
            switch endpoint.address {
            case .cluster(let seeds):
                ClusterTopology(endpoint, seeds: seeds, options: options, on: group.any(), logger: logger)
            case .tcp, .unix, .sentinel: nil
            }
        self.init(endpoint, topology, options: options, group: group, logger: logger)
    }

    private init(
        _ endpoint: RedisEndpoint, _ topology: ClusterTopology?, options: ConnectionOptions, group: any EventLoopGroup,
        logger: Logger
    ) {
        self.endpoint = endpoint
        self.options = options
        self.group = group
        self.logger = logger
        if let topology {
            // The nodes' comings and goings are the topology's to tell.
            let quiet = Logger(label: logger.label) { _ in SwiftLogNoOpLogHandler() }
            servers = .cluster(ClusterClients(topology, options: options, group: group, logger: quiet))
        } else {
            servers = .one(RedisClient(endpoint: endpoint, options: options, group: group, logger: logger))
        }
    }

    /// Another router to the same servers, with connections of its own. What is known of a cluster is shared.
    public func sibling(options: ConnectionOptions? = nil) -> RedisRouter {
        let topology: ClusterTopology? = if case .cluster(let clients) = servers { clients.topology } else { nil }
        return RedisRouter(endpoint, topology, options: options ?? self.options, group: group, logger: logger)
    }

    /// Whether one command can only have keys of one slot, so that a blocking read covers one partition.
    public var spansNodes: Bool { if case .cluster = servers { true } else { false } }

    /// Closes all connections. The router cannot be used again.
    public func close() async {
        switch servers {
        case .one(let client): await client.close()
        case .cluster(let clients): await clients.close()
        }
    }

    // MARK: Connections

    /// The connection to the server of a key, or a new one. Waits as ``RedisClient/connection()`` does.
    ///
    /// A slot can move at any time: then what is sent here fails with `moved` or `ask`, which ``note(_:)`` wants to hear of.
    public func connection(for key: String) async throws(RedisError) -> RedisConnection {
        switch servers {
        case .one(let client): return try await client.connection()
        case .cluster(let clients):
            return try await clients.connection(to: clients.owner(of: KeySlot.of(key.utf8)))
        }
    }

    /// The connection to the server of a key, if there is a live one now.
    public func current(for key: String) -> RedisConnection? {
        switch servers {
        case .one(let client): client.current
        case .cluster(let clients): clients.current(for: KeySlot.of(key.utf8))?.connection
        }
    }

    /// Tells the router of an error on one of its connections: it may know now that the servers are others.
    public func note(_ error: RedisError, from connection: RedisConnection? = nil) {
        guard case .cluster(let clients) = servers else { return }
        let node: RedisNode? =
            if case .tcp(let host, let port) = connection?.address { RedisNode(host: host, port: port) } else { nil }
        clients.topology.note(error, from: node)
    }

    /// The endpoint of the server of a key.
    public func serverEndpoint(for key: String) async throws(RedisError) -> RedisEndpoint {
        switch servers {
        case .one: return endpoint
        case .cluster(let clients): return endpoint.server(try await clients.owner(of: KeySlot.of(key.utf8)))
        }
    }

    /// Runs `body` later, on the connections' event loop.
    package func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) {
        group.any().scheduleTask(in: TimeAmount(bounded: delay)) { body() }
    }
}
