/// A reply that is on its way: of a command that was submitted and whose reply is awaited later.
///
/// At most one task may await it at a time. Awaiting it again gives the same outcome again.
public struct PendingReply: Sendable {
    private enum Kind: Sendable {
        case command(OneShot<Outcome>)
        case transaction(OneShot<[Outcome]>)
        case script(OneShot<Outcome>, RedisScript, RedisCommand, RedisConnection, timeout: Duration?)
        case failed(RedisError)
    }

    private let kind: Kind

    init(_ slot: OneShot<Outcome>) {
        kind = .command(slot)
    }

    init(transaction slot: OneShot<[Outcome]>) {
        kind = .transaction(slot)
    }

    init(
        _ slot: OneShot<Outcome>, script: RedisScript, command: RedisCommand, on connection: RedisConnection,
        timeout: Duration?
    ) {
        kind = .script(slot, script, command, connection, timeout: timeout)
    }

    init(failed error: RedisError) {
        kind = .failed(error)
    }

    /// Waits for the reply. An error that the server replied is thrown.
    ///
    /// If the task is cancelled, it throws `cancelled` at once; the command is executed all the same.
    public func get() async throws(RedisError) -> RedisReply {
        switch kind {
        case .command(let slot):
            return try await slot.reply()
        case .transaction(let slot):
            guard let outcomes = await slot.get() else { throw RedisError.cancelledWait }
            return try Transaction.result(of: outcomes)
        case .script(let slot, let script, let command, let connection, let timeout):
            do {
                return try await slot.reply()
            } catch {
                guard error.code == .noScript else { throw error }
            }
            // The server does not know the script (a restart, a failover, SCRIPT FLUSH) and has done nothing. Both
            // commands go out together; a refusal to load shows as the error of the second as well, but says why.
            let load = connection.submit(script.loadCommand, timeout: timeout)
            let again = connection.submit(command, timeout: timeout)
            _ = try await load.get()
            return try await again.get()
        case .failed(let error):
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
