import Foundation
import LocalRedis
import RedisTransport
import TestSupport
import Testing

/// A real redis-server with the settings and the users of `deploy/`.
struct DeployedServer {
    let server: LocalRedisServer
    let users: URL

    /// Settings that say where something is on the machine, for which the test has places of its own.
    private static let places: Set<Substring> = [
        "bind", "port", "unixsocket", "unixsocketperm", "dir", "logfile", "aclfile", "daemonize", "supervised",
    ]

    /// The settings of `deploy/redis.conf`, but for the places.
    static func settings() throws -> [String] {
        try Repository.text(of: "deploy/redis.conf").split(separator: "\n")
            .filter { !$0.hasPrefix("#") && !places.contains($0.prefix { $0 != " " }) }
            .map(String.init)
    }

    /// Runs `body` on a server whose users were made by `deploy/make-users.sh`.
    static func with(namespace: String = "skald", _ body: (DeployedServer) async throws -> Void) async throws {
        let users = FileManager.default.temporaryDirectory.appending(path: "skald-users-\(UUID().uuidString.prefix(8))")
        // What cannot be removed stays in the system's temporary directory, and harms nobody.
        defer { try? FileManager.default.removeItem(at: users) }
        try await makeUsers(in: users, namespace: namespace)
        let acl = users.appending(path: "users.acl")
        // Somebody has to look at what was refused.
        let admin = try String(contentsOf: acl, encoding: .utf8) + "user admin on nopass +@all\n"
        try admin.write(to: acl, atomically: true, encoding: .utf8)
        let options = LocalRedisServer.Options(appendOnly: .always, extra: try settings() + ["aclfile \(acl.path)"])
        try await withLocalRedis(options) { server in
            try await body(DeployedServer(server: server, users: users))
        }
    }

    static func makeUsers(in directory: URL, namespace: String = "skald") async throws {
        let output = try await run("deploy/make-users.sh", directory.path, "127.0.0.1:6379", namespace)
        try #require(output.code == 0, "\(output.text)")
    }

    /// Runs a script of this repository to its end.
    static func run(_ script: String, _ arguments: String...) async throws -> (code: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(filePath: Repository.path(of: script))
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    /// Where a user connects, with the password that was made.
    func endpoint(of user: String) throws -> RedisEndpoint {
        let text = try String(contentsOf: users.appending(path: "\(user).env"), encoding: .utf8)
        let variable = "SKALD_REDIS_URL="
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(variable) })
        var endpoint = try RedisEndpoint(url: String(line.dropFirst(variable.count)))
        endpoint.address = server.endpoint.address
        return endpoint
    }

    func connect(as user: String) async throws -> RedisConnection {
        try await RedisConnection.connect(to: endpoint(of: user))
    }

    func connectAsAdmin() async throws -> RedisConnection {
        var endpoint = server.endpoint
        endpoint.username = "admin"
        endpoint.password = "any"
        return try await RedisConnection.connect(to: endpoint)
    }
}
