import RedisTransport

/// The server's own account of its CPU time and memory.
struct ServerUsage {
    /// User and system time of the server, in microseconds.
    var cpuMicroseconds: Double
    var memoryBytes: Double

    init(of client: RedisClient) async throws {
        let reply = try await client.send(RedisCommand("INFO", "everything"))
        var values: [Substring: Double] = [:]
        for line in (reply.value.string ?? "").split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { values[parts[0]] = Double(parts[1]) }
        }
        cpuMicroseconds = ((values["used_cpu_user"] ?? 0) + (values["used_cpu_sys"] ?? 0)) * 1_000_000
        memoryBytes = values["used_memory"] ?? 0
    }
}
