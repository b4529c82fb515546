import RedisTransport
import Testing

@Suite struct ConnectTests {
    @Test(arguments: ["redis://127.0.0.1:1", "unix:///nowhere/redis.sock"])
    func whyThereIsNoConnectionIsToldInPlainWords(url: String) async throws {
        let endpoint = try RedisEndpoint(url: url)
        let error = await failure { () async throws(RedisError) in try await RedisConnection.connect(to: endpoint) }
        let reason = url.hasPrefix("unix") ? "No such file or directory" : "Connection refused"
        #expect(error?.code == .connectFailed)
        #expect(error?.message == "no connection to \(endpoint.redacted): \(reason)")
    }

    @Test(arguments: [
        ("-LOADING Redis is loading the dataset in memory\r\n", RedisError.Code.loading),
        ("-BUSY Redis is busy running a script.\r\n", .busy), ("-NOAUTH Authentication required.\r\n", .noAuth),
        ("-ERR max number of clients reached\r\n", .connectFailed), ("SSH-2.0-OpenSSH\r\n", .connectFailed),
    ])
    func aServerThatIsNotReadyIsNoConnection(answer: String, code: RedisError.Code) async throws {
        try await FakeServer.run({ _, _ in .reply(answer) }) { server in
            let error = await failure { () async throws(RedisError) in
                try await RedisConnection.connect(to: server.endpoint)
            }
            #expect(error?.code == code)
            #expect(error?.effect == .notApplied)
            #expect(error?.message.contains("redis://127.0.0.1") == true)
        }
    }

    @Test func aServerThatAcceptsAndSaysNothingIsGivenUp() async throws {
        try await FakeServer.run({ _, _ in .silence }) { server in
            let error = await failure { () async throws(RedisError) in
                try await RedisConnection.connect(
                    to: server.endpoint, options: ConnectionOptions(connectTimeout: .milliseconds(100)))
            }
            #expect(error?.code == .connectFailed)
        }
    }

    @Test func aNameThatCannotBeResolvedIsSaidInOneLine() async {
        let endpoint = RedisEndpoint(address: .tcp(host: "no-such-host.invalid", port: 1))
        let error = await failure { () async throws(RedisError) in try await RedisConnection.connect(to: endpoint) }
        #expect(error?.code == .connectFailed)
    }
}
