import LocalRedis
import RedisTransport
import Testing

@Suite struct StartFailureTests {
    @Test func aMissingBinaryIsAClearError() async throws {
        let error = await #expect(throws: LocalRedisError.self) {
            try await LocalRedisServer.start(.init(binary: "no-such-redis-server"))
        }
        #expect(error?.message.contains("no-such-redis-server was not found") == true)
    }

    @Test func aConfigurationThatTheServerRefusesIsTold() async throws {
        let error = await #expect(throws: LocalRedisError.self) {
            try await LocalRedisServer.start(.init(extra: ["no-such-option 1"]))
        }
        #expect(error?.message.contains("no-such-option") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("\n") == false)
    }

    @Test func aTakenPortIsTold() async throws {
        try await withLocalRedis { server in
            let error = await #expect(throws: LocalRedisError.self) {
                try await LocalRedisServer.start(.init(port: server.port))
            }
            #expect(error?.message.contains("Address already in use") == true, "\(error?.message ?? "")")
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let answer = try await connection.send(RedisCommand("PING"))
            #expect(answer.value.string == "PONG")
        }
    }
}
