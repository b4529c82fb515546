import LocalRedis
import NIOCore
import RedisTransport
import Testing

/// A client and real sentinels.
@Suite struct SentinelTests {
    private static func client(_ endpoint: RedisEndpoint, connectTimeout: Duration = .seconds(20)) -> RedisClient {
        RedisClient(endpoint: endpoint, options: ConnectionOptions(connectTimeout: connectTimeout), logger: .silent)
    }

    /// Tries until a write is accepted by another server than before.
    private static func write(_ client: RedisClient, elsewhereThan address: RedisEndpoint.Address?) async throws {
        let end = ContinuousClock.now + .seconds(40)
        while true {
            do throws(RedisError) {
                let connection = try await client.connection()
                _ = try await connection.send(RedisCommand("INCR", "n"))
                if connection.address != address { return }
            } catch {
                #expect(error.isTransient, "\(error)")
            }
            try #require(ContinuousClock.now < end, "no new master was found")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test func aMasterThatDiesIsSucceeded() async throws {
        try await withLocalSentinel { group in
            let client = Self.client(group.endpoint)
            let first = try await client.connection().address
            #expect(first == group.servers[0].endpoint.address)
            group.servers[0].kill()
            try await Self.write(client, elsewhereThan: first)
            await client.close()
        }
    }

    @Test func aMasterThatFreezesIsLeftThoughItTakesItselfForOne() async throws {
        try await withLocalSentinel { group in
            let client = Self.client(group.endpoint)
            let connection = try await client.connection()
            group.servers[0].freeze()
            // Nothing is sent, and nothing is lost but silence: the sentinels' word alone ends the connection.
            try await connection.closeFuture.get()
            try await Self.write(client, elsewhereThan: connection.address)
            group.servers[0].thaw()
            #expect(try await client.connection().address != connection.address)
            await client.close()
        }
    }

    @Test func aReplicaIsNotWrittenTo() async throws {
        try await withLocalSentinel { group in
            let client = Self.client(group.endpoint)
            let connection = try await client.connection()
            // Demoted under the client's hands.
            _ = try await connection.send(RedisCommand("REPLICAOF", "127.0.0.1", "\(group.servers[1].port)"))
            let error = await failure { () async throws(RedisError) in
                try await connection.send(RedisCommand("INCR", "n"))
            }
            #expect(error?.code == .readOnly)
            #expect(connection.isClosed)
            await client.close()
        }
    }

    @Test func whatIsWrongIsSaidInOneLine() async throws {
        var options = LocalSentinel.Options()
        (options.replicas, options.sentinels, options.sentinelPassword) = (0, 1, "sesame")
        try await withLocalSentinel(options) { group in
            var endpoint = group.endpoint
            guard case .sentinel(let sentinels, _) = endpoint.address else { return }
            #expect(await Self.reason(endpoint) == nil)
            endpoint.address = .sentinel(sentinels, master: "nobody")
            #expect(await Self.reason(endpoint)?.contains("knows no master named 'nobody'") == true)
            endpoint = group.endpoint
            endpoint.sentinelPassword = nil
            #expect(await Self.reason(endpoint)?.contains("SKALD_SENTINEL_PASSWORD") == true)
            endpoint.sentinelPassword = "wrong"
            #expect(await Self.reason(endpoint)?.contains("SKALD_SENTINEL_PASSWORD") == true)
            // A server is no sentinel.
            endpoint.address = .sentinel([RedisNode(host: "127.0.0.1", port: group.servers[0].port)], master: "m")
            endpoint.sentinelPassword = nil
            #expect(await Self.reason(endpoint)?.contains("no sentinel answers") == true)
        }
    }

    private static func reason(_ endpoint: RedisEndpoint) async -> String? {
        do throws(RedisError) {
            await (try RedisConnection.connect(to: endpoint)).close()
            return nil
        } catch {
            #expect(!error.message.contains("\n"))
            return error.message
        }
    }
}
