package import NIOCore

/// One connection: commands are pipelined and answered in the order in which they were submitted.
///
/// All methods can be called from any thread. What several tasks submit in one turn of the event loop goes out in one
/// write. When a reply fails to come in time, or what comes is not RESP, the connection is closed: there is no way to
/// find back into the order. All pending commands fail then: with `notApplied` those that were never written, with
/// `indeterminate` the others.
///
/// It closes when the last reference to it goes, those of pending replies included.
public final class RedisConnection: Sendable {
    let core: ConnectionCore
    let options: ConnectionOptions
    /// The server; nil where the channel was made elsewhere.
    public let address: RedisEndpoint.Address?

    init(core: ConnectionCore, options: ConnectionOptions, address: RedisEndpoint.Address?) {
        self.core = core
        self.options = options
        self.address = address
    }

    /// A connection over a channel that is made elsewhere; nothing is sent. Call on the channel's event loop.
    package convenience init(over channel: any Channel, options: ConnectionOptions = ConnectionOptions()) throws {
        self.init(core: try ConnectionCore.attach(to: channel, options: options), options: options, address: nil)
    }

    deinit {
        core.close(.closedByOwner)
    }

    /// See ``ConnectionOptions/blockingMargin``.
    package var blockingMargin: Duration { options.blockingMargin }

    public var isClosed: Bool { core.closeReason != nil }

    /// Completes when the socket is closed.
    package var closeFuture: EventLoopFuture<Void> { core.channel.closeFuture }

    /// Sends a command and waits for its reply. An error that the server replied is thrown.
    public func send(_ command: RedisCommand) async throws(RedisError) -> RedisReply {
        try await submit(command).get()
    }

    /// Enqueues a command at once, without waiting: commands go out in the order of the calls.
    ///
    /// - Parameter timeout: how long the reply may take, by default ``ConnectionOptions/replyTimeout``. A command also
    ///   has as long as those that were submitted before it.
    @discardableResult
    public func submit(_ command: RedisCommand, timeout: Duration? = nil) -> PendingReply {
        let slot = OneShot<Outcome>()
        core.submit(CollectionOfOne(command), to: .single(slot), timeout: timeout)
        return PendingReply(slot, on: self)
    }

    /// Enqueues a command as ``submit(_:timeout:)`` does, and calls `arrived` when its reply has come, or it has failed.
    package func submit(
        _ command: RedisCommand, timeout: Duration?, arrived: @escaping @Sendable () -> Void
    ) -> PendingReply {
        let slot = OneShot<Outcome>()
        let batch = ReplyBatch(count: 1) { outcomes in
            slot.complete(outcomes.first ?? .failure(.noConnection))
            arrived()
        }
        core.submit(CollectionOfOne(command), to: .batch(batch), timeout: timeout)
        return PendingReply(slot, on: self)
    }

    /// Sends commands in one write and waits for all replies. No transaction: other clients' commands can run in
    /// between, and an error of one does not stop the others.
    public func pipeline(_ commands: [RedisCommand]) async -> [Result<RedisReply, RedisError>] {
        guard let outcomes = await submitBatch(commands, timeout: nil).get() else {
            return commands.map { _ in .failure(.cancelledWait) }
        }
        return outcomes.map { outcome in
            guard case .success(let reply) = outcome, let error = reply.value.error else { return outcome }
            return .failure(error)
        }
    }

    /// Runs commands as one transaction (MULTI … EXEC) in one write, and returns EXEC's array.
    ///
    /// The reply is a null where a key that this connection WATCHes has changed. If a command is refused when it is
    /// queued, nothing is applied and its error is thrown. Errors while EXEC runs are elements of the array; Redis
    /// does not roll back, the other commands are applied.
    public func transaction(_ commands: [RedisCommand]) async throws(RedisError) -> RedisReply {
        try await submitTransaction(commands).get()
    }

    /// Enqueues a transaction as ``submit(_:timeout:)`` does a command.
    @discardableResult
    public func submitTransaction(_ commands: [RedisCommand], timeout: Duration? = nil) -> PendingReply {
        PendingReply(transaction: submitBatch(Transaction.commands(commands), timeout: timeout), on: self)
    }

    /// Sends a command that blocks in the server for up to `duration`; the reply may take that and
    /// ``ConnectionOptions/blockingMargin``.
    ///
    /// Use a connection of its own for it: what is sent behind it waits. If the task is cancelled the connection is
    /// closed, since a reply that is still to come (entries of a stream, say) would be delivered to nobody.
    public func blocking(_ command: RedisCommand, for duration: Duration) async throws(RedisError) -> RedisReply {
        do {
            return try await submit(command, timeout: duration + options.blockingMargin).get()
        } catch {
            if error.code == .cancelled { core.close(.closedByOwner) }
            throw error
        }
    }

    /// Closes at once; what is pending fails. Returns when the socket is closed.
    public func close() async {
        core.close(.closedByOwner)
        await withCheckedContinuation { continuation in
            core.channel.closeFuture.whenComplete { _ in continuation.resume() }
        }
    }

    private func submitBatch(_ commands: [RedisCommand], timeout: Duration?) -> OneShot<[Outcome]> {
        let slot = OneShot<[Outcome]>()
        guard !commands.isEmpty else {
            slot.complete([])
            return slot
        }
        let batch = ReplyBatch(count: commands.count) { slot.complete($0) }
        core.submit(commands, to: .batch(batch), timeout: timeout)
        return slot
    }
}

extension RedisError {
    static var closedByOwner: RedisError {
        RedisError(code: .connectionClosed, message: "the connection was closed by its owner", effect: .indeterminate)
    }
}
