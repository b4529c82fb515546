// The connection's methods, on the client's current connection. A connection that is lost takes its commands with it:
// they throw, and are not sent again.
extension RedisClient {
    public func send(_ command: RedisCommand) async throws(RedisError) -> RedisReply {
        try await connection().send(command)
    }

    public func pipeline(_ commands: [RedisCommand]) async -> [Result<RedisReply, RedisError>] {
        do {
            return await (try connection()).pipeline(commands)
        } catch {
            return commands.map { _ in .failure(error) }
        }
    }

    public func transaction(_ commands: [RedisCommand]) async throws(RedisError) -> RedisReply {
        try await connection().transaction(commands)
    }

    public func blocking(_ command: RedisCommand, for duration: Duration) async throws(RedisError) -> RedisReply {
        try await connection().blocking(command, for: duration)
    }

    /// EVALSHA; where the server does not know the script: SCRIPT LOAD and EVALSHA again.
    public func evaluate(
        _ script: RedisScript, keys: [String], arguments: (inout RedisCommand) -> Void = { _ in }
    ) async throws(RedisError) -> RedisReply {
        try await connection().evaluate(script, keys: keys, arguments: arguments)
    }

    /// Enqueues a command on the live connection, in the order of the calls.
    ///
    /// It does not wait for a connection: where there is none, the reply fails with `connectionClosed`, `notApplied`,
    /// and a new connection is begun. Where the order across losses matters, take ``connection()`` and submit there.
    @discardableResult
    public func submit(_ command: RedisCommand, timeout: Duration? = nil) -> PendingReply {
        guard let connection = current else { return refuse() }
        return connection.submit(command, timeout: timeout)
    }

    /// Enqueues a transaction as ``submit(_:timeout:)`` does a command.
    @discardableResult
    public func submitTransaction(_ commands: [RedisCommand], timeout: Duration? = nil) -> PendingReply {
        guard let connection = current else { return refuse() }
        return connection.submitTransaction(commands, timeout: timeout)
    }

    /// Enqueues a script as ``submit(_:timeout:)`` does a command.
    @discardableResult
    public func submit(
        _ script: RedisScript, keys: [String], timeout: Duration? = nil,
        arguments: (inout RedisCommand) -> Void = { _ in }
    ) -> PendingReply {
        guard let connection = current else { return refuse() }
        return connection.submit(script, keys: keys, timeout: timeout, arguments: arguments)
    }

    private func refuse() -> PendingReply {
        connectInBackground()
        return PendingReply(failed: .noConnection)
    }
}
