import LocalRedis
import RedisTransport
import SagaTesting
import Testing

/// Each mode, seen from a client with a short patience.
@Suite("TCP proxy")
struct TCPProxyTests {
    private func connect(_ proxy: TCPProxy) async throws(RedisError) -> RedisConnection {
        var options = ConnectionOptions()
        options.connectTimeout = .seconds(5)
        return try await RedisConnection.connect(
            to: RedisEndpoint(address: .tcp(host: "127.0.0.1", port: proxy.port)), options: options)
    }

    private func withProxy(_ body: (TCPProxy, LocalRedisServer) async throws -> Void) async throws {
        try await withLocalRedis { server in
            let proxy = try await TCPProxy.start(to: server.port)
            do {
                try await body(proxy, server)
                await proxy.stop()
            } catch {
                await proxy.stop()
                throw error
            }
        }
    }

    @Test func bytesPassAndAreDelayedInTheirOrder() async throws {
        try await withProxy { proxy, _ in
            let connection = try await connect(proxy)
            #expect(try await connection.send(RedisCommand("INCR", "n")).value.integer == 1)
            proxy.setMode(.delay(.milliseconds(50)))
            let start = ContinuousClock.now
            let slow = connection.submit(RedisCommand("INCR", "n"))
            _ = try await slow.get()
            #expect(ContinuousClock.now - start >= .milliseconds(100))
            let late = connection.submit(RedisCommand("INCR", "n"))
            proxy.setMode(.pass)
            let next = connection.submit(RedisCommand("INCR", "n"))
            #expect(try await late.get().value.integer == 3)
            #expect(try await next.get().value.integer == 4)
            #expect(proxy.connectionCount == 1)
            await connection.close()
            try await eventually("the connection is gone") { proxy.connectionCount == 0 }
        }
    }

    @Test func aPartitionIsSilentAndItsConnectionsStayDead() async throws {
        try await withProxy { proxy, server in
            let connection = try await connect(proxy)
            proxy.setMode(.drop)
            let lost = connection.submit(RedisCommand("SET", "a", "1"), timeout: .milliseconds(100))
            await #expect(throws: RedisError.self) { try await lost.get() }
            let direct = try await RedisConnection.connect(to: server.endpoint)
            #expect(try await direct.send(RedisCommand("EXISTS", "a")).value.integer == 0)
            await direct.close()
            proxy.setMode(.pass)
            let again = try await connect(proxy)
            #expect(try await again.send(RedisCommand("EXISTS", "a")).value.integer == 0)
            await again.close()
        }
    }

    @Test func aCutEndsConnectionsUntilItIsMended() async throws {
        try await withProxy { proxy, _ in
            let connection = try await connect(proxy)
            proxy.setMode(.cut)
            try await eventually("the connection is closed") { connection.isClosed }
            await #expect(throws: RedisError.self) { try await connect(proxy) }
            proxy.setMode(.pass)
            await (try connect(proxy)).close()
        }
    }
}
