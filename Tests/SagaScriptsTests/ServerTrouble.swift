import Foundation
import LocalRedis
import RedisTransport
import SagaScripts
import SagaTesting

/// A state of the server in which it refuses calls, and the way into it and out of it again.
struct ServerTrouble: CustomStringConvertible, Sendable {
    /// What a script meets that changes something, and one that only reads, and one that works on a full server; nil
    /// where it works all the same.
    struct Errors: Sendable {
        var writing: RedisError.Code
        var onFullServer: RedisError.Code?
        var reading: RedisError.Code?

        /// Whoever asks is refused.
        static func all(_ code: RedisError.Code) -> Errors {
            Errors(writing: code, onFullServer: code, reading: code)
        }
    }

    let name: String
    /// Lines of the server's configuration.
    var settings: [String] = []
    let errors: Errors
    let begin: @Sendable (Place) async throws -> Void
    let end: @Sendable (Place) async throws -> Void

    var description: String { name }

    /// The server, and a connection from which it is troubled.
    struct Place: Sendable {
        let redis: LocalRedisServer
        let admin: ScriptServer

        func set(_ name: String, _ value: String) async throws { try await admin.send("CONFIG", "SET", name, value) }

        /// Waits until the server refuses what it is asked, with this code; nil until it answers.
        func untilRefused(_ code: RedisError.Code?) async throws {
            try await eventually("the server answers \(code.map { "\($0)" } ?? "again")") {
                do throws(RedisError) {
                    _ = try await admin.connection.send(RedisCommand("DBSIZE"))
                    return code == nil
                } catch {
                    return error.code == code
                }
            }
        }
    }

    func expected(by one: ScriptCase) -> RedisError.Code? {
        one.isReadOnly ? errors.reading : one.worksWhenFull ? errors.onFullServer : errors.writing
    }

    static let all = [full, notWritable, withoutReplicas, replica, orphan, busy, loading]

    static let full = ServerTrouble(
        name: "OOM", errors: Errors(writing: .outOfMemory),
        begin: { try await $0.set("maxmemory", "1") }, end: { try await $0.set("maxmemory", "0") })

    /// The file that the data are to be written to is a directory.
    static let notWritable = ServerTrouble(
        name: "MISCONF", settings: ["save 3600 1"], errors: Errors(writing: .misconf, onFullServer: .misconf),
        begin: { place in
            let path = "\(place.redis.directory)/dump.rdb"
            // FLUSHALL writes one.
            if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
            try FileManager.default.createDirectory(atPath: path + "/in-the-way", withIntermediateDirectories: true)
            try await place.admin.send("BGSAVE")
            try await place.untilSaved("err")
        },
        end: { place in
            try FileManager.default.removeItem(atPath: "\(place.redis.directory)/dump.rdb")
            try await place.admin.send("BGSAVE")
            try await place.untilSaved("ok")
        })

    static let withoutReplicas = ServerTrouble(
        name: "NOREPLICAS", errors: Errors(writing: .noReplicas, onFullServer: .noReplicas),
        begin: { try await $0.set("min-replicas-to-write", "1") },
        end: { try await $0.set("min-replicas-to-write", "0") })

    /// Of a master that is not there; the replica keeps what it has.
    static let replica = ServerTrouble(
        name: "READONLY", errors: Errors(writing: .readOnly, onFullServer: .readOnly),
        begin: { try await $0.admin.send("REPLICAOF", "127.0.0.1", "1") },
        end: { try await $0.admin.send("REPLICAOF", "NO", "ONE") })

    /// Whoever would write is told first that a replica is not written to.
    static let orphan = ServerTrouble(
        name: "MASTERDOWN", errors: Errors(writing: .readOnly, onFullServer: .readOnly, reading: .masterDown),
        begin: { place in
            try await place.set("replica-serve-stale-data", "no")
            try await place.admin.send("REPLICAOF", "127.0.0.1", "1")
        },
        end: { try await $0.admin.send("REPLICAOF", "NO", "ONE") })

    static let busy = ServerTrouble(
        name: "BUSY", settings: ["busy-reply-threshold 10"], errors: .all(.busy),
        begin: { place in
            let other = try await RedisConnection.connect(to: place.redis.endpoint)
            // Its answer is that it was killed.
            other.submit(RedisCommand("EVAL", "while true do end", "0"))
            try await place.untilRefused(.busy)
            // It has to last as long as the script does.
            place.keep(other)
        },
        end: { place in
            try await place.admin.send("SCRIPT", "KILL")
            try await place.untilRefused(nil)
        })

    /// The server saves its data and reads them again, each key with a pause.
    static let loading = ServerTrouble(
        name: "LOADING",
        settings: ["enable-debug-command yes", "loading-process-events-interval-bytes 1024"], errors: .all(.loading),
        begin: { place in
            try await place.admin.send("DEBUG", "POPULATE", "600", "filler", "2000")
            try await place.set("key-load-delay", "5000")
            let other = try await RedisConnection.connect(to: place.redis.endpoint)
            other.submit(RedisCommand("DEBUG", "RELOAD"))
            try await place.untilRefused(.loading)
            place.keep(other)
        },
        end: { place in
            // The rest is read at once, so that the server can be away for long enough on a busy machine.
            try await place.set("key-load-delay", "0")
            try await place.untilRefused(nil)
        })
}

extension ServerTrouble.Place {
    fileprivate func untilSaved(_ status: String) async throws {
        try await eventually("the last save's status is \(status)") {
            let info = ServerInfo(try await admin.connection.send(RedisCommand("INFO", "persistence")))
            return info["rdb_bgsave_in_progress"] == "0" && info["rdb_last_bgsave_status"] == status
        }
    }

    /// Keeps a connection open until its command is answered.
    fileprivate func keep(_ connection: RedisConnection) {
        let pending = connection.submit(RedisCommand("PING"))
        Task { _ = try? await pending.get() }
    }
}
