import LocalRedis
import RedisTransport
import SagaRedis
import TestSupport
import Testing

/// The rules that `skald acl` prints, against `deploy/users.acl` and a real server.
@Suite struct AccessRulesTests {
    private static let roles: [String: AccessRole] = [
        "skald-orchestrator": .orchestrator, "skald-starter": .starter, "skald-viewer": .viewer,
        "skald-operator": .operator, "shop-orders": .service("orders"), "shop-inventory": .service("inventory"),
        "shop-payments": .service("payments"),
    ]

    /// The users of the template, each on one line with single spaces.
    private static func deployedUsers() throws -> [String] {
        var users: [String] = []
        for line in try Repository.text(of: "deploy/users.acl").split(separator: "\n") {
            let words = line.split(separator: " ")
            // Comments; a digest's # has no space behind it.
            guard let first = words.first, first != "#" else { continue }
            let text = words.joined(separator: " ")
            if line.hasPrefix(" ") { users[users.count - 1] += " " + text } else { users.append(text) }
        }
        return users
    }

    @Test func theDeployedUsersHaveTheGeneratedRules() throws {
        let generated = Self.roles.map { "user " + AccessRules($1, in: "skald").user($0) }
        let deployed = try Self.deployedUsers()
        #expect(deployed.sorted() == (generated + ["user default reset off"]).sorted())
    }

    private func define(_ name: String, _ role: AccessRole, _ namespace: String, _ admin: RedisConnection) async throws
    {
        var command = RedisCommand("ACL", "SETUSER")
        // The digest of "secret".
        let digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
        for word in AccessRules(role, in: namespace).user(name, passwordDigest: digest).split(separator: " ") {
            command.append(String(word))
        }
        #expect(try await admin.send(command).value.string == "OK")
    }

    @Test(arguments: UsersTests.roles)
    func aGeneratedUserOfAnotherNamespaceDoesItsPartAndNoMore(_ role: UsersTests.Role) async throws {
        let namespace = "web-2"
        func translated(_ line: String) -> String {
            line.replacing("{skald:", with: "{\(namespace):").replacing("{skald}", with: "{\(namespace)}")
        }
        try await withLocalRedis { server in
            let admin = try await RedisConnection.connect(to: server.endpoint)
            try await define(role.user, try #require(Self.roles[role.user]), namespace, admin)
            for line in role.allowed {
                let own = translated(line)
                #expect(try await UsersTests.refusal(of: own, to: role.user, admin) == nil, "must be allowed: \(own)")
                guard own != line else { continue }
                #expect(try await UsersTests.refusal(of: line, to: role.user, admin) != nil, "must be refused: \(line)")
            }
            for line in role.denied.map(translated) + role.denied {
                #expect(try await UsersTests.refusal(of: line, to: role.user, admin) != nil, "must be refused: \(line)")
            }
            await admin.close()
        }
    }

    @Test func aUserWithThePlaceholderIsRefused() async throws {
        try await withLocalRedis { server in
            let admin = try await RedisConnection.connect(to: server.endpoint)
            var command = RedisCommand("ACL", "SETUSER")
            for word in AccessRules(.viewer, in: "skald").user("v").split(separator: " ") {
                command.append(String(word))
            }
            await #expect(throws: RedisError.self) { try await admin.send(command) }
            await admin.close()
        }
    }

    /// A service whose name begins or ends like another's has nothing of that one's.
    @Test func servicesWithLikeNamesAreApart() async throws {
        try await withLocalRedis { server in
            let admin = try await RedisConnection.connect(to: server.endpoint)
            try await define("s", .service("pay"), "skald", admin)
            let own = "XREADGROUP GROUP pay c STREAMS {skald:3}:cmd:pay >"
            #expect(try await UsersTests.refusal(of: own, to: "s", admin) == nil)
            for other in ["payments", "pay.x", "re-pay", "Pay", "pay2"] {
                let line = "XREADGROUP GROUP pay c STREAMS {skald:3}:cmd:\(other) >"
                #expect(try await UsersTests.refusal(of: line, to: "s", admin) != nil, "\(line)")
            }
            await admin.close()
        }
    }
}
