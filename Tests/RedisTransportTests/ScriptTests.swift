import LocalRedis
import RedisTransport
import Testing

@Suite struct ScriptTests {
    private static let add = RedisScript(
        name: "add", source: Array("#!lua\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])".utf8))

    @Test func digestsAreThoseOfTheServer() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            for source in ["return 1", "#!lua\nreturn 'é'", String(repeating: "-- x\n", count: 1000)] {
                let script = RedisScript(name: "s", source: Array(source.utf8))
                #expect(try await connection.send(script.loadCommand).value.string == script.sha1)
            }
        }
    }

    @Test func unknownScriptsAreLoadedAndRunOnce() async throws {
        try await withLocalRedis { server in
            let client = RedisClient(endpoint: server.endpoint, logger: .silent)
            for total in 1...3 {
                let reply = try await client.evaluate(Self.add, keys: ["n"]) { $0.append(1) }
                #expect(reply.value.integer == Int64(total))
                if total == 2 { _ = try await client.send(RedisCommand("SCRIPT", "FLUSH")) }
            }
            await client.close()
        }
    }

    @Test func submittedScriptsKeepTheirOrderOnceTheyAreLoaded() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            try await connection.load([Self.add])
            let pending = (0..<100).map { _ in connection.submit(Self.add, keys: ["n"]) { $0.append(1) } }
            for (index, reply) in pending.enumerated() {
                #expect(try await reply.get().value.integer == Int64(index + 1))
            }
        }
    }

    @Test func manyPendingCallsOfAnUnknownScriptAllRunOnce() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let pending = (0..<20).map { _ in connection.submit(Self.add, keys: ["n"]) { $0.append(1) } }
            var totals: Set<Int64> = []
            for reply in pending {
                totals.insert(try await reply.get().value.integer ?? -1)
            }
            #expect(totals == Set(1...20))
        }
    }

    @Test func aScriptThatMayNotBeLoadedSaysSo() async throws {
        try await withLocalRedis(.init(extra: ["user me on >pw ~* +@all -script"])) { server in
            let endpoint = try RedisEndpoint(url: "redis://me:pw@127.0.0.1:\(server.port)")
            let connection = try await RedisConnection.connect(to: endpoint)
            let error = await failure { () async throws(RedisError) in
                try await connection.evaluate(Self.add, keys: ["n"]) { $0.append(1) }
            }
            #expect(error?.code == .noPermission)
            #expect(error?.effect == .notApplied)
        }
    }

    @Test func anErrorInTheMiddleOfAScriptMayHaveLeftWrites() async throws {
        let script = RedisScript(
            name: "half",
            source: Array("#!lua\nredis.call('SET', KEYS[1], 'x')\nreturn redis.call('INCR', KEYS[1])".utf8))
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let error = await failure { () async throws(RedisError) in
                try await connection.evaluate(script, keys: ["k"])
            }
            #expect(error?.effect == .indeterminate)
            #expect(error?.message.contains("not an integer") == true)
            #expect(try await connection.send(RedisCommand("GET", "k")).value.string == "x")
        }
    }

    @Test func aFullServerRefusesScriptsBeforeTheyRun() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            try await connection.load([Self.add])
            _ = try await connection.send(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
            let error = await failure { () async throws(RedisError) in
                try await connection.evaluate(Self.add, keys: ["n"]) { $0.append(1) }
            }
            #expect(error?.code == .outOfMemory)
            #expect(error?.effect == .notApplied)
            #expect(error?.isTransient == true)
        }
    }
}
