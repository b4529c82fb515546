// A client's methods, for whatever the endpoint stands for.
extension RedisRouter {
    /// Sends a command to the server of its first key; one without a key to always the same server.
    public func send(_ command: RedisCommand) async throws(RedisError) -> RedisReply {
        switch servers {
        case .one(let client): return try await client.send(command)
        case .cluster(let clients): return try await clients.perform(ClusterCall(command))
        }
    }

    /// Sends commands together: in one write to each server.
    public func pipeline(_ commands: [RedisCommand]) async -> [Result<RedisReply, RedisError>] {
        switch servers {
        case .one(let client): await client.pipeline(commands)
        case .cluster(let clients): await clients.pipeline(commands)
        }
    }

    /// Runs a transaction on the server of its keys, which all have to be of one slot.
    public func transaction(_ commands: [RedisCommand]) async throws(RedisError) -> RedisReply {
        switch servers {
        case .one(let client): return try await client.transaction(commands)
        case .cluster(let clients): return try await clients.perform(ClusterCall(transaction: commands))
        }
    }

    /// Sends a command that blocks: see ``RedisConnection/blocking(_:for:)``.
    public func blocking(_ command: RedisCommand, for duration: Duration) async throws(RedisError) -> RedisReply {
        switch servers {
        case .one(let client): return try await client.blocking(command, for: duration)
        case .cluster(let clients):
            return try await clients.perform(ClusterCall(.blocking(command, for: duration), slot: command.slot))
        }
    }

    /// EVALSHA; where the server does not know the script: SCRIPT LOAD there and EVALSHA again.
    public func evaluate(
        _ script: RedisScript, keys: [String], arguments: (inout RedisCommand) -> Void = { _ in }
    ) async throws(RedisError) -> RedisReply {
        switch servers {
        case .one(let client): return try await client.evaluate(script, keys: keys, arguments: arguments)
        case .cluster(let clients):
            return try await clients.perform(Self.call(script, keys, timeout: nil, arguments))
        }
    }

    /// Enqueues a command on the live connection to the server of its first key, in the order of the calls.
    ///
    /// It does not wait for a connection: where there is none, the reply fails with `connectionClosed`, `notApplied`, and
    /// a new connection is begun. Where the slot has moved it fails with `tryAgain`, `notApplied`.
    @discardableResult
    public func submit(_ command: RedisCommand, timeout: Duration? = nil) -> PendingReply {
        switch servers {
        case .one(let client): client.submit(command, timeout: timeout)
        case .cluster(let clients): clients.submit(ClusterCall(command, timeout: timeout))
        }
    }

    /// Enqueues a command without a key, `WAIT` for example, behind what was submitted for `key`, on its connection.
    @discardableResult
    public func submit(_ command: RedisCommand, behind key: String, timeout: Duration? = nil) -> PendingReply {
        switch servers {
        case .one(let client): client.submit(command, timeout: timeout)
        case .cluster(let clients):
            clients.submit(ClusterCall(.command(command), slot: KeySlot.of(key.utf8), timeout: timeout))
        }
    }

    /// Enqueues a transaction as ``submit(_:timeout:)`` does a command.
    @discardableResult
    public func submitTransaction(_ commands: [RedisCommand], timeout: Duration? = nil) -> PendingReply {
        switch servers {
        case .one(let client): client.submitTransaction(commands, timeout: timeout)
        case .cluster(let clients): clients.submit(ClusterCall(transaction: commands, timeout: timeout))
        }
    }

    /// Enqueues a script as ``submit(_:timeout:)`` does a command.
    @discardableResult
    public func submit(
        _ script: RedisScript, keys: [String], timeout: Duration? = nil,
        arguments: (inout RedisCommand) -> Void = { _ in }
    ) -> PendingReply {
        switch servers {
        case .one(let client): client.submit(script, keys: keys, timeout: timeout, arguments: arguments)
        case .cluster(let clients): clients.submit(Self.call(script, keys, timeout: timeout, arguments))
        }
    }

    private static func call(
        _ script: RedisScript, _ keys: [String], timeout: Duration?, _ arguments: (inout RedisCommand) -> Void
    ) -> ClusterCall {
        var command = script.command(keys: keys)
        arguments(&command)
        return ClusterCall(.script(script, command), slot: keys.first.map { KeySlot.of($0.utf8) }, timeout: timeout)
    }

    /// Sends a command to each server that commands go to; of a cluster, to its masters.
    public func sendToEach(_ command: RedisCommand) async throws(RedisError) -> [RedisReply] {
        switch servers {
        case .one(let client): return [try await client.send(command)]
        case .cluster(let clients):
            var replies: [RedisReply] = []
            for node in try await clients.topology.map().nodes {
                replies.append(try await clients.connection(to: node).send(command))
            }
            return replies
        }
    }

    /// Gives each server the sources of scripts.
    public func load(_ scripts: [RedisScript]) async throws(RedisError) {
        switch servers {
        case .one(let client): try await client.connection().load(scripts)
        case .cluster(let clients):
            for node in try await clients.topology.map().nodes {
                try await clients.connection(to: node).load(scripts)
            }
        }
    }
}
