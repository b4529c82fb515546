import LocalRedis
import RedisTransport
import Testing

@Suite struct ServerInfoTests {
    @Test func propertiesAreReadByTheirNames() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let info = ServerInfo(try await connection.send(RedisCommand("INFO", "everything")))
            #expect(info["maxmemory_policy"] == "noeviction")
            #expect(info["tcp_port"] == String(server.port))
            #expect(info.number("maxmemory") == 0)
            #expect((info.number("used_memory") ?? 0) > 100_000)
            #expect(info["executable"]?.contains("redis-server") == true, "a value may hold colons and slashes")
            #expect(info["nothing"] == nil)
            #expect(info.number("redis_version") == nil)
            #expect(info["# Server"] == nil)
            await connection.close()
        }
    }

    @Test func whatIsNoInfoHasNoProperties() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let info = ServerInfo(try await connection.send(RedisCommand("TIME")))
            #expect(info["redis_version"] == nil)
            await connection.close()
        }
    }
}
