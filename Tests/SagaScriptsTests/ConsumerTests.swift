import LocalRedis
import RedisTransport
import SagaScripts
import Testing

@Suite struct ConsumerTests {
    private func remove(_ server: ScriptServer, idle: String = "0", limit: String = "10") async throws -> [String] {
        let keys = [Key.state, Key.command("a"), Key.command("b"), Key.command("c")]
        let arguments = ["o1", "1", idle, limit, "a", "b", "c"]
        let answer = try await server.call(SagaScripts.consumerRemove, keys, arguments)
        #expect(answer.first == "ok")
        return try await consumers(server)
    }

    private func consumers(_ server: ScriptServer) async throws -> [String] {
        let reply = try await server.connection.send(
            RedisCommand("XINFO", "CONSUMERS", Key.command("a"), "a")
        ).value
        return (0..<reply.count).compactMap { reply[$0][1].string }.sorted()
    }

    private func with(_ body: (ScriptServer) async throws -> Void) async throws {
        try await ScriptServer.with { server in
            try await server.occupy()
            try await server.send("XGROUP", "CREATE", Key.command("a"), "a", "0", "MKSTREAM")
            for id in 1...4 { try await server.send("XADD", Key.command("a"), "\(id)-0", "n", "\(id)") }
            // A stream of another service, without its group.
            try await server.send("XGROUP", "CREATE", Key.command("b"), "somebody", "0", "MKSTREAM")
            for (consumer, id) in zip(["busy", "done", "gone"], ["1", "2", "3"]) {
                try await server.send(
                    "XREADGROUP", "GROUP", "a", consumer, "COUNT", "1", "STREAMS", Key.command("a"), ">")
                if consumer != "busy" { try await server.send("XACK", Key.command("a"), "a", "\(id)-0") }
            }
            try await body(server)
        }
    }

    @Test func whoHoldsACommandStaysAndWhoHoldsNoneGoes() async throws {
        try await with { server in
            #expect(try await remove(server) == ["busy"])
            let pending = try await server.connection.send(RedisCommand("XPENDING", Key.command("a"), "a")).value
            #expect(pending[0].integer == 1)
        }
    }

    @Test func whoHasAskedNotLongAgoStays() async throws {
        try await with { server in
            let left = try await remove(server, idle: "3600000")
            #expect(left == ["busy", "done", "gone"])
        }
    }

    @Test func oneCallRemovesFew() async throws {
        try await with { server in
            let left = try await remove(server, limit: "1")
            #expect(left.count == 2)
            let leftNext = try await remove(server, limit: "1")
            #expect(leftNext == ["busy"])
        }
    }

    /// A blocked read names its consumer, which is made anew when something comes.
    @Test func whoWaitsInABlockingReadMissesNothing() async throws {
        try await withLocalRedis { local in
            let server = ScriptServer(connection: try await RedisConnection.connect(to: local.endpoint))
            let reader = try await RedisConnection.connect(to: local.endpoint)
            try await server.occupy()
            try await server.send("XGROUP", "CREATE", Key.command("a"), "a", "0", "MKSTREAM")
            try await server.send("XGROUP", "CREATECONSUMER", Key.command("a"), "a", "alive")
            let read = RedisCommand(
                "XREADGROUP", "GROUP", "a", "alive", "BLOCK", "20000", "STREAMS", Key.command("a"), ">")
            async let reply = reader.blocking(read, for: .seconds(20))
            while try await server.connection.send(RedisCommand("INFO", "clients")).value.string?
                .contains("blocked_clients:1") != true
            {}
            #expect(try await remove(server) == [])
            try await server.send("XADD", Key.command("a"), "1-0", "n", "1")
            #expect(try await reply.value[0][1][0][0].string == "1-0")
            #expect(try await consumers(server) == ["alive"])
            await reader.close()
            await server.connection.close()
        }
    }
}
