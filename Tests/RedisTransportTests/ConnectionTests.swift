import NIOCore
import NIOPosix
import RedisTransport
import Testing

/// A connection against a server that misbehaves.
@Suite struct ConnectionTests {
    private static func options(replyTimeout: Duration = .seconds(10)) -> ConnectionOptions {
        ConnectionOptions(connectTimeout: .seconds(5), replyTimeout: replyTimeout)
    }

    /// Answers the handshake, and everything else with `answer`.
    private static func afterHandshake(_ answer: FakeServer.Answer) -> FakeServer.Script {
        { _, received in received.contains("PING") ? .reply("+PONG\r\n") : answer }
    }

    @Test(arguments: [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", RedisError.Code.protocolViolation), ("$5\r\nhelloX", .protocolViolation),
        ("*2147483647\r\n", .replyTooLarge), ("$536870912\r\n", .replyTooLarge), (":1\r\n:2\r\n", .protocolViolation),
    ])
    func aPeerThatBreaksTheRulesIsCutOff(answer: String, code: RedisError.Code) async throws {
        try await FakeServer.run(Self.afterHandshake(.reply(answer))) { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let first = connection.submit(RedisCommand("GET", "a"))
            let outcome = await Result { () async throws(RedisError) in try await first.get() }
            if case .failure(let error) = outcome {
                #expect(error.code == code)
                #expect(error.effect == .indeterminate)
            } else {
                #expect(answer.hasPrefix(":1"), "the reply before the violation counts")
            }
            try await connection.closed()
            let error = await failure { () async throws(RedisError) in try await connection.send(RedisCommand("PING")) }
            #expect(error?.code == code)
            #expect(error?.effect == .notApplied)
        }
    }

    @Test func aLostReplyEndsTheConnection() async throws {
        try await FakeServer.run(Self.afterHandshake(.silence)) { server in
            let connection = try await RedisConnection.connect(
                to: server.endpoint, options: Self.options(replyTimeout: .milliseconds(50)))
            let pending = (0..<3).map { _ in connection.submit(RedisCommand("INCR", "n")) }
            for reply in pending {
                let error = await failure { () async throws(RedisError) in try await reply.get() }
                #expect(error?.code == .timeout)
                #expect(error?.effect == .indeterminate)
            }
            #expect(connection.isClosed)
        }
    }

    @Test func blockingCommandsMayTakeTheirTime() async throws {
        try await FakeServer.run(Self.afterHandshake(.silence)) { server in
            var options = Self.options(replyTimeout: .milliseconds(1))
            options.blockingMargin = .milliseconds(100)
            let connection = try await RedisConnection.connect(to: server.endpoint, options: options)
            let begin = ContinuousClock.now
            let error = await failure { () async throws(RedisError) in
                try await connection.blocking(RedisCommand("BLPOP", "a", "0.1"), for: .milliseconds(100))
            }
            #expect(error?.code == .timeout)
            #expect(ContinuousClock.now - begin >= .milliseconds(200))
        }
    }

    @Test func cancelledWaitsLeaveTheOrderOfRepliesIntact() async throws {
        let count = FakeServer.Counter()
        try await FakeServer.run({ _, received in
            if received.contains("PING") { return .reply("+PONG\r\n") }
            // Nothing for the first command; both replies with the second.
            return count.next() == 0 ? .silence : .reply(":1\r\n:2\r\n")
        }) { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let first = connection.submit(RedisCommand("GET", "a"))
            let waiting = Task { () async -> RedisError? in
                await failure { () async throws(RedisError) in try await first.get() }
            }
            waiting.cancel()
            let error = await waiting.value
            #expect(error?.code == .cancelled)
            #expect(error?.effect == .indeterminate)
            while count.value == 0 { await Task.yield() }
            #expect(try await connection.send(RedisCommand("GET", "b")).value.integer == 2)
            #expect(try await first.get().value.integer == 1, "a cancelled wait does not lose the reply")
        }
    }

    @Test func aCancelledBlockingCommandClosesTheConnection() async throws {
        try await FakeServer.run(Self.afterHandshake(.silence)) { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let reading = Task {
                await failure { () async throws(RedisError) in
                    try await connection.blocking(RedisCommand("XREAD"), for: .seconds(60))
                }
            }
            reading.cancel()
            #expect(await reading.value?.code == .cancelled)
            #expect(connection.isClosed)
        }
    }

    @Test func commandsBehindAFullSocketAreKnownNotToBeApplied() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        try await FakeServer.run(Self.afterHandshake(.stopReading)) { server in
            let connection = try await RedisConnection.connect(
                to: server.endpoint, options: Self.options(replyTimeout: .milliseconds(300)), on: group)
            let big = RedisCommand("SET", "k", String(repeating: "x", count: 32 << 20))
            let written = connection.submit(big)
            try await group.next().submit {}.get()
            let held = connection.submit(RedisCommand("INCR", "n"))
            let first = await failure { () async throws(RedisError) in try await written.get() }
            #expect(first?.code == .timeout)
            #expect(first?.effect == .indeterminate)
            let second = await failure { () async throws(RedisError) in try await held.get() }
            #expect(second?.code == .timeout)
            #expect(second?.effect == .notApplied)
        }
        try await group.shutdownGracefully()
    }

    @Test func closingFailsWhatIsPending() async throws {
        try await FakeServer.run(Self.afterHandshake(.silence)) { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let transaction = connection.submitTransaction([RedisCommand("INCR", "n")])
            let single = connection.submit(RedisCommand("INCR", "n"))
            await connection.close()
            for reply in [transaction, single] {
                let error = await failure { () async throws(RedisError) in try await reply.get() }
                #expect(error?.code == .connectionClosed)
            }
            let outcomes = await connection.pipeline([RedisCommand("PING"), RedisCommand("PING")])
            #expect(outcomes.count == 2)
            await connection.close()
        }
    }

    @Test func pendingRepliesKeepTheirConnectionOpen() async throws {
        try await FakeServer.run(Self.afterHandshake(.reply(":1\r\n"))) { server in
            func submit() async throws -> PendingReply {
                try await RedisConnection.connect(to: server.endpoint).submit(RedisCommand("GET", "a"))
            }
            let reply = try await submit().get()
            #expect(reply.value.integer == 1)
        }
    }

    @Test func aConnectionThatNobodyHoldsCloses() async throws {
        try await FakeServer.run(Self.afterHandshake(.silence)) { server in
            let closed = try await RedisConnection.connect(to: server.endpoint).closeFuture
            try await closed.get()
        }
    }
}

extension RedisConnection {
    /// Returns when the socket is closed, by whomever.
    func closed() async throws {
        try await closeFuture.get()
    }
}

extension Result where Failure == RedisError {
    init(_ body: () async throws(RedisError) -> Success) async {
        do throws(RedisError) {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
