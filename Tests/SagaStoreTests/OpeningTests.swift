import LocalRedis
import RedisTransport
import SagaRedis
import SagaStore
import SagaTesting
import Testing

@Suite struct OpeningTests {
    /// Opens the store in a way that it refuses for good, and gives the reason back.
    private func refusal(
        _ store: any SagaStore, partitions: Int?, _ code: StoreError.Code = .refused,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async -> String {
        let error = await #expect(throws: StoreError.self, sourceLocation: sourceLocation) {
            _ = try await store.open(partitions: partitions)
        }
        #expect(error?.code == code, sourceLocation: sourceLocation)
        #expect(error?.effect == .notApplied, sourceLocation: sourceLocation)
        return error?.message ?? ""
    }

    @Test(arguments: StoreKind.allCases)
    func aNamespaceKeepsItsNumberOfPartitions(on kind: StoreKind) async throws {
        try await withNamespace(on: kind, partitions: 3) { namespace in
            let count = try await namespace.store.open(partitions: nil)
            #expect(count == 3)
            #expect(try await namespace.store.open(partitions: 3) == 3)
            #expect(await refusal(namespace.store, partitions: 4).contains("3 partitions, not 4"))
            _ = await refusal(namespace.store, partitions: 0)
        }
    }

    private func store(
        _ server: LocalRedisServer, _ namespace: String = "test",
        _ options: RedisSagaStore.Options = RedisSagaStore.Options()
    ) -> RedisSagaStore {
        RedisSagaStore(endpoint: server.endpoint, namespace: namespace, options: options, logger: quietLogger)
    }

    @Test func aNewNamespaceHasSixteenPartitions() async throws {
        try await withLocalRedis { server in
            let count1 = try await store(server).open(partitions: nil)
            #expect(count1 == 16)
            let count2 = try await store(server).open(partitions: 16)
            #expect(count2 == 16)
            let count3 = try await store(server, "other").open(partitions: 16_384)
            #expect(count3 == 16_384)
            #expect(await refusal(store(server, "none"), partitions: 16_385).contains("1 to 16384"))
        }
    }

    @Test func whatIsNoNamespaceOfThisProtocolIsRefused() async throws {
        try await withRedisNamespace { namespace, server in
            let meta = namespace.keys.meta
            for version in ["2", "", "01"] {
                _ = try await namespace.client.send(RedisCommand("HSET", meta, "protocol", version))
                #expect(await refusal(store(server), partitions: nil).contains("protocol \(version)"))
            }
            _ = try await namespace.client.send(RedisCommand("HSET", meta, "protocol", "1"))
            for count in ["0", "x", "16385", "-1"] {
                _ = try await namespace.client.send(RedisCommand("HSET", meta, "partitions", count))
                #expect(await refusal(store(server), partitions: nil, .corrupt).contains("no usable partition count"))
            }
            _ = try await namespace.client.send(RedisCommand("SET", meta, "a string"))
            let error = await #expect(throws: StoreError.self) { _ = try await store(server).open(partitions: nil) }
            #expect(error?.code == .corrupt)
        }
    }

    @Test func aServerThatMayEvictSagasIsRefused() async throws {
        try await withLocalRedis { server in
            let client = try await RedisConnection.connect(to: server.endpoint)
            for policy in ["allkeys-lru", "volatile-ttl"] {
                _ = try await client.send(RedisCommand("CONFIG", "SET", "maxmemory-policy", policy))
                let reason = await refusal(store(server), partitions: nil)
                #expect(reason.contains(policy) && reason.contains("noeviction") && !reason.contains("\n"))
            }
            let keys = try await client.send(RedisCommand("DBSIZE")).value
            #expect(keys.integer == 0, "nothing was written")
            var options = RedisSagaStore.Options()
            options.allowsEviction = true
            let count4 = try await store(server, "test", options).open(partitions: nil)
            #expect(count4 == 16)
            await client.close()
        }
    }

    @Test func aServerThatIsAwayIsAPassingTrouble() async throws {
        let server = try await LocalRedisServer.start()
        await server.stop()
        var options = RedisSagaStore.Options()
        options.connection.connectTimeout = .milliseconds(200)
        _ = await refusal(store(server, "test", options), partitions: nil, .unavailable)
    }

    @Test(arguments: StoreKind.allCases)
    func aRegisteredDefinitionNeverChanges(on kind: StoreKind) async throws {
        try await withNamespace(on: kind) { namespace in
            let store = namespace.store
            let session = store.session()
            #expect(try await session.definitionCount() == 0)
            for (id, text, isRegistered) in [
                ("a@1", "{}", true), ("a@1", "{}", true), ("a@1", "{ }", false), ("a@2", "{ }", true),
            ] {
                #expect(try await store.register(id: id, canonical: Array(text.utf8)) == isRegistered)
            }
            let definitions = try await store.definitions().map { String(decoding: $0, as: UTF8.self) }
            #expect(definitions.sorted() == ["{ }", "{}"])
            #expect(try await session.definitionCount() == 2)
            await session.close()
        }
    }

    @Test(arguments: StoreKind.allCases)
    func theFirstSecretIsKept(on kind: StoreKind) async throws {
        try await withNamespace(on: kind) { namespace in
            let (first, second) = (Array("0123456789abcdef".utf8), Array("fedcba9876543210".utf8))
            let kept = try await namespace.store.secret(proposal: first)
            #expect(kept == first)
            #expect(try await namespace.store.secret(proposal: second) == first)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aSecretThatIsNoneIsNotUsed(on kind: StoreKind) async throws {
        try await withNamespace(on: kind) { namespace in
            let error = await #expect(throws: StoreError.self) {
                _ = try await namespace.store.secret(proposal: [1, 2, 3])
            }
            #expect(error?.code == .corrupt)
        }
    }
}
