import Foundation
public import LocalRedis
import RedisTransport

/// What a local server had written down at one moment.
public struct ServerSnapshot: Sendable {
    /// Names within the server's directory.
    fileprivate let names: [String]
    fileprivate let directory: String
}

extension LocalRedisServer {
    private static let appendOnlyFiles = "appendonlydir"
    private static let dump = "dump.rdb"

    /// Keeps a copy of the server's files as they are now: of its append-only files where it writes any, else of a dump
    /// that is made for it.
    ///
    /// The copies stay in the server's directory.
    public func snapshot() async throws -> ServerSnapshot {
        let files = FileManager.default
        var name = Self.appendOnlyFiles
        if !files.fileExists(atPath: "\(directory)/\(name)") {
            name = Self.dump
            let connection = try await RedisConnection.connect(to: endpoint)
            _ = try await connection.send(RedisCommand("SAVE"))
            await connection.close()
        }
        let copy = "\(directory)/snapshot-\(UUID().uuidString)"
        try files.createDirectory(atPath: copy, withIntermediateDirectories: true)
        try files.copyItem(atPath: "\(directory)/\(name)", toPath: "\(copy)/\(name)")
        return ServerSnapshot(names: [name], directory: copy)
    }

    /// Kills the server, and starts it again with the files of a snapshot: everything written since is lost, as after a
    /// failover to a replica that was behind.
    public func rewind(to snapshot: ServerSnapshot) async throws {
        let files = FileManager.default
        kill()
        for name in snapshot.names {
            let path = "\(directory)/\(name)"
            if files.fileExists(atPath: path) { try files.removeItem(atPath: path) }
            try files.copyItem(atPath: "\(snapshot.directory)/\(name)", toPath: path)
        }
        try await restart()
    }
}
