import Logging
import RedisTransport
import SagaCore
import SagaStore

/// What the scripts call, tried out before anything is done.
///
/// Commands within a script run with the rights of its caller, and Redis looks at each one only when its turn comes:
/// a script that may append to a log and not to a command stream would be stopped between the two, and Redis does not
/// roll back. So a user that lacks a right is refused before its first script.
extension RedisSagaStore {
    /// - Throws: `refused`, with the command that is missing and how to give it.
    func checkRights(_ keys: KeySpace) async throws(StoreError) {
        let user: String
        do throws(RedisError) {
            user = try await client.send(RedisCommand("ACL", "WHOAMI")).value.string ?? ""
        } catch {
            return try cannotCheck(error)
        }
        let samples = Self.samples(keys)
        for (sample, result) in zip(
            samples, await client.pipeline(samples.map { RedisCommand("ACL", "DRYRUN", user, $0) }))
        {
            switch result {
            case .success(let reply) where reply.value.string == "OK": continue
            case .success(let reply):
                throw StoreError(
                    .refused, .notApplied,
                    "the Redis user '\(user)' may not do all that an orchestrator does: "
                        + "\(sample.prefix(2).joined(separator: " ")): \(reply.value.string ?? "refused"); "
                        + "'skald acl orchestrator' prints the rules that it needs")
            case .failure(let error): return try cannotCheck(error)
            }
        }
    }

    /// Rights that cannot be looked at are no reason to stop: most servers know only one user, which may do all.
    private func cannotCheck(_ error: RedisError) throws(StoreError) {
        switch error.code {
        case .noPermission, .other:
            logger.notice(
                "the Redis user's rights cannot be checked: give it +acl|whoami and +acl|dryrun",
                metadata: ["error": "\(error)"])
        default: throw StoreError(error)
        }
    }

    /// Each command that a script calls, on a key of each kind that it calls it on. No script is run by this.
    package static func samples(_ keys: KeySpace) -> [[String]] {
        let (state, open, ended) = (keys.state(0), keys.open(0), keys.ended(0))
        let (log, index) = (keys.log(0, saga: "saga"), keys.index(0, .definition("name")))
        let streams = [
            keys.reply(0), keys.control(0), keys.intake(0), keys.outcome(0), keys.command(0, service: "name"),
            keys.event(0, topic: "name"),
        ]
        let written = [keys.dead(0), keys.outcome(0), keys.command(0, service: "name"), keys.event(0, topic: "name")]
        var samples = [["INFO", "server"], ["TIME"]]
        let (members, commands) = (KeySpace.members(of: keys.namespace), keys.command(0, service: "name"))
        samples += [keys.meta, keys.definitions, members, state].map { ["HSET", $0, "field", "value"] }
        samples += [["HMGET", keys.meta, "field"], ["HGET", keys.definitions, "field"], ["HGET", state, "field"]]
        samples += [["HMGET", state, "field"], ["HGETALL", state], ["HLEN", state]]
        samples += [open, ended, index].flatMap { [["ZCARD", $0], ["ZADD", $0, "1", "saga"], ["ZREM", $0, "saga"]] }
        samples += [open, ended].map { ["ZSCORE", $0, "saga"] }
        samples += [["HGETALL", members], ["HDEL", members, "field"]]
        samples += [["XDEL", commands, "0-1"], ["XINFO", "CONSUMERS", commands, "name"]]
        samples += [["XGROUP", "DELCONSUMER", commands, "name", "name"]]
        samples += [["LLEN", log], ["RPUSH", log, "entry"], ["DEL", log], ["PEXPIREAT", log, "1"]]
        samples += streams.flatMap { [["XLEN", $0], ["XTRIM", $0, "MINID", "0-0"]] }
        samples += streams.dropFirst(4).flatMap {
            [["EXISTS", $0], ["XINFO", "GROUPS", $0], ["XPENDING", $0, "name"]]
        }
        samples += (streams.prefix(3) + [keys.event(0, topic: "name")]).map { ["XRANGE", $0, "-", "+"] }
        samples += written.map { ["XADD", $0, "*", "field", "value"] }
        return samples
    }
}

extension RedisCommand {
    fileprivate init(_ name: StaticString, _ subcommand: String, _ user: String, _ words: [String]) {
        self.init(name, subcommand, user)
        for word in words { append(word) }
    }
}
