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
        for outcome in outcomes.dropLast() {
            if case .success(let queued) = outcome, var refusal = queued.value.error {
                refusal.effect = .notApplied
                throw refusal
            }
        }
        throw error
    }
}
