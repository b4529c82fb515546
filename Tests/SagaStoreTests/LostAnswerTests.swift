import LocalRedis
import RedisTransport
import SagaCore
import SagaRedis
import SagaStore
import SagaTesting
import Testing

/// An answer that did not come says nothing; taking the partition anew says everything.
@Suite struct LostAnswerTests {
    /// Commits while `lose` keeps the answer away, and finds out what became of it.
    private func commitAndFindOut(
        _ namespace: any TestNamespace, _ session: any StoreSession, lose: () -> Void, find: () -> Void
    ) async throws {
        let state = try await session.mustTake()
        var commit = state.commit
        commit.changes = [SagaChange(saga: "s", firstIndex: 0, entries: [[1]])]
        lose()
        let error = await #expect(throws: StoreError.self) { _ = try await session.submit(commit).outcome() }
        #expect(error?.effect == .indeterminate && error?.code == .unavailable)
        find()
        var taken: PartitionState?
        try await eventually("the partition is taken anew") {
            // The connection may have to be made first.
            guard case .taken(let state)? = try? await session.take(0, as: claim("o2", previous: "o1"), stale: nil)
            else { return false }
            taken = state
            return true
        }
        let log = try await namespace.log(of: "s", in: 0)
        #expect(taken?.fence.sequence == Int64(log.count))
        #expect(try await session.apply(commit) == .fenced, "it cannot come a second time, nor late")
        #expect(try await namespace.log(of: "s", in: 0) == log)
    }

    @Test func onTheInMemoryStore() async throws {
        let namespace = InMemoryNamespace()
        try await commitAndFindOut(
            namespace, namespace.store.session(), lose: { namespace.memory.setFault { _ in .loseAnswer } },
            find: { namespace.memory.setFault { _ in .none } })
        #expect(try await namespace.log(of: "s", in: 0).count == 1)
    }

    @Test func onAFrozenRedis() async throws {
        try await withRedisNamespace { namespace, server in
            var options = RedisSagaStore.Options()
            options.connection.replyTimeout = .milliseconds(200)
            let store = RedisSagaStore(
                endpoint: server.endpoint, namespace: "test", options: options, logger: quietLogger)
            _ = try await store.open(partitions: 2)
            let session = store.session()
            try await commitAndFindOut(
                namespace, session, lose: { server.freeze() }, find: { server.thaw() })
            await session.close()
        }
    }

    @Test(arguments: [false, true])
    func onACutConnection(isExecuted: Bool) async throws {
        try await withRedisNamespace { namespace, server in
            let proxy = try await TCPProxy.start(to: server.port)
            try await namespace.client.connection(for: "{test}:meta").load(RedisSagaStore.scripts)
            var options = RedisSagaStore.Options()
            options.connection.replyTimeout = .milliseconds(300)
            let store = RedisSagaStore(
                endpoint: RedisEndpoint(address: .tcp(host: "127.0.0.1", port: proxy.port)), namespace: "test",
                options: options, logger: quietLogger)
            _ = try await store.open(partitions: 2)
            let session = store.session()
            try await commitAndFindOut(
                namespace, session, lose: { proxy.setMode(isExecuted ? .cutReplies(after: 0) : .drop) },
                find: { proxy.setMode(.pass) })
            #expect(try await namespace.log(of: "s", in: 0).count == (isExecuted ? 1 : 0))
            await session.close()
            await store.close()
            await proxy.stop()
        }
    }

    @Test func aCommitThatWasNeverSentIsNotApplied() async throws {
        try await withRedisNamespace { namespace, server in
            let session = namespace.store.session()
            let state = try await session.mustTake()
            server.kill()
            // The connection's end is noticed by what is sent on it, or before.
            var errors: [StoreError] = []
            for _ in 0..<3 {
                do {
                    _ = try await session.submit(state.commit).outcome()
                    Issue.record("committed on a dead server")
                } catch let error as StoreError {
                    errors.append(error)
                }
            }
            #expect(errors.allSatisfy { $0.code == .unavailable })
            #expect(errors.last?.effect == .notApplied)
            await session.close()
        }
    }
}
