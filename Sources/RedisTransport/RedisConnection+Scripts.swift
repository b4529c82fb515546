extension RedisConnection {
    /// Runs a script by its digest; a server that does not know it is given the source, and asked again.
    ///
    /// - Parameter arguments: appends the script's arguments behind the keys.
    public func evaluate(
        _ script: RedisScript, keys: [String], arguments: (inout RedisCommand) -> Void = { _ in }
    ) async throws(RedisError) -> RedisReply {
        try await submit(script, keys: keys, arguments: arguments).get()
    }

    /// Enqueues a script as ``submit(_:timeout:)`` does a command.
    ///
    /// Where the server does not know the script, `get()` loads it and sends the command once more: behind what was
    /// submitted in between. Where the order matters even then, ``load(_:)`` the scripts first.
    @discardableResult
    public func submit(
        _ script: RedisScript, keys: [String], timeout: Duration? = nil,
        arguments: (inout RedisCommand) -> Void = { _ in }
    ) -> PendingReply {
        var command = script.command(keys: keys)
        arguments(&command)
        return PendingReply(ScriptCall(script, command, on: self, timeout: timeout))
    }

    /// Gives the server the sources of scripts, in one write.
    public func load(_ scripts: [RedisScript]) async throws(RedisError) {
        for outcome in await pipeline(scripts.map(\.loadCommand)) {
            _ = try outcome.get()
        }
    }
}
