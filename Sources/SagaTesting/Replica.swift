public import LocalRedis
import RedisTransport

/// Calls `body` with a master and a replica that is in step with it, each a redis-server of its own.
public func withReplica<Result>(
    _ options: LocalRedisServer.Options = LocalRedisServer.Options(),
    _ body: (_ master: LocalRedisServer, _ replica: LocalRedisServer) async throws -> Result
) async throws -> Result {
    var options = options
    // Else a master waits five seconds for more replicas before it begins to serve the first.
    options.extra.append("repl-diskless-sync-delay 0")
    return try await withLocalRedis(options) { master in
        try await withLocalRedis(options.replica(of: master.port)) { replica in
            try await replica.untilInStep()
            return try await body(master, replica)
        }
    }
}

extension LocalRedisServer.Options {
    /// The same for a replica of the server at a port of this machine.
    public func replica(of port: Int) -> Self {
        var options = self
        options.directory = nil
        options.port = nil
        options.extra.append("replicaof 127.0.0.1 \(port)")
        return options
    }
}

extension LocalRedisServer {
    /// Waits until this replica has all that its master had when it connected.
    public func untilInStep() async throws {
        let connection = try await RedisConnection.connect(to: endpoint)
        try await eventually("the replica is in step") {
            let info = ServerInfo(try await connection.send(RedisCommand("INFO", "replication")))
            return info["master_link_status"] == "up" && info["master_sync_in_progress"] == "0"
        }
        await connection.close()
    }

    /// Makes this replica a master.
    public func promote() async throws {
        let connection = try await RedisConnection.connect(to: endpoint)
        _ = try await connection.send(RedisCommand("REPLICAOF", "NO", "ONE"))
        await connection.close()
    }
}
