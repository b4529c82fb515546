import LocalRedis
import RedisTransport
import SagaRedis
import SagaStore
import SagaTesting
import Testing

/// What a session says of its writes, on the in-memory store as told, on Redis as its replica is.
@Suite("Confirmation, on both stores")
struct ConfirmationConformanceTests {
    /// A namespace whose replica can be stopped.
    private func with(
        _ kind: StoreKind,
        _ body: (any TestNamespace, any StoreSession, _ setLagging: (Bool) -> Void) async throws -> Void
    ) async throws {
        switch kind {
        case .memory:
            let namespace = InMemoryNamespace()
            let session = namespace.store.session()
            try await body(namespace, session) { namespace.memory.setConfirming($0 ? .lagging : .prompt) }
            await session.close()
        case .redis:
            try await withReplica { master, replica in
                let namespace = try await RedisNamespace(at: master.endpoint)
                let session = namespace.store.session()
                try await body(namespace, session) { $0 ? replica.freeze() : replica.thaw() }
                replica.thaw()
                await session.close()
                await namespace.close()
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whatReplicasHaveIsConfirmed(on kind: StoreKind) async throws {
        try await with(kind) { _, session, setLagging in
            let means = try await session.confirmationMeans(replicas: 1)
            #expect(means == .replicas(1))
            let state = try await session.mustTake()
            #expect(try await session.confirm([0], by: means, timeout: 10_000).outcome() == [0])
            setLagging(true)
            var commit = state.commit
            commit.outcomes = [.of("saga", "s1")]
            let pending = session.submit(commit)
            let confirmation = session.confirm([0], by: means, timeout: 50)
            #expect(try await pending.outcome().isCommitted)
            #expect(try await confirmation.outcome() == [])
            // Still the same write, which nobody has repeated.
            setLagging(false)
            #expect(try await session.confirm([0], by: means, timeout: 10_000).outcome() == [0])
        }
    }

    @Test func aServerWithoutReplicasConfirmsByItsDiskOrNotAtAll() async throws {
        for (appendOnly, expected) in [
            (LocalRedisServer.Options.AppendOnly.always, true), (.everysec, false), (.no, false),
        ] {
            try await withRedisNamespace(.init(appendOnly: appendOnly)) { namespace, _ in
                let session = namespace.store.session()
                let means = try await session.confirmationMeans(replicas: 1)
                #expect((means == .disk) == expected, "\(means)")
                _ = try await session.mustTake()
                let confirmed = try await session.confirm([0], by: means, timeout: 50).outcome()
                #expect(confirmed == (expected ? [0] : []))
                await session.close()
            }
        }
        let memory = InMemoryNamespace()
        memory.memory.setConfirming(.impossible)
        guard case .none = try await memory.store.session().confirmationMeans(replicas: 1) else {
            Issue.record("it can confirm")
            return
        }
    }

    @Test func whatAServerTellsOfItself() {
        let none = ServerInfo(text: "connected_slaves:0\naof_enabled:1")
        let two = ServerInfo(text: "connected_slaves:2\naof_enabled:0")
        #expect(ConfirmationMeans(two, appendfsync: nil, replicas: 2) == .replicas(2))
        #expect(
            ConfirmationMeans(two, appendfsync: nil, replicas: 3) == .none("it has 2 replicas, not 3: add some"))
        #expect(ConfirmationMeans(none, appendfsync: "always", replicas: 1) == .disk)
        for (setting, word) in [(String??.none, "+config|get"), ("everysec", "everysec")] {
            guard case .none(let reason) = ConfirmationMeans(none, appendfsync: setting, replicas: 1) else {
                Issue.record("it can confirm")
                continue
            }
            #expect(reason.contains(word))
        }
    }
}
