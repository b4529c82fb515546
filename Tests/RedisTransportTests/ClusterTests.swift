import LocalRedis
import RedisTransport
import Testing

/// A router and a real cluster, of which a slot moves.
@Suite struct ClusterTests {
    private static let get = RedisScript(name: "get", source: Array("return redis.call('GET', KEYS[1])".utf8))
    private static let both = RedisScript(
        name: "both", source: Array("return redis.call('GET', KEYS[1]) .. redis.call('GET', KEYS[2])".utf8))

    @Test func callsFindTheirSlotsWhereverTheyGo() async throws {
        try await withLocalCluster { cluster in
            let router = RedisRouter(
                endpoint: cluster.endpoint, options: ConnectionOptions(connectTimeout: .seconds(20)), logger: .silent)
            try await Self.spread(router)
            try await Self.redirect(cluster, router)
            await router.close()
        }
    }

    /// Keys of all nodes with one call each, and together.
    private static func spread(_ router: RedisRouter) async throws {
        let keys = (0..<60).map { "k\($0)" }
        for result in await router.pipeline(keys.map { RedisCommand("SET", $0, $0) }) { _ = try result.get() }
        let values = try await router.pipeline(keys.map { RedisCommand("GET", $0) }).map { try $0.get().value.string }
        #expect(values == keys)
        let sizes = try await router.sendToEach(RedisCommand("DBSIZE")).map { $0.value.integer ?? 0 }
        #expect(sizes.count == 3 && sizes.allSatisfy { $0 > 0 } && sizes.reduce(0, +) == 60)
        let pending = keys.map { router.submit(RedisCommand("APPEND", $0, "!")) }
        for reply in pending { _ = try await reply.get() }
        #expect(try await router.evaluate(get, keys: ["k7"]).value.string == "k7!")
        let sum = try await router.transaction([RedisCommand("SET", "{t}1", "a"), RedisCommand("GET", "{t}1")])
        #expect(sum.value[1].string == "a")
        // A command without a key, on the connection of the write before it.
        #expect(try await router.submit(RedisCommand("WAIT", "0", "100"), behind: "k7").get().value.integer == 0)
    }

    /// MOVED, ASK and TRYAGAIN for real.
    private static func redirect(_ cluster: LocalCluster, _ router: RedisRouter) async throws {
        let slot = KeySlot.of("{b}".utf8)
        let source = cluster.master(of: slot)
        let target = try #require(cluster.masters.first { $0 !== source })
        for key in ["{b}1", "{b}2"] { _ = try await router.send(RedisCommand("SET", key, key)) }
        let direct = try await RedisConnection.connect(to: source.endpoint)
        try await direct.load([both])

        try await cluster.beginMove(of: slot, from: source, to: target)
        try await cluster.move(key: "{b}1", from: source, to: target)
        #expect(
            await failure { () async throws(RedisError) in try await direct.send(RedisCommand("GET", "{b}1")) }?.code
                == .ask(slot: slot, address: "127.0.0.1:\(target.port)"))
        #expect(try await router.send(RedisCommand("GET", "{b}1")).value.string == "{b}1")
        // The target does not know the script.
        #expect(try await router.evaluate(get, keys: ["{b}1"]).value.string == "{b}1")
        #expect(try await router.submit(get, keys: ["{b}1"]).get().value.string == "{b}1")
        #expect(try await router.send(RedisCommand("GET", "{b}2")).value.string == "{b}2")

        #expect(
            await failure { () async throws(RedisError) in
                try await direct.evaluate(both, keys: ["{b}1", "{b}2"])
            }?.code == .tryAgain)
        #expect(
            await failure { () async throws(RedisError) in
                try await router.submit(both, keys: ["{b}1", "{b}2"]).get()
            }?.code == .tryAgain)
        async let patient = router.evaluate(both, keys: ["{b}1", "{b}2"])
        async let transaction = router.transaction([RedisCommand("GET", "{b}1"), RedisCommand("GET", "{b}2")])
        try await Task.sleep(for: .milliseconds(100))
        try await cluster.move(key: "{b}2", from: source, to: target)
        try await cluster.endMove(of: slot, from: source, to: target)
        let (texts, parts) = try await (patient, transaction)
        #expect(texts.value.string == "{b}1{b}2")
        #expect(parts.value[1].string == "{b}2")

        #expect(
            await failure { () async throws(RedisError) in try await direct.send(RedisCommand("GET", "{b}1")) }?.code
                == .moved(slot: slot, address: "127.0.0.1:\(target.port)"))
        #expect(try await router.connection(for: "{b}").address == target.endpoint.address)
    }

    @Test func aServerByItselfIsNoCluster() async throws {
        try await withLocalRedis { server in
            let router = RedisRouter(
                endpoint: RedisEndpoint(address: .cluster([RedisNode(host: "127.0.0.1", port: server.port)])),
                options: ConnectionOptions(connectTimeout: .milliseconds(200)), logger: .silent)
            let error = await failure { () async throws(RedisError) in try await router.send(RedisCommand("GET", "a")) }
            #expect(error?.message.contains("of no cluster: use redis://") == true, "\(error?.message ?? "")")
            await router.close()
        }
    }
}
