import RedisTransport
import SagaCore
import SagaRedis

/// Reads what ``ServerReading`` and ``NamespaceReading`` judge. It changes nothing.
struct Examiner {
    let client: SagaClient
    let localTime: () -> Milliseconds
    private var missing: [ServerReading.MissingRight] = []

    init(client: SagaClient, localTime: @escaping () -> Milliseconds) {
        self.client = client
        self.localTime = localTime
    }

    /// The reply to a command; nil, and a missing right, where the server refuses it.
    private mutating func ask(
        _ command: RedisCommand, right: String, purpose: String
    ) async throws(ClientError) -> RedisValue? {
        do throws(RedisError) {
            return try await client.client.send(command).value
        } catch {
            switch error.code {
            // Also a command that was renamed away, or is of another version.
            case .noPermission, .other: missing.append(.init(right: right, purpose: purpose))
            default: throw ClientError(error)
            }
            return nil
        }
    }

    // MARK: The server

    mutating func server() async throws(ClientError) -> ServerReading {
        var reading = ServerReading()
        let info = RedisCommand("INFO", "everything")
        reading.info = try await ask(
            info, right: "+info", purpose: "persistence, memory, eviction and replicas are not known"
        ).map { ServerInfo(text: $0.string ?? "") }
        reading.settings = try await settings()
        reading.user = try await ask(
            RedisCommand("ACL", "WHOAMI"), right: "+acl|whoami", purpose: "the user's name is not known")?.string
        reading.clock = try await clock()
        reading.slowCalls = try await slowCalls()
        let scripts = RedisSagaStore.scripts
        var exists = RedisCommand("SCRIPT", "EXISTS")
        for script in scripts { exists.append(script.sha1) }
        if let known = try await ask(
            exists, right: "+script|exists", purpose: "which scripts the server has is not known")
        {
            reading.scripts = ((0..<known.count).count { known[$0].integer == 1 }, scripts.count)
        }
        reading.servesStrangers = await servesStrangers()
        reading.refusal = try await tryWrites()
        reading.missingRights = missing
        return reading
    }

    private mutating func settings() async throws(ClientError) -> [String: String]? {
        let command = RedisCommand(
            "CONFIG", "GET", "appendfsync", "save", "stop-writes-on-bgsave-error", "no-appendfsync-on-rewrite",
            "maxmemory-policy", "min-replicas-to-write", "bind", "port", "protected-mode", "timeout", "tcp-keepalive",
            "slowlog-log-slower-than")
        guard
            let reply = try await ask(
                command, right: "+config|get",
                purpose: "syncing, where the server listens, and its time limits are not known")
        else { return nil }
        var settings: [String: String] = [:]
        for index in stride(from: 0, to: reply.count - 1, by: 2) {
            settings[reply[index].string ?? ""] = reply[index + 1].string
        }
        return settings
    }

    /// Several readings; the one with the shortest way says most about the distance.
    private mutating func clock() async throws(ClientError) -> ServerReading.Clock? {
        var clock: ServerReading.Clock?
        for _ in 0..<5 {
            let sent = localTime()
            guard
                let time = try await ask(
                    RedisCommand("TIME"), right: "+time", purpose: "the server's clock is not known")
            else { return nil }
            let way = max(0, localTime() - sent)
            let now = Self.instant(time)
            var sample = ServerReading.Clock(
                now: now, offset: now &- (sent + way / 2), uncertainty: way / 2, wentBack: false)
            if let clock {
                if clock.uncertainty < sample.uncertainty {
                    (sample.offset, sample.uncertainty) = (clock.offset, clock.uncertainty)
                }
                sample.wentBack = clock.wentBack || now < clock.now
            }
            clock = sample
        }
        return clock
    }

    private static func instant(_ time: RedisValue) -> Milliseconds {
        func part(_ index: Int) -> Int64 { time[index].string.flatMap(Int64.init) ?? 0 }
        return part(0) &* 1_000 &+ part(1) / 1_000
    }

    private mutating func slowCalls() async throws(ClientError) -> [ServerReading.SlowCall]? {
        guard
            let log = try await ask(
                RedisCommand("SLOWLOG", "GET", "128"), right: "+slowlog|get", purpose: "slow calls are not known")
        else { return nil }
        return (0..<log.count).map { index in
            ServerReading.SlowCall(
                command: log[index][3][0].string ?? "", at: (log[index][1].integer ?? 0) &* 1_000,
                microseconds: log[index][2].integer ?? 0)
        }
    }

    // MARK: Rights

    private func servesStrangers() async -> Bool? {
        guard client.endpoint.password != nil else { return true }
        var endpoint = client.endpoint
        (endpoint.username, endpoint.password) = (nil, nil)
        var options = ConnectionOptions()
        options.connectTimeout = .seconds(2)
        do throws(RedisError) {
            await (try RedisConnection.connect(to: endpoint, options: options)).close()
            return true
        } catch {
            return error.code == .noAuth ? false : nil
        }
    }

    /// Tries what an operator writes. Begins a transaction and leaves it, on a connection of its own: the server looks at
    /// rights and at its own state when a command is queued, and what is queued never runs.
    ///
    /// - Returns: Why the server refuses writes to everybody, if it does.
    private mutating func tryWrites() async throws(ClientError) -> String? {
        let keys = KeySpace(namespace: client.namespace, partitions: 1)
        let tries: [(command: RedisCommand, right: String, purpose: String)] = [
            (
                RedisCommand("XADD", keys.intake(0), "*", "type", "none"), "+xadd %W~{\(client.namespace):*}:intake",
                "it cannot start sagas"
            ),
            (
                RedisCommand("XADD", keys.control(0), "*", "type", "none"),
                "+xadd %W~{\(client.namespace):*}:control", "it cannot steer sagas"
            ),
            (
                RedisCommand("EVALSHA", "0000000000000000000000000000000000000000", "1", keys.definitions),
                "+evalsha ~\(keys.definitions)", "it cannot register definitions"
            ),
        ]
        var results: [Result<RedisReply, RedisError>] = []
        for (attempt, key) in zip(tries, [keys.intake(0), keys.control(0), keys.definitions]) {
            let connection = try await asking { () async throws(RedisError) in
                try await RedisConnection.connect(to: client.client.serverEndpoint(for: key))
            }
            results += await connection.pipeline([RedisCommand("MULTI"), attempt.command]).dropFirst()
            await connection.close()
        }
        var refusal: String?
        for (attempt, result) in zip(tries, results) {
            guard case .failure(let error) = result else { continue }
            switch error.code {
            case .noPermission: missing.append(.init(right: attempt.right, purpose: attempt.purpose))
            case .connectionClosed, .connectFailed, .timeout, .cancelled: throw ClientError(error)
            default: refusal = error.message
            }
        }
        return refusal
    }
}
