import Foundation
import LocalRedis
import RedisTransport
import TestSupport
import Testing

/// Against a real server with TLS, and an authority of the test's own.
@Suite struct TLSTests {
    private let authority: TestAuthority

    init() throws {
        authority = try TestAuthority()
    }

    private func withServer(
        for names: String = "DNS:localhost,IP:127.0.0.1", days: Int = 2, demandsCertificate: Bool = false,
        _ body: (LocalRedisServer) async throws -> Void
    ) async throws {
        let files = try authority.sign("server", for: names, days: days)
        var options = LocalRedisServer.Options()
        options.tls = .init(
            authority: authority.file, certificate: files.certificate, key: files.key,
            demandsCertificate: demandsCertificate)
        try await withLocalRedis(options, body)
    }

    private func expectPong(_ endpoint: RedisEndpoint) async throws {
        let connection = try await RedisConnection.connect(to: endpoint)
        // More than fits into one TLS record, both ways.
        let text = String(repeating: "x", count: 200_000)
        #expect(try await connection.send(RedisCommand("ECHO", text)).value.string == text)
        await connection.close()
    }

    private func expectFailure(_ endpoint: RedisEndpoint, _ reason: String, _ code: RedisError.Code = .tlsFailed) async
    {
        let error = await failure { () async throws(RedisError) in
            try await RedisConnection.connect(to: endpoint)
        }
        #expect(error?.code == code)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("\n") == false)
        #expect(error?.effect == .notApplied)
    }

    @Test func aServerIsKnownByItsAddressByItsNameOrByTheNameThatIsAskedFor() async throws {
        try await withServer { server in
            try await expectPong(server.endpoint)
            var named = try RedisEndpoint(url: "rediss://localhost:\(server.port)")
            named.tls?.authorityFile = authority.file
            try await expectPong(named)
        }
        try await withServer(for: "DNS:redis.example.org") { server in
            await expectFailure(server.endpoint, "the server's certificate is not for '127.0.0.1'")
            var named = server.endpoint
            named.tls?.serverName = "redis.example.org"
            try await expectPong(named)
            named.tls?.serverName = "example.org"
            await expectFailure(named, "not for 'example.org'")
        }
    }

    @Test func whomTheAuthoritiesDoNotVouchForIsRefused() async throws {
        let other = try TestAuthority()
        try await withServer { server in
            var endpoint = server.endpoint
            endpoint.tls?.authorityFile = other.file
            await expectFailure(endpoint, "not signed by a valid authority of \(other.file)")
            endpoint.tls?.authorityFile = nil
            await expectFailure(endpoint, "not signed by a valid authority of the system's list")
        }
        try await withServer(days: -1) { server in
            await expectFailure(server.endpoint, "the server's certificate expired 1 day ago")
        }
    }

    @Test func aServerThatDemandsACertificateGetsOne() async throws {
        try await withServer(demandsCertificate: true) { server in
            let anonymous = await failure { () async throws(RedisError) in
                try await RedisConnection.connect(to: server.endpoint)
            }
            #expect(anonymous?.message.contains("demand") == true, "\(anonymous?.message ?? "")")
            #expect(anonymous?.message.contains("client certificate") == true)
            let own = try authority.sign("client")
            var endpoint = server.endpoint
            endpoint.tls?.certificateFile = own.certificate
            await expectFailure(endpoint, "without its key")
            endpoint.tls?.keyFile = own.key
            try await expectPong(endpoint)

            let stranger = try TestAuthority().sign("client")
            endpoint.tls?.certificateFile = stranger.certificate
            await expectFailure(endpoint, "No such file")
        }
    }

    @Test func aCertificateOfAStrangerIsRefused() async throws {
        let strangers = try TestAuthority()
        let strange = try strangers.sign("client")
        try await withServer(demandsCertificate: true) { server in
            var endpoint = server.endpoint
            endpoint.tls?.certificateFile = strange.certificate
            endpoint.tls?.keyFile = strange.key
            let error = await failure { () async throws(RedisError) in
                try await RedisConnection.connect(to: endpoint)
            }
            #expect(
                error?.message.contains("refuse the client certificate") == true
                    || error?.message.contains("refuses the client certificate") == true, "\(error?.message ?? "")")
        }
    }

    @Test func filesThatAreOfNoUseAreNamed() async throws {
        let own = try authority.sign("client")
        let other = try authority.sign("other")
        var endpoint = try RedisEndpoint(url: "rediss://127.0.0.1:1")
        endpoint.tls?.authorityFile = "/nowhere/ca.pem"
        await expectFailure(endpoint, "the CA file /nowhere/ca.pem cannot be read: No such file or directory")
        endpoint.tls?.authorityFile = own.key
        await expectFailure(endpoint, "the CA file \(own.key) holds no PEM of that kind")
        endpoint.tls = RedisTLS(authorityFile: authority.file, certificateFile: own.certificate, keyFile: other.key)
        await expectFailure(endpoint, "the client's key does not belong to its certificate")
        endpoint.tls = RedisTLS(authorityFile: authority.file, serverName: "10.0.0.1")
        await expectFailure(endpoint, "must be a DNS name")
    }

    @Test func plainTextAndTLSThatMeetAreToldApart() async throws {
        try await withServer { server in
            let plain = RedisEndpoint(address: server.endpoint.address)
            await expectFailure(plain, "if it expects TLS, use rediss://", .connectFailed)
        }
        try await FakeServer.run({ _, _ in .replyAndClose("-ERR Protocol error: unbalanced quotes\r\n") }) { server in
            var endpoint = server.endpoint
            endpoint.tls = RedisTLS(authorityFile: authority.file)
            await expectFailure(endpoint, "the server speaks no TLS on this port")
        }
    }

    @Test func aHandshakeThatIsCutOrNeverEndsIsGivenUp() async throws {
        try await FakeServer.run({ connection, _ in connection == 0 ? .close : .silence }) { server in
            var endpoint = server.endpoint
            endpoint.tls = RedisTLS(authorityFile: authority.file)
            await expectFailure(endpoint, "the server closed the connection during the TLS handshake", .connectFailed)
            let error = await failure { () async throws(RedisError) in
                try await RedisConnection.connect(
                    to: endpoint, options: ConnectionOptions(connectTimeout: .milliseconds(100)))
            }
            #expect(error?.code == .connectFailed)
            #expect(error?.message.hasSuffix("does it speak TLS on this port?") == true, "\(error?.message ?? "")")
        }
    }

    @Test func aConnectionThatIsLostComesBackWithTheCertificatesOfThatTime() async throws {
        try await withServer { server in
            let client = RedisClient(endpoint: server.endpoint, logger: .silent)
            #expect(try await client.connection().send(RedisCommand("PING")).value.string == "PONG")
            server.kill()
            // The same place, another certificate of the same authority.
            _ = try authority.sign("server")
            try await server.restart()
            #expect(try await client.connection().send(RedisCommand("PING")).value.string == "PONG")
            await client.close()
        }
    }
}
