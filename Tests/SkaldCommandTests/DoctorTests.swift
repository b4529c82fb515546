import Foundation
import LocalRedis
import RedisTransport
import Testing

@Suite("doctor")
struct DoctorTests {
    /// What doctor finds: severities by check, and the exit code.
    private func examine(
        _ redis: String, namespace: String? = nil
    ) async throws -> (code: Int32, found: [String: String], text: String) {
        let result = try await Program(redis: redis, namespace: namespace).run("doctor", "--json")
        var found: [String: String] = [:]
        for line in result.output.split(separator: "\n") {
            let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
            let finding = try #require(value as? [String: Any])
            #expect(Set(finding.keys) == ["severity", "check", "what", "remedy"])
            let check = try #require(finding["check"] as? String)
            let severity = try #require(finding["severity"] as? String)
            #expect(["ok", "info", "warning", "danger"].contains(severity))
            // Where a check has several, one that is not in order counts.
            if found[check] != "danger" { found[check] = severity }
        }
        #expect(result.errors == "")
        #expect(result.code == (found.values.contains("danger") ? 1 : 0))
        return (result.code, found, result.output)
    }

    private static let persistent = LocalRedisServer.Options(
        appendOnly: .always, extra: ["maxmemory 100mb", "tcp-keepalive 60"])

    private func expectDanger(_ check: String, _ extra: String...) async throws {
        var options = Self.persistent
        options.extra += extra
        try await withLocalRedis(options) { redis in
            let result = try await examine(redis.url)
            #expect(result.code == 1)
            #expect(result.found[check] == "danger", "\(result.text)")
        }
    }

    @Test func aServerInOrderExits0() async throws {
        try await withLocalRedis(Self.persistent) { redis in
            let (code, found, text) = try await examine(redis.url)
            #expect(code == 0)
            #expect(found["namespace"] == "info")
            for check in ["version", "mode", "persistence", "eviction", "memory", "timeouts", "clock", "rights"] {
                #expect(found[check] == "ok", "\(check): \(text)")
            }
            // Open, but only to this machine.
            #expect(found["access"] == "info")
            #expect(!found.values.contains("danger"))
            let people = try await Program(redis: redis.url).run("doctor")
            #expect(people.code == 0)
            #expect(people.output.contains("ok       nothing is evicted\n"))
            let short = try await Program(redis: redis.url).run("doctor", "--quiet")
            #expect(!short.output.contains("ok  "))
            #expect(short.output.contains("         → start one with 'skald orchestrator'\n"))
        }
    }

    @Test func aRunningNamespaceIsInOrder() async throws {
        try await withRunningOrchestrator { skald, redis, _ in
            let found = try await examine(redis.url).found
            for check in ["ownership", "inbox", "stuck", "dead-letters", "oldest-saga"] {
                #expect(found[check] == "ok", "\(check)")
            }
            // The test's server keeps nothing.
            #expect(found["persistence"] == "danger")
        }
    }

    @Test func noPersistence() async throws {
        try await withLocalRedis(.init(appendOnly: .no)) { redis in
            let result = try await examine(redis.url)
            #expect(result.code == 1 && result.found["persistence"] == "danger")
            #expect(result.found["memory"] == "warning")
        }
    }

    @Test func eviction() async throws { try await expectDanger("eviction", "maxmemory-policy allkeys-lru") }
    @Test func aFullServer() async throws {
        try await withLocalRedis(Self.persistent) { redis in
            let admin = try await RedisConnection.connect(to: redis.endpoint)
            _ = try await admin.send(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
            let result = try await examine(redis.url)
            #expect(result.code == 1)
            #expect(result.found["memory"] == "danger" && result.found["writes"] == "danger", "\(result.text)")
            await admin.close()
        }
    }
    @Test func aReplica() async throws { try await expectDanger("mode", "replicaof 127.0.0.1 1") }
    @Test func aClustersNode() async throws { try await expectDanger("mode", "cluster-enabled yes") }
    @Test func tooFewReplicas() async throws {
        try await expectDanger("replicas", "min-replicas-to-write 1")
        try await expectDanger("writes", "min-replicas-to-write 1")
    }

    @Test func slowCallsAndTimeLimits() async throws {
        var options = Self.persistent
        options.extra += ["timeout 100", "tcp-keepalive 0"]
        try await withLocalRedis(options) { redis in
            let admin = try await RedisConnection.connect(to: redis.endpoint)
            let busy =
                "local t = redis.call('TIME') local s = t[1] * 1e6 + t[2] repeat t = redis.call('TIME') "
                + "until t[1] * 1e6 + t[2] - s > 15000 return 1"
            let digest = try #require(try await admin.send(RedisCommand("SCRIPT", "LOAD", busy)).value.string)
            _ = try await admin.send(RedisCommand("EVALSHA", digest, "0"))
            await admin.close()
            let result = try await examine(redis.url)
            for check in ["slow-log", "timeout", "keepalive"] {
                #expect(result.found[check] == "warning", "\(check): \(result.text)")
            }
            #expect(result.code == 0)
        }
    }

    @Test func aServerOutOfReachExits69AndAWrongPasswordExits1() async throws {
        let lost = try await Program(redis: "redis://127.0.0.1:1").run("doctor")
        #expect(lost.code == 69 && lost.output == "")
        try await withLocalRedis(.init(extra: ["requirepass secret"])) { redis in
            let wrong = redis.url.replacing("//", with: "//:no@")
            let result = try await Program(redis: wrong).run("doctor")
            #expect(result.code == 1 && result.output == "")
            #expect(result.errors.split(separator: "\n").count == 1)
            let right = try await examine(redis.url.replacing("//", with: "//:secret@"))
            #expect(right.found["access"] == "ok")
        }
    }

    @Test(arguments: ["operator", "viewer", "starter", "orchestrator", "service pay"])
    func aUserOfEachRoleIsToldWhichRightsItLacks(_ role: String) async throws {
        try await withUsers(Self.persistent) { redis, directory in
            let skald = Program(redis: redis.url)
            let url = try await user(of: role, redis, directory)
            var orchestrator = try skald.start(
                "orchestrator", "--id", "a", output: directory.appending(path: "a.log").path)
            defer { orchestrator.kill() }
            try await eventually("the partitions are owned") {
                try await skald.run("status", "--json").output.contains(#""owner":"a""#)
            }
            let result = try await Program(redis: url).run("doctor", "--json")
            #expect(result.code == 0, "\(result.output)")
            let lines = result.output.split(separator: "\n")
            let missing = lines.filter { $0.contains(#""severity":"info","check":"rights""#) }
            switch role {
            case "operator":
                #expect(missing.isEmpty, "\(result.output)")
                let admin = try await RedisConnection.connect(to: redis.endpoint)
                #expect(try await admin.send(RedisCommand("ACL", "LOG")).value.count == 0)
                await admin.close()
            case "viewer":
                for right in ["+config|get", "+slowlog|get", "}:intake", "}:control", "+evalsha"] {
                    #expect(missing.contains { $0.contains(right) }, "\(right)")
                }
                #expect(lines.contains { $0.contains(#""severity":"ok","check":"ownership""#) })
            default:
                #expect(missing.contains { $0.contains("+config|get") })
                #expect(role == "orchestrator" || missing.contains { $0.contains("+info") })
                #expect(lines.contains { $0.contains(#""severity":"info","check":"namespace""#) }, "\(result.output)")
            }
        }
    }
}

@Suite("acl")
struct AccessControlTests {
    @Test func theRuleIsACommandThatMakesTheUser() async throws {
        try await withUsers(LocalRedisServer.Options()) { redis, directory in
            let url = try await user(of: "service pay", redis, directory)
            let connection = try await RedisConnection.connect(to: RedisEndpoint(url: url))
            let reply = RedisCommand("XADD", "{skald:0}:reply", "*", "a", "b")
            #expect(try await connection.send(reply).value.string != nil)
            await #expect(throws: RedisError.self) {
                try await connection.send(RedisCommand("XADD", "{skald:0}:intake", "*", "a", "b"))
            }
            await connection.close()
        }
    }

    @Test func withoutAPasswordItHoldsAPlaceholderAndSaysSo() async throws {
        let result = try await Program().run("acl", "viewer", "--namespace", "shop")
        #expect(result.code == 0)
        #expect(result.output.hasPrefix("ACL SETUSER skald-viewer reset on #@password@ resetchannels -@all "))
        #expect(result.output.contains("{shop:*}:*") && !result.output.contains("{skald"))
        #expect(result.output.split(separator: "\n").count == 1)
        #expect(result.errors.contains("#@password@"))
        let file = try await Program().run("acl", "service", "pay", "--user", "me", "--file")
        #expect(file.output.hasPrefix("user me reset on #@password@ "))
        let json = try await Program().run("acl", "starter", "--json")
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: String]
        #expect(object?["user"] == "skald-starter" && object?["rule"]?.hasPrefix("skald-starter reset on ") == true)
    }

    @Test func whatCannotBeIsToldInOneLine() async throws {
        try await withDirectory { directory in
            let (empty, two) = (directory.appending(path: "empty"), directory.appending(path: "two"))
            try "\n".write(to: empty, atomically: true, encoding: .utf8)
            try "a\nb\n".write(to: two, atomically: true, encoding: .utf8)
            for (arguments, code): ([String], Int32) in [
                (["service"], 64), (["service", "a b"], 64), (["service", "*"], 64), (["nobody"], 64),
                (["viewer", "--user", "a b"], 64), (["viewer", "--user", ""], 64),
                (["viewer", "--namespace", "*"], 64), (["viewer", "--password-file", "/nowhere"], 1),
                (["viewer", "--password-file", empty.path], 1), (["viewer", "--password-file", two.path], 1),
            ] {
                let result = try await Program().run(["acl"] + arguments)
                #expect(result.code == code, "\(arguments)")
                #expect(result.output == "")
                if code == 1 { #expect(result.errors.split(separator: "\n").count == 1) }
            }
        }
    }
}

private func withUsers(
    _ options: LocalRedisServer.Options, _ body: (LocalRedisServer, URL) async throws -> Void
) async throws {
    try await withLocalRedis(options) { redis in
        try await withDirectory { directory in try await body(redis, directory) }
    }
}

/// Makes a user of a role with what `skald acl` prints, and returns the URL with which it connects.
private func user(of role: String, _ redis: LocalRedisServer, _ directory: URL) async throws -> String {
    let password = directory.appending(path: "password")
    try "s3cret\n".write(to: password, atomically: true, encoding: .utf8)
    let result = try await Program().run(
        ["acl"] + role.split(separator: " ").map(String.init) + ["--user", "u", "--password-file", password.path])
    try #require(result.code == 0 && result.errors == "", "\(result.errors)")
    let admin = try await RedisConnection.connect(to: redis.endpoint)
    var command = RedisCommand("ACL", "SETUSER")
    let words = result.output.split(whereSeparator: \.isWhitespace)
    #expect(words.prefix(2) == ["ACL", "SETUSER"])
    for word in words.dropFirst(2) { command.append(String(word)) }
    #expect(try await admin.send(command).value.string == "OK")
    await admin.close()
    return redis.url.replacing("//", with: "//u:s3cret@")
}
