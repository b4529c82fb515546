import Foundation
import LocalRedis
import RedisTransport
import Testing

@Suite struct LocalRedisTests {
    @Test func startedServerAnswersOverBothSockets() async throws {
        try await withLocalRedis { server in
            for url in [server.url, server.unixURL] {
                let connection = try await RedisConnection.connect(to: RedisEndpoint(url: url))
                #expect(try await connection.send(RedisCommand("PING")).value.string == "PONG")
                await connection.close()
            }
        }
    }
}
