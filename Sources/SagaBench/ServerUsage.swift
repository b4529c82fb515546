import RedisTransport

/// The server's own account of its CPU time and memory.
struct ServerUsage {
    /// User and system time of the server, in microseconds.
    var cpuMicroseconds: Double
    var memoryBytes: Double

    init(of client: RedisRouter) async throws {
        let info = ServerInfo(try await client.send(RedisCommand("INFO", "everything")))
        cpuMicroseconds = ((info.number("used_cpu_user") ?? 0) + (info.number("used_cpu_sys") ?? 0)) * 1_000_000
        memoryBytes = info.number("used_memory") ?? 0
    }
}
