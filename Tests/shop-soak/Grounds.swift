import Foundation
import LocalRedis
import Logging
import RedisTransport
import SagaClient
import ShopStage

/// Redis servers that harm can be done to.
protocol HarmableGround: Ground {
    /// Does one kind of harm, chosen at random, and heals it.
    ///
    /// - Returns: What was done.
    func harm(_ random: inout SplitMix64) async throws -> String

    func client() throws -> SagaClient
}

enum GroundKind: String, CaseIterable, Sendable {
    /// One server that keeps everything: an append-only file, fsync always.
    case standalone
    /// One server that comes back as it was some seconds ago.
    case forgetful

    func lay(in directory: String) async throws -> any HarmableGround {
        switch self {
        case .standalone:
            StandaloneGround(try await .start(.init(directory: directory, appendOnly: .always)))
        case .forgetful: ForgetfulGround(try await .start(.init(directory: directory)))
        }
    }

    /// Whether an end that was told can be forgotten with the rest.
    var mayForgetEnds: Bool { self == .forgetful }
}

extension HarmableGround {
    func client() throws -> SagaClient {
        SagaClient(endpoint: try RedisEndpoint(url: url), logger: Logger(label: "soak"))
    }
}

extension LocalRedisServer {
    /// Cuts every connection, and forgets the scripts.
    func cutConnections() async throws {
        let connection = try await RedisConnection.connect(to: endpoint)
        _ = try await connection.send(RedisCommand("SCRIPT", "FLUSH"))
        _ = try await connection.send(RedisCommand("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
        await connection.close()
    }
}

private struct StandaloneGround: HarmableGround {
    let redis: LocalRedisServer

    init(_ redis: LocalRedisServer) {
        self.redis = redis
    }

    var url: String { redis.url }

    func stop() async { await redis.stop() }

    func harm(_ random: inout SplitMix64) async throws -> String {
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            redis.kill()
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...2_000, using: &random)))
            try await redis.restart()
            return "kill redis"
        case 1:
            redis.freeze()
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...4_000, using: &random)))
            redis.thaw()
            return "freeze redis"
        default:
            try await redis.cutConnections()
            return "cut connections"
        }
    }
}

/// A server that loses its newest writes now and then: it is killed, and started again from what it wrote before.
private struct ForgetfulGround: HarmableGround {
    let redis: LocalRedisServer

    init(_ redis: LocalRedisServer) {
        self.redis = redis
    }

    var url: String { redis.url }

    func stop() async { await redis.stop() }

    func harm(_ random: inout SplitMix64) async throws -> String {
        guard Int.random(in: 0..<3, using: &random) == 0 else {
            try await redis.cutConnections()
            return "cut connections"
        }
        let connection = try await RedisConnection.connect(to: redis.endpoint)
        _ = try await connection.send(RedisCommand("SAVE"))
        await connection.close()
        try await Task.sleep(for: .milliseconds(Int.random(in: 50...3_000, using: &random)))
        redis.kill()
        try await redis.restart()
        return "forget newest writes"
    }
}
