public import RedisTransport

/// A Redis Cluster of child processes on loopback: for tests.
public final class LocalCluster: Sendable {
    public struct Options: Sendable {
        public var masters = 3
        /// Of each master.
        public var replicas = 0
        /// How long a node is silent until it is taken for dead, in milliseconds.
        public var nodeTimeout = 1_000
        /// Lines for the nodes' configurations.
        public var extra: [String] = []

        public init() {}
    }

    static let slotCount = 16_384

    /// Those that begin as masters, in the order of their slots.
    public let masters: [LocalRedisServer]
    /// All replicas: first one for each master, then a second one.
    public let replicas: [LocalRedisServer]
    private let busPorts: [Int: Int]

    private init(masters: [LocalRedisServer], replicas: [LocalRedisServer], busPorts: [Int: Int]) {
        self.masters = masters
        self.replicas = replicas
        self.busPorts = busPorts
    }

    /// Starts the nodes and joins them; returns when all of them find the cluster in order.
    public static func start(_ options: Options = Options()) async throws -> LocalCluster {
        var nodes: [LocalRedisServer] = []
        var busPorts: [Int: Int] = [:]
        do {
            for _ in 0..<options.masters * (1 + options.replicas) {
                let (node, busPort) = try await startNode(options)
                nodes.append(node)
                busPorts[node.port] = busPort
            }
            let cluster = LocalCluster(
                masters: Array(nodes.prefix(options.masters)), replicas: Array(nodes.dropFirst(options.masters)),
                busPorts: busPorts)
            try await cluster.join()
            return cluster
        } catch {
            for node in nodes { await node.stop() }
            throw error
        }
    }

    private static func startNode(_ options: Options) async throws -> (LocalRedisServer, busPort: Int) {
        var attempts = 0
        while true {
            attempts += 1
            let busPort = try FreePort.find()
            let lines = [
                "cluster-enabled yes", "cluster-port \(busPort)", "cluster-node-timeout \(options.nodeTimeout)",
                "cluster-replica-validity-factor 0", "cluster-allow-replica-migration no",
                "repl-diskless-sync-delay 0", "repl-ping-replica-period 1",
            ]
            do {
                return (try await LocalRedisServer.start(.init(extra: lines + options.extra)), busPort)
            } catch  where attempts < 5 {
                // Somebody took the bus port between our look and the server's.
                continue
            }
        }
    }

    /// With the nodes that began as masters as its nodes.
    public var endpoint: RedisEndpoint {
        RedisEndpoint(address: .cluster(masters.map { RedisNode(host: "127.0.0.1", port: $0.port) }))
    }

    public func stop() async {
        for node in masters + replicas { node.kill() }
        for node in masters + replicas { await node.stop() }
    }

    // MARK: Making the cluster

    private func join() async throws {
        let nodes = masters + replicas
        for (index, node) in nodes.enumerated() {
            try await node.ask("CLUSTER", "SET-CONFIG-EPOCH", "\(index + 1)")
            if index < masters.count {
                let (first, end) = (
                    index * Self.slotCount / masters.count, (index + 1) * Self.slotCount / masters.count
                )
                try await node.ask("CLUSTER", "ADDSLOTSRANGE", "\(first)", "\(end - 1)")
            }
        }
        for node in nodes.dropFirst() {
            try await nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", "\(node.port)", "\(busPorts[node.port] ?? 0)")
        }
        for node in nodes { try await node.untilInfo("cluster_known_nodes", is: "\(nodes.count)") }
        for (index, replica) in replicas.enumerated() {
            let master = try await masters[index % masters.count].nodeID()
            try await LocalSentinel.wait("a replica knows its master") {
                // It may not have heard of it yet.
                (try? await replica.ask("CLUSTER", "REPLICATE", master)) != nil
            }
        }
        for replica in replicas {
            try await LocalSentinel.wait("a replica is in step") {
                ServerInfo(try await replica.ask("INFO", "replication"))["master_link_status"] == "up"
            }
        }
        for node in nodes { try await node.untilInfo("cluster_state", is: "ok") }
        for master in masters where !replicas.isEmpty {
            try await LocalSentinel.wait("a master knows its replicas") {
                let reply = try await master.ask("CLUSTER", "REPLICAS", try await master.nodeID())
                return reply.value.count == replicas.count / masters.count
            }
        }
    }

    // MARK: Slots

    /// The master that has served a slot from the beginning.
    public func master(of slot: Int) -> LocalRedisServer { masters[slot * masters.count / Self.slotCount] }

    /// Begins to move a slot: from now on, the source sends clients on for keys that it does not have.
    public func beginMove(of slot: Int, from source: LocalRedisServer, to target: LocalRedisServer) async throws {
        try await target.ask("CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", try await source.nodeID())
        try await source.ask("CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", try await target.nodeID())
    }

    /// Moves one key.
    public func move(key: String, from source: LocalRedisServer, to target: LocalRedisServer) async throws {
        try await source.ask("MIGRATE", "127.0.0.1", "\(target.port)", "", "0", "5000", "KEYS", key)
    }

    /// Moves one more key of a slot that is on its way; false where there is none left.
    public func moveNextKey(of slot: Int, from source: LocalRedisServer, to target: LocalRedisServer) async throws
        -> Bool
    {
        let keys = try await source.ask("CLUSTER", "GETKEYSINSLOT", "\(slot)", "1").value
        guard keys.count > 0, let key = keys[0].string else { return false }
        try await move(key: key, from: source, to: target)
        return true
    }

    /// Makes the target serve the slot. Others learn of it by themselves.
    public func endMove(of slot: Int, from source: LocalRedisServer, to target: LocalRedisServer) async throws {
        let id = try await target.nodeID()
        try await target.ask("CLUSTER", "SETSLOT", "\(slot)", "NODE", id)
        try await source.ask("CLUSTER", "SETSLOT", "\(slot)", "NODE", id)
    }
}

extension LocalRedisServer {
    @discardableResult
    fileprivate func ask(_ name: StaticString, _ arguments: String...) async throws -> RedisReply {
        let connection = try await RedisConnection.connect(to: endpoint)
        var command = RedisCommand(name)
        for argument in arguments { command.append(argument) }
        return try await connection.send(command)
    }

    fileprivate func nodeID() async throws -> String {
        try await ask("CLUSTER", "MYID").value.string ?? ""
    }

    fileprivate func untilInfo(_ property: String, is value: String) async throws {
        try await LocalSentinel.wait("\(property) is \(value)") {
            ServerInfo(try await ask("CLUSTER", "INFO"))[property] == value
        }
    }
}

/// Starts a cluster, calls `body`, and stops it, also when `body` throws.
public func withLocalCluster<R>(
    _ options: LocalCluster.Options = LocalCluster.Options(), _ body: (LocalCluster) async throws -> R
) async throws -> R {
    let cluster = try await LocalCluster.start(options)
    do {
        let result = try await body(cluster)
        await cluster.stop()
        return result
    } catch {
        await cluster.stop()
        throw error
    }
}
