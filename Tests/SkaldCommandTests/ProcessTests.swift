import Foundation
#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif
import LocalRedis
import RedisTransport
import Testing

@Suite("The orchestrator's process", .serialized)
struct ProcessTests {
    private func command(_ redis: LocalRedisServer, _ command: RedisCommand) async throws {
        let connection = try await RedisConnection.connect(to: redis.endpoint)
        _ = try await connection.send(command)
        await connection.close()
    }

    @Test func itRefusesAServerThatEvicts() async throws {
        try await withLocalRedis { redis in
            try await command(redis, RedisCommand("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"))
            let result = try await Program(redis: redis.url).run("orchestrator")
            #expect(result.code == 1)
            #expect(result.errors.contains("may evict keys (maxmemory-policy allkeys-lru)"))
        }
    }

    @Test func itRefusesAnotherPartitionCountOrProtocol() async throws {
        try await withLocalRedis { redis in
            let skald = Program(redis: redis.url)
            try await command(redis, RedisCommand("HSET", "{skald}:meta", "partitions", "4", "protocol", "1"))
            let count = try await skald.run("orchestrator", "--partitions", "8")
            #expect(count.code == 1)
            #expect(count.errors.contains("namespace 'skald' has 4 partitions, not 8"))
            try await command(redis, RedisCommand("HSET", "{skald}:meta", "protocol", "2"))
            let version = try await skald.run("orchestrator")
            #expect(version.code == 1)
            #expect(version.errors.contains("has protocol 2, this version speaks 1"))
        }
    }

    @Test func itWaitsForRedisAndSaysSoOnce() async throws {
        try await withLocalRedis { redis in
            redis.kill()
            try await withDirectory { directory in
                let log = directory.appending(path: "log")
                let skald = Program(redis: redis.url)
                var orchestrator = try skald.start("orchestrator", "--id", "a", output: log.path)
                defer { orchestrator.kill() }
                try await eventually("it says so") { text(log).contains("store out of reach") }
                // Long enough for several tries.
                try await Task.sleep(for: .seconds(1))
                #expect(text(log).components(separatedBy: "store out of reach").count == 2)
                try await redis.restart()
                try await eventually("it works") { text(log).contains("orchestrator started") }
            }
        }
    }

    @Test func sigtermHandsOverAndExitsWith0() async throws {
        try await withLocalRedis { redis in
            try await withDirectory { directory in
                let skald = Program(redis: redis.url)
                let log = directory.appending(path: "log")
                var first = try skald.start("orchestrator", "--id", "a", "--lease", "30s", output: log.path)
                defer { first.kill() }
                try await eventually("it owns the partitions") {
                    try await skald.run("status", "--json").output.contains(#""owner":"a""#)
                }
                first.terminate()
                try await eventually("it ends") { !first.isRunning }
                #expect(first.exitCode == 0)
                // The lease would run for half a minute: the partitions were given up.
                var second = try skald.start(
                    "orchestrator", "--id", "b", output: directory.appending(path: "b.log").path)
                defer { second.kill() }
                try await eventually("another has them", within: .seconds(15)) {
                    let status = try await skald.run("status", "--json").output
                    return !status.contains(#""owner":null"#) && status.contains(#""owner":"b""#)
                }
            }
        }
    }

    @Test func afterAKillAnotherTakesOverWithinTheLeaseAndOneSecond() async throws {
        try await withLocalRedis { redis in
            try await withDirectory { directory in
                let skald = Program(redis: redis.url)
                var first = try skald.start(
                    "orchestrator", "--id", "a", output: directory.appending(path: "a.log").path)
                defer { first.kill() }
                try await eventually("it owns the partitions") {
                    !(try await skald.run("status", "--json").output.contains(#""owner":null"#))
                }
                var second = try skald.start(
                    "orchestrator", "--id", "b", "--http", "127.0.0.1:0",
                    output: directory.appending(path: "b.log").path)
                defer { second.kill() }
                try await eventually("the second runs") {
                    text(directory.appending(path: "b.log")).contains("orchestrator started")
                }
                let killed = ContinuousClock.now
                first.kill()
                let connection = try await RedisConnection.connect(to: redis.endpoint)
                for partition in 0..<16 {
                    try await eventually("partition \(partition) is taken") {
                        let owner = RedisCommand("HGET", "{skald:\(partition)}:state", "name")
                        return try await connection.send(owner).value.string == "b"
                    }
                }
                await connection.close()
                let elapsed = ContinuousClock.now - killed
                print("taken over within \(elapsed)")
                // 4 s by design (lease 3 s); the rest is for a slow machine.
                #expect(elapsed < .seconds(8))
            }
        }
    }

    @Test func devStartsAndStopsItsOwnServerAndKeepsItsData() async throws {
        try await withDirectory { directory in
            let data = directory.appending(path: "data").path
            for round in 0..<2 {
                let log = directory.appending(path: "log-\(round)")
                var dev = try Program().start("dev", "--data", data, "--http", "127.0.0.1:0", output: log.path)
                defer { dev.kill() }
                try await eventually("it runs") { text(log).contains("orchestrator started") }
                let url = try #require(text(log).firstMatch(of: /redis:\/\/127.0.0.1:\d+/)).output
                let skald = Program(redis: String(url))
                if round == 0 {
                    let file = directory.appending(path: "wait.yaml")
                    try "name: waiting\nversion: 1\nsteps: [{name: go, signal: go}]\n"
                        .write(to: file, atomically: true, encoding: .utf8)
                    #expect(try await skald.run("apply", file.path).code == 0)
                    #expect(try await skald.run("start", "waiting", "--id", "w-1").code == 0)
                }
                try await eventually("the saga is there") { try await skald.run("show", "w-1").code == 0 }
                dev.terminate()
                try await eventually("it ends") { !dev.isRunning }
                #expect(dev.exitCode == 0)
                #expect(try await skald.run("list").code == 69, "Redis is stopped, too")
            }
        }
    }

    @Test func devLooksAtItsOptionsBeforeItStartsAServer() async throws {
        try await withDirectory { directory in
            let data = directory.appending(path: "data").path
            for (arguments, code) in [
                (["--namespace", "Not One"], 64), (["--http", "nowhere"], 64), (["--lease", "soon"], 64),
                (["--http", "0.0.0.0:8410"], 1), (["--secret-file", "/nowhere"], 1),
                (["--redis", "redis://127.0.0.1:1"], 64),
            ] {
                let result = try await Program().run(["dev", "--data", data] + arguments)
                #expect(Int(result.code) == code)
                #expect(!FileManager.default.fileExists(atPath: data), "\(arguments)")
            }
        }
    }

    @Test func anAddressThatIsTakenIsToldInOneLine() async throws {
        try await withLocalRedis { redis in
            // Redis' own port is taken for sure.
            let result = try await Program(redis: redis.url).run(
                "orchestrator", "--http", "127.0.0.1:\(redis.port)", "--log-level", "critical")
            #expect(result.code == 1)
            #expect(result.errors.hasPrefix("skald: HTTP cannot be served at 127.0.0.1:\(redis.port): "))
            #expect(result.errors.split(separator: "\n").count == 1)
        }
    }

    @Test func healthIsServedOverHTTPAndOnlyToThisMachine() async throws {
        try await withLocalRedis { redis in
            try await withDirectory { directory in
                let skald = Program(redis: redis.url)
                let refused = try await skald.run("orchestrator", "--http", "0.0.0.0:8410")
                #expect(refused.code == 1)
                #expect(refused.errors.contains("use 127.0.0.1, not 0.0.0.0"))
                let log = directory.appending(path: "log")
                let port = Int.random(in: 19_000..<20_000)
                var orchestrator = try skald.start("orchestrator", "--http", "127.0.0.1:\(port)", output: log.path)
                defer { orchestrator.kill() }
                for (path, sign) in [
                    ("healthz", #"{"status":"ok"}"#), ("readyz", #"{"status":"ready"}"#),
                    ("metrics", "skald_partitions_held"),
                ] {
                    try await eventually("\(path) answers") {
                        let url = try #require(URL(string: "http://127.0.0.1:\(port)/\(path)"))
                        // No answer yet is none.
                        guard let (body, _) = try? await URLSession.shared.data(from: url) else { return false }
                        return String(decoding: body, as: UTF8.self).contains(sign)
                    }
                }
            }
        }
    }
}
