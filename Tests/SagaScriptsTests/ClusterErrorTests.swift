import LocalRedis
import RedisTransport
import SagaRedis
import SagaScripts
import SagaStore
import SagaTesting
import Testing

/// Every script on a cluster that is being rearranged: one node serves all slots, another none.
@Suite struct ClusterErrorTests {
    @Test func everyScriptOnAClusterInMotion() async throws {
        try await Cluster.with { cluster in
            for one in ScriptCase.all {
                try await cluster.expect(.clusterDown, of: one, prepared: one.prepare) {
                    // A slot that nobody serves takes all others down with it.
                    try await cluster.serving.send("CLUSTER", "DELSLOTS", "0")
                    try await cluster.untilState("fail")
                } after: {
                    try await cluster.serving.send("CLUSTER", "ADDSLOTS", "0")
                    try await cluster.untilState("ok")
                }
                try await cluster.expectMoved(one)
                try await cluster.expect(cluster.ask(one), of: one, prepared: { _ in }) {
                    try await cluster.migrate(one)
                } after: {
                    try await cluster.stay(one)
                }
                // A call with one key can only be sent elsewhere.
                guard one.keys.count > 1 else { continue }
                let absent: @Sendable (ScriptServer) async throws -> Void = { server in
                    try await one.prepare(server)
                    try await server.send("DEL", one.keys[one.keys.count - 1])
                }
                try await cluster.expect(.tryAgain, of: one, prepared: absent) {
                    try await cluster.migrate(one)
                } after: {
                    try await cluster.stay(one)
                }
            }
        }
    }
}

/// Two nodes that know each other.
private struct Cluster: Sendable {
    let serving: ScriptServer
    let other: ScriptServer
    let otherID: String
    let servingPort: Int
    let otherPort: Int

    static func with(_ body: (Cluster) async throws -> Void) async throws {
        try await node { one in
            try await node { two in
                let serving = ScriptServer(connection: try await .connect(to: one.endpoint))
                let other = ScriptServer(connection: try await .connect(to: two.endpoint))
                try await serving.send("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
                try await serving.send("CLUSTER", "MEET", "127.0.0.1", "\(two.port)")
                let id = try await other.send("CLUSTER", "MYID").string ?? ""
                let cluster = Cluster(
                    serving: serving, other: other, otherID: id, servingPort: one.port, otherPort: two.port)
                try await cluster.untilState("ok")
                try await eventually("the nodes know each other") {
                    let info = try await other.send("CLUSTER", "INFO").string ?? ""
                    return info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:2")
                }
                try await eventually("the serving one knows the other") {
                    try await serving.send("CLUSTER", "NODES").string?.contains(id) ?? false
                }
                try await body(cluster)
                await serving.connection.close()
                await other.connection.close()
            }
        }
    }

    /// The port of the cluster's own bus lies 10,000 above the other one, so that must not be a high one.
    private static func node(_ body: (LocalRedisServer) async throws -> Void) async throws {
        var attempts = 0
        while true {
            attempts += 1
            let options = LocalRedisServer.Options(
                port: .random(in: 15_000...22_000), extra: ["cluster-enabled yes", "cluster-node-timeout 5000"])
            let server: LocalRedisServer
            do {
                server = try await LocalRedisServer.start(options)
            } catch {
                guard attempts < 10 else { throw error }
                continue
            }
            do {
                try await body(server)
                await server.stop()
            } catch {
                await server.stop()
                throw error
            }
            return
        }
    }

    func untilState(_ state: String) async throws {
        try await eventually("the cluster's state is \(state)") {
            try await serving.send("CLUSTER", "INFO").string?.contains("cluster_state:\(state)") ?? false
        }
    }

    private func slot(of one: ScriptCase) -> Int {
        let tag = one.keys[0].drop { $0 != "{" }.dropFirst().prefix { $0 != "}" }
        return Int(crc16(tag.utf8)) % 16_384
    }

    func ask(_ one: ScriptCase) -> RedisError.Code { .ask(slot: slot(of: one), address: "127.0.0.1:\(otherPort)") }

    func migrate(_ one: ScriptCase) async throws {
        try await serving.send("CLUSTER", "SETSLOT", "\(slot(of: one))", "MIGRATING", otherID)
    }

    func stay(_ one: ScriptCase) async throws {
        try await serving.send("CLUSTER", "SETSLOT", "\(slot(of: one))", "STABLE")
    }

    /// Expects that a call is refused, without a trace, while the cluster is in a certain state.
    func expect(
        _ code: RedisError.Code, of one: ScriptCase, prepared: (ScriptServer) async throws -> Void,
        while begin: () async throws -> Void, after end: () async throws -> Void
    ) async throws {
        try await serving.send("FLUSHALL")
        try await prepared(serving)
        let before = try await serving.dump()
        try await begin()
        let error = await ErrorMatrixTests.error { _ = try await one.call(serving) }
        try await end()
        let after = try await serving.dump()
        check(error, code, one)
        #expect(after == before, "\(one): \(code)")
    }

    /// The node that was asked knows another one which serves the slot.
    func expectMoved(_ one: ScriptCase) async throws {
        try await serving.send("FLUSHALL")
        try await one.prepare(serving)
        let before = try await serving.dump()
        let error = await ErrorMatrixTests.error { _ = try await one.call(other) }
        check(error, .moved(slot: slot(of: one), address: "127.0.0.1:\(servingPort)"), one)
        let after = try await serving.dump()
        #expect(after == before)
        let answer = try await one.call(serving)
        if let status = one.status { #expect(answer.first == status) }
    }

    private func check(_ error: RedisError?, _ code: RedisError.Code, _ one: ScriptCase) {
        #expect(error?.code == code, "\(one)")
        #expect(error?.effect == .notApplied, "\(one): \(code)")
        #expect(error.map { StoreError($0) }?.effect == .notApplied, "\(one): \(code)")
    }
}
