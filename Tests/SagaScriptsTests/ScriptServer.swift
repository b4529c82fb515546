import LocalRedis
import RedisTransport
import SagaScripts
import Testing

/// A connection to a real server, for calling scripts and looking at what they have done.
struct ScriptServer: Sendable {
    let connection: RedisConnection

    static func with(_ body: (ScriptServer) async throws -> Void) async throws {
        try await with(directly: { _, server in try await body(server) })
    }

    /// Also hands out the server's process.
    static func with(directly body: (LocalRedisServer, ScriptServer) async throws -> Void) async throws {
        try await withLocalRedis { server in
            let connection = try await RedisConnection.connect(to: server.endpoint)
            try await body(server, ScriptServer(connection: connection))
            await connection.close()
        }
    }

    /// Calls a script; the words of its answer.
    @discardableResult
    func call(
        _ script: SagaScripts.Script, _ keys: [String], _ arguments: [String]
    ) async throws -> [String] {
        let value = try await connection.evaluate(
            RedisScript(name: script.name, source: script.source), keys: keys
        ) { command in
            for argument in arguments { command.append(argument) }
        }.value
        return (0..<value.count).map { value[$0].string ?? "" }
    }

    @discardableResult
    func send(_ name: StaticString, _ arguments: String...) async throws -> RedisValue {
        try await send(name, arguments)
    }

    @discardableResult
    func send(_ name: StaticString, _ arguments: [String]) async throws -> RedisValue {
        var command = RedisCommand(name)
        for argument in arguments { command.append(argument) }
        return try await connection.send(command).value
    }

    /// Adds an entry to a stream; its id.
    func add(_ fields: [String], to stream: String) async throws -> String {
        try await send("XADD", [stream, "*"] + fields).string ?? ""
    }

    /// Puts a key back as a dump has it.
    func restore(_ key: String, _ dump: [UInt8]) async throws {
        var command = RedisCommand("RESTORE", key, "0")
        command.append(dump)
        command.append("REPLACE")
        _ = try await connection.send(command)
    }

    /// Everything that is stored, as the server itself writes it down: values, groups and what is pending in them.
    func dump() async throws -> [String: [UInt8]] {
        let keys = try await send("KEYS", "*")
        var dump: [String: [UInt8]] = [:]
        for index in 0..<keys.count {
            let key = keys[index].string ?? ""
            dump[key] = try await send("DUMP", key).bytes
        }
        return dump
    }

    /// The fields of a hash.
    func hash(_ key: String) async throws -> [String: String] {
        let value = try await send("HGETALL", key)
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: value.count, by: 2) {
            fields[value[index].string ?? ""] = value[index + 1].string ?? ""
        }
        return fields
    }

    func list(_ key: String) async throws -> [String] {
        let value = try await send("LRANGE", key, "0", "-1")
        return (0..<value.count).map { value[$0].string ?? "" }
    }

    /// Members and scores of a sorted set.
    func scores(_ key: String) async throws -> [String: String] {
        let value = try await send("ZRANGE", key, "0", "-1", "WITHSCORES")
        var scores: [String: String] = [:]
        for index in stride(from: 0, to: value.count, by: 2) {
            scores[value[index].string ?? ""] = value[index + 1].string ?? ""
        }
        return scores
    }

    struct Entry: Equatable {
        var id: String
        /// Names and values in turn.
        var fields: [String]

        subscript(_ name: String) -> String? {
            stride(from: 0, to: fields.count - 1, by: 2).first { fields[$0] == name }.map { fields[$0 + 1] }
        }
    }

    func stream(_ key: String) async throws -> [Entry] {
        let value = try await send("XRANGE", key, "-", "+")
        return (0..<value.count).map { index in
            let fields = value[index][1]
            return Entry(
                id: value[index][0].string ?? "", fields: (0..<fields.count).map { fields[$0].string ?? "" })
        }
    }
}
