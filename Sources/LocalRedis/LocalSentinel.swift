public import RedisTransport

/// A master, its replicas and the sentinels that watch them, all as child processes on loopback: for tests.
///
/// The sentinels look more often than they do by default, so that a failover takes about ``Options/downAfter`` and a
/// second.
public final class LocalSentinel: Sendable {
    public struct Options: Sendable {
        public var replicas = 1
        public var sentinels = 3
        /// How long a master is silent until it is taken for dead, in milliseconds.
        public var downAfter = 1_000
        public var appendOnly = LocalRedisServer.Options.AppendOnly.no
        /// Lines for the configurations of the master and the replicas.
        public var extra: [String] = []
        /// Lines for the sentinels' configurations.
        public var sentinelExtra: [String] = []
        public var sentinelPassword: String?

        public init() {}
    }

    public static let masterName = "skald"

    /// The first one begins as the master.
    public let servers: [LocalRedisServer]
    public let sentinels: [LocalRedisServer]
    private let sentinelPassword: String?

    private init(servers: [LocalRedisServer], sentinels: [LocalRedisServer], sentinelPassword: String?) {
        self.servers = servers
        self.sentinels = sentinels
        self.sentinelPassword = sentinelPassword
    }

    /// Starts everything, and returns when the replicas are in step and the sentinels know of each other.
    public static func start(_ options: Options = Options()) async throws -> LocalSentinel {
        var started: [LocalRedisServer] = []
        do {
            let master = try await LocalRedisServer.start(server(options, replicaOf: nil))
            started.append(master)
            for _ in 0..<options.replicas {
                started.append(try await LocalRedisServer.start(server(options, replicaOf: master.port)))
            }
            for _ in 0..<options.sentinels {
                started.append(try await LocalRedisServer.start(sentinel(options, of: master.port)))
            }
            let group = LocalSentinel(
                servers: Array(started.prefix(1 + options.replicas)),
                sentinels: Array(started.dropFirst(1 + options.replicas)), sentinelPassword: options.sentinelPassword)
            try await group.waitUntilReady(options)
            return group
        } catch {
            for server in started { await server.stop() }
            throw error
        }
    }

    private static func server(_ options: Options, replicaOf master: Int?) -> LocalRedisServer.Options {
        var lines = ["repl-diskless-sync-delay 0", "repl-ping-replica-period 1"] + options.extra
        if let master { lines.append("replicaof 127.0.0.1 \(master)") }
        return LocalRedisServer.Options(appendOnly: options.appendOnly, extra: lines)
    }

    private static func sentinel(_ options: Options, of master: Int) -> LocalRedisServer.Options {
        let name = masterName
        var lines = [
            "sentinel monitor \(name) 127.0.0.1 \(master) \(options.sentinels / 2 + 1)",
            "sentinel down-after-milliseconds \(name) \(options.downAfter)",
            "sentinel failover-timeout \(name) 1500",
        ]
        if let password = options.sentinelPassword {
            lines += ["requirepass \(password)", "sentinel sentinel-pass \(password)"]
        }
        var sentinel = LocalRedisServer.Options(extra: lines + options.sentinelExtra)
        sentinel.arguments = ["--sentinel"]
        return sentinel
    }

    public var endpoint: RedisEndpoint {
        var endpoint = RedisEndpoint(
            address: .sentinel(
                sentinels.map { RedisNode(host: "127.0.0.1", port: $0.port) }, master: Self.masterName))
        endpoint.sentinelPassword = sentinelPassword
        return endpoint
    }

    /// Ends everything and removes its temporary directories.
    public func stop() async {
        for sentinel in sentinels { sentinel.kill() }
        for server in servers { server.kill() }
        for server in sentinels + servers { await server.stop() }
    }

    private func waitUntilReady(_ options: Options) async throws {
        for server in servers.dropFirst() {
            try await Self.wait("a replica is in step") {
                let connection = try await RedisConnection.connect(to: server.endpoint)
                return ServerInfo(try await connection.send(RedisCommand("INFO", "replication")))["master_link_status"]
                    == "up"
            }
        }
        for sentinel in sentinels {
            var endpoint = sentinel.endpoint
            endpoint.password = sentinelPassword
            let connection = try await RedisConnection.connect(to: endpoint)
            var hasten = RedisCommand("SENTINEL", "DEBUG", "info-period", "200", "ping-period", "100")
            for word in ["publish-period", "100", "ask-period", "100", "min-link-reconnect-period", "300"] {
                hasten.append(word)
            }
            // A machine that is busy with other tests is no reason to do nothing for half a minute.
            for word in ["tilt-trigger", "60000"] { hasten.append(word) }
            _ = try await connection.send(hasten)
            try await Self.wait("the sentinels know of each other") {
                let reply = try await connection.send(RedisCommand("SENTINEL", "MASTER", Self.masterName)).value
                var fields: [String: String] = [:]
                for index in stride(from: 0, to: reply.count - 1, by: 2) {
                    fields[reply[index].string ?? ""] = reply[index + 1].string
                }
                return fields["num-slaves"] == "\(options.replicas)"
                    && fields["num-other-sentinels"] == "\(options.sentinels - 1)"
            }
        }
    }

    static func wait(_ what: String, _ isTrue: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while !(try await isTrue()) {
            guard ContinuousClock.now < end else {
                throw LocalRedisError(message: "'\(what)' did not come true within 30 seconds")
            }
            await Pause.short()
        }
    }
}

/// Starts a master with sentinels, calls `body`, and stops everything, also when `body` throws.
public func withLocalSentinel<R>(
    _ options: LocalSentinel.Options = LocalSentinel.Options(), _ body: (LocalSentinel) async throws -> R
) async throws -> R {
    let group = try await LocalSentinel.start(options)
    do {
        let result = try await body(group)
        await group.stop()
        return result
    } catch {
        await group.stop()
        throw error
    }
}
