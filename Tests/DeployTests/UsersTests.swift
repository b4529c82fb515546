import RedisTransport
import Testing

/// What each user of `deploy/users.acl` may and may not do, asked of a real server.
@Suite struct UsersTests {
    struct Role: Sendable, CustomTestStringConvertible {
        var user: String
        var allowed: [String]
        var denied: [String]

        var testDescription: String { user }
    }

    /// Nobody's business but the administrator's.
    static let nobodys = [
        "FLUSHALL", "FLUSHDB", "KEYS *", "SCAN 0", "CONFIG SET maxmemory-policy allkeys-lru", "CONFIG REWRITE",
        "ACL LIST",
        "ACL SETUSER x on", "SHUTDOWN NOSAVE", "EVAL return(1) 0", "FUNCTION LIST", "FUNCTION FLUSH", "SCRIPT FLUSH",
        "DEBUG SLEEP 0",
        "CLIENT KILL TYPE normal", "MONITOR", "SAVE", "BGREWRITEAOF", "REPLICAOF NO ONE", "MODULE LIST", "PUBLISH a b",
        "SUBSCRIBE a", "SET other 1", "GET other", "DEL {skald}:meta", "RENAME {skald}:meta {skald}:m", "SWAPDB 0 0",
        "RESTORE {skald:3}:open 0 x", "EXPIRE {skald:3}:open 1",
        "HDEL {skald:3}:state owner", "HDEL {skald}:meta partitions", "DEL {skald:3}:open",
        "PEXPIREAT {skald:3}:ended 1", "UNLINK {skald:3}:log:o-1", "XSETID {skald:3}:reply 9-9",
        "XGROUP DESTROY {skald:3}:cmd:orders orders", "XGROUP SETID {skald:3}:cmd:orders orders $",
        "XGROUP DELCONSUMER {skald:3}:reply orders c",
        // Another namespace, and what only looks like ours.
        "HGET {other}:meta partitions", "XADD {other:3}:intake * a b", "XADD skald:3:intake * a b",
    ]

    static let reads = [
        "HGETALL {skald:3}:state", "HMGET {skald}:meta partitions protocol", "HVALS {skald}:definitions",
        "HGETALL {skald}:members", "LRANGE {skald:3}:log:o-1 0 -1", "ZRANGEBYSCORE {skald:3}:open -inf +inf",
        "ZCARD {skald:3}:ended",
        "ZREVRANGE {skald:3}:ended 0 9", "LINDEX {skald:3}:log:o-1 -1", "ZSCORE {skald:3}:by:status:stuck o-1",
        "ZRANGE {skald:3}:by:label:city=Berlin +inf -inf BYSCORE REV LIMIT 0 9 WITHSCORES",
        "ZCARD {skald:3}:by:definition:order", "XREVRANGE {skald:3}:outcome + - COUNT 1", "XRANGE {skald:3}:dead - +",
        "XREAD COUNT 1 STREAMS {skald:3}:outcome {skald:4}:outcome 0 0", "XLEN {skald:3}:intake",
        "XINFO GROUPS {skald:3}:cmd:orders", "XINFO CONSUMERS {skald:3}:cmd:orders orders",
        "XPENDING {skald:3}:cmd:orders orders", "INFO memory", "TIME", "MEMORY USAGE {skald:3}:log:o-1",
    ]

    static let writes = [
        "XADD {skald:3}:intake * a b", "XADD {skald:3}:control * a b", "XADD {skald:3}:reply * a b",
        "XADD {skald:3}:dead * a b", "XADD {skald:3}:outcome * a b", "XADD {skald:3}:cmd:orders * a b",
        "RPUSH {skald:3}:log:o-1 a", "ZADD {skald:3}:open 1 o-1", "HSET {skald:3}:state owner me",
        "ZADD {skald:3}:by:definition:order 1 o-1", "ZREM {skald:3}:by:status:stuck o-1",
        "DEL {skald:3}:log:o-1", "PEXPIREAT {skald:3}:log:o-1 1",
        "HSET {skald}:definitions order@1 {}", "XTRIM {skald:3}:cmd:orders MAXLEN 0",
        "XGROUP DELCONSUMER {skald:3}:cmd:orders orders c",
    ]

    static func service(_ name: String, not other: String) -> Role {
        Role(
            user: "shop-\(name)",
            allowed: [
                "PING", "TIME", "CLIENT SETNAME x", "HMGET {skald}:meta protocol partitions",
                "XGROUP CREATE {skald:3}:cmd:\(name) \(name) 0 MKSTREAM",
                "XREADGROUP GROUP \(name) c COUNT 1 STREAMS {skald:3}:cmd:\(name) {skald:4}:cmd:\(name) > >",
                "XAUTOCLAIM {skald:3}:cmd:\(name) \(name) c 0 0-0 COUNT 1",
                "XCLAIM {skald:3}:cmd:\(name) \(name) c 0 1-1 RETRYCOUNT 1 JUSTID",
                "XPENDING {skald:3}:cmd:\(name) \(name) - + 10 c", "XADD {skald:3}:reply * type reply",
                "XACK {skald:3}:cmd:\(name) \(name) 1-1", "XADD {skald:3}:dead * reason x", "MULTI", "EXEC",
            ],
            denied: nobodys + [
                "XREADGROUP GROUP \(other) c COUNT 1 STREAMS {skald:3}:cmd:\(other) >",
                "XREADGROUP GROUP \(name) c COUNT 1 STREAMS {skald:3}:cmd:\(name) {skald:3}:cmd:\(other) > >",
                "XAUTOCLAIM {skald:3}:cmd:\(other) \(other) c 0 0-0", "XACK {skald:3}:cmd:\(other) \(other) 1-1",
                "XGROUP CREATE {skald:3}:cmd:\(other) x 0", "XADD {skald:3}:cmd:\(name) * a b",
                "XADD {skald:3}:cmd:\(other) * a b", "XADD {skald:3}:intake * a b", "XADD {skald:3}:control * a b",
                "XADD {skald:3}:outcome * a b", "XADD {skald:3}:event:Paid * a b", "XRANGE {skald:3}:reply - +",
                "XREAD STREAMS {skald:3}:reply 0", "XRANGE {skald:3}:dead - +", "LRANGE {skald:3}:log:o-1 0 -1",
                "HGETALL {skald:3}:state", "GET {skald}:secret", "HVALS {skald}:definitions", "INFO", "EVALSHA x 0",
                "SCRIPT LOAD x", "XTRIM {skald:3}:cmd:\(name) MAXLEN 0", "XDEL {skald:3}:cmd:\(name) 1-1",
                "HSET {skald}:meta partitions 1", "CONFIG GET maxmemory",
            ])
    }

    static let roles = [
        service("orders", not: "payments"), service("inventory", not: "orders"), service("payments", not: "inventory"),
        Role(
            user: "skald-orchestrator",
            allowed: reads.filter {
                !["XINFO CON", "MEMORY", "ZRANGE ", "ZREV", "XREV"].contains(where: $0.hasPrefix)
            }
                + writes + [
                    "GET {skald}:secret", "SET {skald}:secret x NX", "SCRIPT LOAD return(1)", "WAIT 0 0",
                    "EVALSHA 0000000000000000000000000000000000000000 1 {skald:3}:state", "INFO server",
                    "ZSCAN {skald:3}:open 0", "XTRIM {skald:3}:reply MINID 0", "MULTI", "EXEC",
                    "XREAD COUNT 1 BLOCK 9 STREAMS {skald:3}:reply {skald:3}:event:Paid 0 0",
                    "HDEL {skald}:members x", "HSET {skald}:members x y",
                    "XADD {skald:3}:event:Paid * a b", "XINFO GROUPS {skald:3}:event:Paid",
                    "XPENDING {skald:3}:event:Paid mail", "XTRIM {skald:3}:event:Paid MINID 0",
                ],
            denied: nobodys + [
                "CONFIG GET maxmemory", "EVALSHA 0000000000000000000000000000000000000000 1 {other:3}:state",
                "EVALSHA 0000000000000000000000000000000000000000 1 other",
            ]),
        Role(
            user: "skald-starter",
            allowed: [
                "PING", "TIME", "HMGET {skald}:meta partitions protocol", "XADD {skald:3}:intake * a b", "MULTI",
                "EXEC",
                "HVALS {skald}:definitions", "LRANGE {skald:3}:log:o-1 0 -1",
                "XREAD COUNT 1 STREAMS {skald:3}:outcome 0", "XREVRANGE {skald:3}:outcome + - COUNT 1",
            ],
            denied: nobodys + writes.filter { !$0.contains("intake") } + [
                "GET {skald}:secret", "XRANGE {skald:3}:intake - +", "HGETALL {skald:3}:state",
                "XRANGE {skald:3}:dead - +", "XRANGE {skald:3}:cmd:orders - +", "INFO", "EVALSHA x 0", "SCRIPT LOAD x",
                "CONFIG GET maxmemory",
            ]),
        Role(
            user: "skald-viewer", allowed: reads,
            denied: nobodys + writes + ["GET {skald}:secret", "EVALSHA x 0", "SCRIPT LOAD x"]),
        Role(
            user: "skald-operator",
            allowed: reads + [
                "XADD {skald:3}:intake * a b", "XADD {skald:3}:control * a b", "SCRIPT LOAD return(1)",
                "EVALSHA 0000000000000000000000000000000000000000 1 {skald}:definitions", "CONFIG GET maxmemory-policy",
            ],
            denied: nobodys
                + writes.filter { !$0.contains("intake") && !$0.contains("control") && !$0.contains("definitions") } + [
                    "GET {skald}:secret", "EVALSHA 0000000000000000000000000000000000000000 1 {skald:3}:state",
                ]),
    ]

    @Test(arguments: roles)
    func aUserDoesItsPartAndNoMore(_ role: Role) async throws {
        try await DeployedServer.with { deployed in
            let admin = try await deployed.connectAsAdmin()
            for line in role.allowed {
                #expect(try await Self.refusal(of: line, to: role.user, admin) == nil, "must be allowed: \(line)")
            }
            for line in role.denied {
                #expect(try await Self.refusal(of: line, to: role.user, admin) != nil, "must be refused: \(line)")
            }
            await admin.close()
        }
    }

    /// What the server would say to this call of a user's; nil where it would do it. ACL DRYRUN asks the same function
    /// that a real call meets, so that calls that would end the test can be tried, too.
    static func refusal(of line: String, to user: String, _ admin: RedisConnection) async throws -> String? {
        var command = RedisCommand("ACL", "DRYRUN", user)
        for word in line.split(separator: " ") { command.append(String(word)) }
        let answer = try await admin.send(command).value.string
        return answer == "OK" ? nil : answer
    }
}
