import LocalRedis
import RedisTransport
import Testing

@Suite struct ServerTests {
    @Test func repliesComeInTheOrderOfTheCalls() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let pending = (0..<10_000).map { _ in connection.submit(RedisCommand("INCR", "n")) }
            for (index, reply) in pending.enumerated() {
                #expect(try await reply.get().value.integer == Int64(index + 1))
            }
        }
    }
}
