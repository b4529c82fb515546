import LocalRedis
import RedisTransport
import SagaRedis
import SagaScripts
import SagaStore
import SagaTesting
import Testing

/// A user with all rights but one, which a script needs.
@Suite struct MissingRightTests {
    /// The commands that a script calls, as its source says.
    private static func commands(of script: SagaScripts.Script) -> [String] {
        let source = String(decoding: script.source, as: UTF8.self)
        return Set(source.matches(of: #/redis\.call\('([A-Z]+)'/#).map { String($0.output.1) }).sorted()
    }

    private static let commands = Set(SagaScripts.all.flatMap(commands)).sorted()

    /// What a script calls in other cases than its own in the matrix.
    private static let unreached = ["member_beat": "HDEL"]

    private func withUser(
        lacking command: String, _ body: (ScriptServer, LocalRedisServer, RedisEndpoint) async throws -> Void
    ) async throws {
        try await withLocalRedis { redis in
            let server = ScriptServer(connection: try await .connect(to: redis.endpoint))
            try await server.send("ACL", "SETUSER", "ann", "on", ">secret", "~*", "+@all", "-\(command.lowercased())")
            var endpoint = redis.endpoint
            endpoint.username = "ann"
            endpoint.password = "secret"
            try await body(server, redis, endpoint)
            await server.connection.close()
        }
    }

    /// Where a script would be stopped half-way, the store has refused the user before.
    @Test(arguments: commands)
    func isFoundBeforeAnythingIsDone(_ command: String) async throws {
        try await withUser(lacking: command) { server, _, endpoint in
            let store = RedisSagaStore(endpoint: endpoint, namespace: "t", logger: quietLogger)
            let error = await #expect(throws: StoreError.self) { _ = try await store.open(partitions: 1) }
            #expect(error?.code == .refused && error?.effect == .notApplied)
            #expect(error?.message.contains("the Redis user 'ann' may not") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains(": \(command)") == true, "\(error?.message ?? "")")
            let dump = try await server.dump()
            #expect(dump.isEmpty)
            await store.close()
        }
    }

    /// All the same, a script that misses a right says so, as an error that may have left something.
    @Test(arguments: ScriptCase.all)
    func stopsAScript(_ one: ScriptCase) async throws {
        var halves: [String] = []
        for command in Self.commands(of: one.script) {
            try await withUser(lacking: command) { server, _, endpoint in
                try await one.prepare(server)
                let before = try await server.dump()
                let user = ScriptServer(connection: try await .connect(to: endpoint))
                let error = await ErrorMatrixTests.error { _ = try await one.call(user) }
                if error == nil, Self.unreached[one.script.name] == command { return }
                #expect(error?.code == .noPermission, "\(one) without \(command)")
                #expect(error?.effect == .indeterminate, "\(one) without \(command)")
                #expect(error.map { StoreError($0) }?.code == .refused, "\(one) without \(command)")
                if try await server.dump() != before { halves.append(command) }
                await user.connection.close()
            }
        }
        // Those that write with several commands; the others have written nothing.
        let several = ["partition_commit", "partition_settle", "partition_retire"]
        #expect(halves.isEmpty || several.contains(one.script.name), "\(one) is left half done without \(halves)")
        #expect(Set(halves).isSubset(of: Self.commands))
    }

    @Test func everyCommandOfTheScriptsIsTriedOut() {
        let tried = Set(RedisSagaStore.samples(KeySpace(namespace: "t", partitions: 1)).map { $0[0] })
        #expect(tried.sorted() == Self.commands)
    }

    /// The rules that `skald acl orchestrator` prints are enough.
    @Test func anOrchestratorsUserHasAllOfThem() async throws {
        try await withLocalRedis { redis in
            let server = ScriptServer(connection: try await .connect(to: redis.endpoint))
            let rules = AccessRules(.orchestrator, in: "t").rules
            try await server.send("ACL", ["SETUSER", "ann", "on", ">secret"] + rules)
            var endpoint = redis.endpoint
            endpoint.username = "ann"
            endpoint.password = "secret"
            let store = RedisSagaStore(endpoint: endpoint, namespace: "t", logger: quietLogger)
            #expect(try await store.open(partitions: 1) == 1)
            await store.close()
            await server.connection.close()
        }
    }
}
