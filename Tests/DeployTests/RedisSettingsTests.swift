import LocalRedis
import RedisTransport
import TestSupport
import Testing

@Suite struct RedisSettingsTests {
    @Test func aRealServerRunsWithTheDeployedSettings() async throws {
        try await DeployedServer.with { deployed in
            let admin = try await deployed.connectAsAdmin()
            let expected = [
                "maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "always",
                "no-appendfsync-on-rewrite": "no", "save": "", "proto-max-bulk-len": "4194304",
                "maxmemory-clients": "10%", "enable-debug-command": "no",
            ]
            for (setting, value) in expected {
                let reply = try await admin.send(RedisCommand("CONFIG", "GET", setting))
                #expect(reply.value[1].string == value, "\(setting)")
            }
            await admin.close()
        }
    }

    @Test func nobodyConnectsWithoutAName() async throws {
        try await DeployedServer.with { deployed in
            await #expect(throws: RedisError.self) {
                try await RedisConnection.connect(to: deployed.server.endpoint)
            }
            var stranger = deployed.server.endpoint
            stranger.username = "default"
            stranger.password = ""
            await #expect(throws: RedisError.self) { try await RedisConnection.connect(to: stranger) }
        }
    }

    @Test func theTemplateItselfIsRefusedByAServer() async throws {
        await #expect(throws: LocalRedisError.self) {
            try await withLocalRedis(.init(extra: ["aclfile \(Repository.path(of: "deploy/users.acl"))"])) { _ in }
        }
    }
}
