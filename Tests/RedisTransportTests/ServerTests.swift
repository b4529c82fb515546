import Foundation
import LocalRedis
import NIOCore
import RedisTransport
import Testing

/// Against a real server.
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

    @Test func tasksThatShareAConnectionGetTheirOwnReplies() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            try await withThrowingTaskGroup { group in
                for task in 0..<32 {
                    group.addTask {
                        for index in 0..<100 {
                            let text = "\(task)/\(index)"
                            let reply = try await connection.send(RedisCommand("ECHO", text))
                            #expect(reply.value.string == text)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: [0, 1, 1000, 100_000, 20 << 20])
    func valuesOfAllSizesTravel(size: Int) async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let value = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            var set = RedisCommand("SET", "k")
            set.append(value)
            let replies = await connection.pipeline([set, RedisCommand("GET", "k"), RedisCommand("PING")])
            #expect(try replies[0].get().value.string == "OK")
            #expect(try replies[1].get().value.bytes == value)
            #expect(try replies[2].get().value.string == "PONG")
        }
    }

    @Test func aReplyBeyondTheBoundsClosesTheConnection() async throws {
        try await withLocalRedis { server in
            var options = ConnectionOptions()
            options.maxReplyBytes = 1 << 20
            let connection = try await RedisConnection.connect(to: server.endpoint, options: options)
            _ = try await connection.send(RedisCommand("SETRANGE", "k", "\(2 << 20)", "x"))
            let error = await failure { () async throws(RedisError) in
                try await connection.send(RedisCommand("GET", "k"))
            }
            #expect(error?.code == .replyTooLarge)
            #expect(connection.isClosed)
        }
    }

    @Test func nestingIsReadToItsBound() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let reply = try await connection.send(RedisCommand("EVAL", "return {{{{{{{7}}}}}}}", "0"))
            #expect(reply.value[0][0][0][0][0][0][0].integer == 7)
            let error = await failure { () async throws(RedisError) in
                try await connection.send(RedisCommand("EVAL", "return {{{{{{{{8}}}}}}}}", "0"))
            }
            #expect(error?.code == .replyTooLarge)
        }
    }

    @Test func loginDatabaseAndNameAreSet() async throws {
        let user = "user me on >pw ~* +@all"
        try await withLocalRedis(.init(extra: [user, "requirepass secret"])) { server in
            for login in ["me:pw", ":secret"] {
                let endpoint = try RedisEndpoint(url: "redis://\(login)@127.0.0.1:\(server.port)/3")
                let connection = try await RedisConnection.connect(
                    to: endpoint, options: ConnectionOptions(name: "skald-test"))
                let info = try await connection.send(RedisCommand("CLIENT", "INFO")).value.string ?? ""
                #expect(info.contains(" db=3 ") && info.contains(" name=skald-test "))
                #expect(info.contains(login.hasPrefix("me") ? " user=me" : " user=default"))
            }
            let unix = try RedisEndpoint(url: server.unixURL.replacing("unix://", with: "unix://me:pw@") + "?db=2")
            let connection = try await RedisConnection.connect(to: unix)
            let info = try await connection.send(RedisCommand("CLIENT", "INFO")).value.string ?? ""
            #expect(info.contains(" db=2 "))
        }
    }

    @Test func aServerThatForbidsNamingIsUsedAllTheSame() async throws {
        try await withLocalRedis(.init(extra: ["user me on >pw ~* -@all +get"])) { server in
            let endpoint = try RedisEndpoint(url: "redis://me:pw@127.0.0.1:\(server.port)")
            let connection = try await RedisConnection.connect(to: endpoint, options: ConnectionOptions(name: "x"))
            #expect(try await connection.send(RedisCommand("GET", "a")).value.isNull)
        }
    }

    @Test func aDatabaseThatDoesNotExistIsNoConnection() async throws {
        try await withLocalRedis { server in
            var endpoint = server.endpoint
            endpoint.database = 16
            let error = await failure { () async throws(RedisError) in
                try await RedisConnection.connect(to: endpoint)
            }
            #expect(error?.code == .connectFailed)
            #expect(error?.message.contains("DB index is out of range") == true)
        }
    }

    @Test func aKilledServerLeavesSentCommandsIndeterminate() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            server.freeze()
            let pending = connection.submit(RedisCommand("INCR", "n"))
            // It is written before anything that is submitted to the loop later.
            try await connection.closeFuture.eventLoop.submit {}.get()
            server.kill()
            let error = await failure { () async throws(RedisError) in try await pending.get() }
            #expect(error?.code == .connectionClosed)
            #expect(error?.effect == .indeterminate)
            let next = await failure { () async throws(RedisError) in
                try await connection.send(RedisCommand("INCR", "n"))
            }
            #expect(next?.effect == .notApplied)
        }
    }

    @Test func aFrozenServerEndsInATimeout() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(
                to: server.endpoint, options: ConnectionOptions(replyTimeout: .milliseconds(100)))
            server.freeze()
            let error = await failure { () async throws(RedisError) in try await connection.send(RedisCommand("PING")) }
            #expect(error?.code == .timeout)
            server.thaw()
        }
    }

    @Test func pipelinesReportEachCommandsFate() async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            let outcomes = await connection.pipeline([
                RedisCommand("SET", "a", "text"), RedisCommand("LPUSH", "a", "x"), RedisCommand("GET", "a"),
            ])
            #expect(try outcomes[0].get().value.string == "OK")
            #expect(throws: RedisError.self) { try outcomes[1].get() }
            #expect(try outcomes[2].get().value.string == "text")
            #expect(await connection.pipeline([]).isEmpty)
        }
    }
}
