/// A reply that is on its way: of a command that was submitted and whose reply is awaited later.
///
/// At most one task may await it at a time. Awaiting it again gives the same outcome again. It keeps its connection
/// open.
public struct PendingReply: Sendable {
    private enum Kind: Sendable {
        case command(OneShot<Outcome>, RedisConnection)
        case transaction(OneShot<[Outcome]>, RedisConnection)
        case script(ScriptCall)
        case ordered(OrderedCall)
        case failed(RedisError)
    }

    private let kind: Kind

    init(_ slot: OneShot<Outcome>, on connection: RedisConnection) {
        kind = .command(slot, connection)
    }

    init(transaction slot: OneShot<[Outcome]>, on connection: RedisConnection) {
        kind = .transaction(slot, connection)
    }

    init(_ call: ScriptCall) {
        kind = .script(call)
    }

    init(_ call: OrderedCall) {
        kind = .ordered(call)
    }

    init(failed error: RedisError) {
        kind = .failed(error)
    }

    /// Waits for the reply. An error that the server replied is thrown.
    ///
    /// If the task is cancelled, it throws `cancelled` at once; the command is executed all the same.
    public func get() async throws(RedisError) -> RedisReply {
        switch kind {
        case .command(let slot, _):
            return try await slot.reply()
        case .transaction(let slot, _):
            guard let outcomes = await slot.get() else { throw RedisError.cancelledWait }
            return try Transaction.result(of: outcomes)
        case .script(let call):
            return try await call.reply()
        case .ordered(let call):
            return try await call.reply()
        case .failed(let error):
            throw error
        }
    }

    /// Whether ``get()`` of a command would return at once.
    package var hasArrived: Bool {
        switch kind {
        case .command(let slot, _): slot.arrived != nil
        case .failed: true
        case .transaction, .script, .ordered: false
        }
    }
}

/// A script on its way, with what it takes to send it once more.
final class ScriptCall: Sendable {
    private let slot = OneShot<Outcome>()
    private let script: RedisScript
    private let command: RedisCommand
    private let connection: RedisConnection
    private let timeout: Duration?

    init(_ script: RedisScript, _ command: RedisCommand, on connection: RedisConnection, timeout: Duration?) {
        self.script = script
        self.command = command
        self.connection = connection
        self.timeout = timeout
        connection.core.submit(CollectionOfOne(command), to: .single(slot), timeout: timeout)
    }

    func reply() async throws(RedisError) -> RedisReply {
        do {
            return try await slot.reply()
        } catch {
            guard error.code == .noScript else { throw error }
        }
        // The server does not know the script (a restart, a failover, SCRIPT FLUSH) and has done nothing. Both
        // commands go out together. Only the second one's fate counts: somebody else may have loaded the script.
        let load = connection.submit(script.loadCommand, timeout: timeout)
        let again = connection.submit(command, timeout: timeout)
        do {
            return try await again.get()
        } catch {
            // Still unknown: why it could not be loaded says more.
            if error.code == .noScript { _ = try await load.get() }
            throw error
        }
    }
}

extension OneShot where Value == Outcome {
    fileprivate func reply() async throws(RedisError) -> RedisReply {
        guard let outcome = await get() else { throw RedisError.cancelledWait }
        let reply = try outcome.get()
        if let error = reply.value.error { throw error }
        return reply
    }
}

extension RedisError {
    static var cancelledWait: RedisError {
        RedisError(code: .cancelled, message: "cancelled while waiting for the reply", effect: .indeterminate)
    }

    static var noConnection: RedisError {
        RedisError(code: .connectionClosed, message: "there is no connection to the server", effect: .notApplied)
    }
}
