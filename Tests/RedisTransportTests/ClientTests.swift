import LocalRedis
import Logging
import RedisTransport
import Synchronization
import Testing

@Suite struct ClientTests {
    private static func client(
        _ endpoint: RedisEndpoint, connectTimeout: Duration = .seconds(5), logger: Logger = .silent
    ) -> RedisClient {
        RedisClient(endpoint: endpoint, options: ConnectionOptions(connectTimeout: connectTimeout), logger: logger)
    }

    @Test func allCallersShareOneConnection() async throws {
        try await FakeServer.run({ _, _ in .reply("+PONG\r\n") }) { server in
            let client = Self.client(server.endpoint)
            let connections = try await withThrowingTaskGroup(of: ObjectIdentifier.self) { group in
                for _ in 0..<50 {
                    group.addTask { ObjectIdentifier(try await client.connection()) }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(connections.count == 1)
            #expect(server.connections == 1)
            await client.close()
        }
    }

    @Test func aLoadingServerIsTriedAgainUntilItIsReady() async throws {
        try await FakeServer.run({ connection, _ in
            .reply(connection < 3 ? "-LOADING Redis is loading the dataset in memory\r\n" : "+PONG\r\n")
        }) { server in
            let client = Self.client(server.endpoint)
            let reply = try await client.send(RedisCommand("PING"))
            #expect(reply.value.string == "PONG")
            #expect(server.connections == 4)
            await client.close()
        }
    }

    @Test func attemptsAreBoundedInRateHoweverManyAsk() async throws {
        // The server accepts, answers the handshake and hangs up: the client must not take that for success.
        try await FakeServer.run({ _, _ in .replyAndClose("+PONG\r\n") }) { server in
            let client = Self.client(server.endpoint, connectTimeout: .milliseconds(100))
            let begin = ContinuousClock.now
            await withTaskGroup { group in
                for _ in 0..<20 {
                    group.addTask {
                        while server.connections < 4 {
                            let outcome = await client.pipeline([RedisCommand("GET", "a")])
                            if case .failure(let error) = outcome[0] { #expect(error.isTransient) }
                        }
                    }
                }
            }
            // At least 50, 100 and 200 ms lie between four attempts.
            #expect(ContinuousClock.now - begin >= .milliseconds(350))
            await client.close()
        }
    }

    @Test func waitingForAConnectionEnds() async throws {
        // Nobody can be given a port that low in the meantime.
        let client = Self.client(try RedisEndpoint(url: "redis://127.0.0.1:1"), connectTimeout: .seconds(15))
        // Long enough for an attempt to be refused also while the machine is busy with other tests.
        let begin = ContinuousClock.now
        let error = await failure { () async throws(RedisError) in try await client.connection() }
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("refused") == true, "the last reason is told: \(error?.message ?? "")")
        #expect(ContinuousClock.now - begin >= .milliseconds(14_900))
        await client.close()
    }

    @Test func waitingForAConnectionCanBeCancelled() async throws {
        try await FakeServer.run({ _, _ in .silence }) { server in
            let client = Self.client(server.endpoint, connectTimeout: .seconds(60))
            let waiting = Task {
                await failure { () async throws(RedisError) in try await client.connection() }
            }
            waiting.cancel()
            #expect(await waiting.value?.code == .cancelled)
            await client.close()
        }
    }

    @Test func submittingWithoutAConnectionFailsAtOnceAndBringsOneAbout() async throws {
        try await FakeServer.run({ _, _ in .reply("+PONG\r\n") }) { server in
            let client = Self.client(server.endpoint)
            let error = await failure { () async throws(RedisError) in
                try await client.submit(RedisCommand("PING")).get()
            }
            #expect(error?.code == .connectionClosed)
            #expect(error?.effect == .notApplied)
            while client.current == nil { await Task.yield() }
            let reply = try await client.submit(RedisCommand("PING")).get()
            #expect(reply.value.string == "PONG")
            await client.close()
        }
    }

    @Test func aClosedClientStaysClosed() async throws {
        try await FakeServer.run({ _, _ in .reply("+PONG\r\n") }) { server in
            let messages = CapturingLogHandler.Messages()
            let client = Self.client(server.endpoint, logger: .capturing(messages))
            let connection = try await client.connection()
            await client.close()
            #expect(connection.isClosed)
            let error = await failure { () async throws(RedisError) in try await client.connection() }
            #expect(error?.code == .connectionClosed)
            #expect(messages.all.isEmpty, "closing is no loss")
        }
    }

    @Test func aLossIsLoggedOnceAndTheReturnOnce() async throws {
        try await withLocalRedis { server in
            let messages = CapturingLogHandler.Messages()
            let client = Self.client(server.endpoint, logger: .capturing(messages))
            let connection = try await client.connection()
            server.kill()
            try await connection.closed()
            let pending = Task { try await client.send(RedisCommand("PING")).value.string }
            try await server.restart()
            #expect(try await pending.value == "PONG")
            #expect(
                messages.all == [
                    "warning no connection to Redis; trying to get one whenever it is needed",
                    "info the connection to Redis is back",
                ])
            await client.close()
        }
    }

    @Test func aRefusedLoginIsToldAtOnce() async throws {
        try await withLocalRedis(.init(extra: ["requirepass secret"])) { server in
            var endpoint = server.endpoint
            for (password, code) in [(nil, RedisError.Code.noAuth), ("wrong", .wrongPass)] {
                endpoint.password = password
                let client = Self.client(endpoint, connectTimeout: .seconds(60))
                let error = await failure { () async throws(RedisError) in try await client.connection() }
                #expect(error?.code == code)
                #expect(error?.message.contains("secret") == false)
                await client.close()
            }
        }
    }
}
