import LocalRedis
import RedisTransport
import SagaScripts
import SagaStore
import SagaRedis
import SagaTesting
import Testing

/// A connection that ends while a script is on its way, or its answer is: the caller learns that it knows nothing, and
/// either nothing is done or all of it.
@Suite struct CutConnectionTests {
    private func withProxy(
        _ one: ScriptCase, replyTimeout: Duration = .seconds(20),
        _ body: (ScriptServer, TCPProxy, ScriptServer) async throws -> Void
    ) async throws {
        try await ScriptServer.with(directly: { redis, server in
            try await one.prepare(server)
            let proxy = try await TCPProxy.start(to: redis.port)
            var options = ConnectionOptions()
            options.replyTimeout = replyTimeout
            let near = RedisEndpoint(address: .tcp(host: "127.0.0.1", port: proxy.port))
            let connection = try await RedisConnection.connect(to: near, options: options)
            try await connection.load([RedisScript(name: one.script.name, source: one.script.source)])
            try await body(server, proxy, ScriptServer(connection: connection))
            await connection.close()
            await proxy.stop()
        })
    }

    @Test(arguments: ScriptCase.all)
    func beforeTheScriptHasArrived(_ one: ScriptCase) async throws {
        try await withProxy(one, replyTimeout: .milliseconds(300)) { server, proxy, far in
            let before = try await server.dump()
            proxy.setMode(.drop)
            let error = await ErrorMatrixTests.error { _ = try await one.call(far) }
            #expect(error?.code == .timeout)
            #expect(error.map { StoreError($0) }?.effect == .indeterminate)
            #expect(error?.effect == .indeterminate)
            let after = try await server.dump()
            #expect(after == before)
            let answer = try await one.call(server)
            if let status = one.status { #expect(answer.first == status) }
        }
    }

    @Test(arguments: ScriptCase.all)
    func beforeItsAnswerHasArrived(_ one: ScriptCase) async throws {
        try await withProxy(one) { server, proxy, far in
            let before = try await server.dump()
            proxy.setMode(.cutReplies(after: 0))
            let error = await ErrorMatrixTests.error { _ = try await one.call(far) }
            #expect(error?.code == .connectionClosed)
            #expect(error.map { StoreError($0) }?.effect == .indeterminate)
            #expect(error?.effect == .indeterminate)
            let after = try await server.dump()
            #expect((after == before) == one.isReadOnly)
            // All of it is done: the same call again is told that it is, and changes nothing more.
            let second = try await one.call(server)
            switch one.script.name {
            case "partition_commit", "partition_settle", "partition_raise": #expect(second == ["sequence"])
            case "partition_release": #expect(second == ["lost"])
            case "partition_create": #expect(second == ["exists"])
            case "partition_take": #expect(second.first == "held")
            default: if let status = one.status { #expect(second.first == status) }
            }
            // Those tell the time.
            guard !["partition_renew", "member_beat"].contains(one.script.name) else { return }
            let last = try await server.dump()
            #expect(last == after)
        }
    }

    /// Half an answer is as good as none.
    @Test func inTheMiddleOfAnAnswer() async throws {
        try await withProxy(.commit) { server, proxy, far in
            proxy.setMode(.cutReplies(after: 7))
            let error = await ErrorMatrixTests.error { _ = try await ScriptCase.commit.call(far) }
            #expect(error?.code == .connectionClosed && error?.effect == .indeterminate)
            let sequence = try await server.hash(Key.state)["sequence"]
            #expect(sequence == "1")
        }
    }
}
