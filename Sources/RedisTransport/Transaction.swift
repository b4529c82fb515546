/// MULTI, commands, EXEC, as one write.
enum Transaction {
    static func commands(_ commands: [RedisCommand]) -> [RedisCommand] {
        [RedisCommand("MULTI")] + commands + [RedisCommand("EXEC")]
    }

    /// EXEC's reply: an array with a reply for each command, or a null where a watched key has changed.
    ///
    /// If a command was refused when it was queued, Redis discards all of them; that refusal says more than EXEC's
    /// answer to it and is thrown instead.
    static func result(of outcomes: [Outcome]) throws(RedisError) -> RedisReply {
        guard let exec = outcomes.last else { throw .noConnection }
        let reply = try exec.get()
        guard let error = reply.value.error else { return reply }
        let refusals = outcomes.map { $0.serverError }
        if var refusal = refusals[0] {
            // No transaction was begun, so that the commands ran one by one: unless they were all refused as well.
            let noneRan = refusals.allSatisfy { $0 != nil && !($0?.wasRaisedInScript ?? false) }
            refusal.effect = noneRan ? .notApplied : .indeterminate
            throw refusal
        }
        if var refusal = refusals.dropLast().compactMap(\.self).first {
            refusal.effect = .notApplied
            throw refusal
        }
        throw error
    }
}

extension Outcome {
    /// The error that the server replied.
    var serverError: RedisError? {
        guard case .success(let reply) = self else { return nil }
        return reply.value.error
    }
}
