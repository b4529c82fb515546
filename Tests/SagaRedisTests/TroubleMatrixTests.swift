import Foundation
import LocalRedis
import RedisTransport
import SagaTesting
import Testing

/// Whatever happens to the server: sagas are late, and that is all; nobody spins; `readyz` tells while it lasts; and the
/// log has one line on it.
@Suite struct TroubleMatrixTests {
    @Test(arguments: [
        killed, loading, busy, readOnly, full, notWritable, withoutReplicas, forgetful, killing, cutting, torn, slow,
        unreachable, silent,
    ])
    func sagasAreLateAndThatIsAll(_ trouble: Trouble) async throws {
        try await TroubleStage.play(trouble)
    }

    private static let killed = Trouble(name: "killed, and started again", server: .init(appendOnly: .always)) {
        stage in
        stage.redis.kill()
        try await stage.endureTrouble()
        try await stage.redis.restart()
    }

    /// Each command of the append-only file takes a while.
    private static let loading = Trouble(
        name: "loading",
        server: .init(
            appendOnly: .everysec, extra: ["key-load-delay 2000", "loading-process-events-interval-bytes 1024"])
    ) { stage in
        stage.redis.kill()
        async let isStarted: Void = stage.redis.restart()
        try await stage.endureTrouble()
        try await isStarted
    }

    private static let busy = Trouble(name: "busy with a script", server: .init(extra: ["busy-reply-threshold 50"])) {
        stage in
        let other = try await RedisConnection.connect(to: stage.redis.endpoint)
        let loop = other.submit(RedisCommand("EVAL", "while true do end", "0"), timeout: .seconds(60))
        try await stage.endureTrouble()
        try await stage.send(RedisCommand("SCRIPT", "KILL"))
        // Its answer is that it was killed.
        _ = try? await loop.get()
        await other.close()
    }

    /// Of a master that is not there.
    private static let readOnly = Trouble(name: "read-only") { stage in
        try await stage.send(RedisCommand("REPLICAOF", "127.0.0.1", "1"))
        try await stage.endureTrouble()
        try await stage.send(RedisCommand("REPLICAOF", "NO", "ONE"))
    }

    private static let full = Trouble(name: "out of memory") { stage in
        try await stage.send(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
        try await stage.endureTrouble()
        try await stage.send(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
    }

    /// The file that the data are to be written to is a directory.
    private static let notWritable = Trouble(name: "cannot write its data", server: .init(extra: ["save 3600 1"])) {
        stage in
        let path = "\(stage.redis.directory)/dump.rdb"
        try FileManager.default.createDirectory(atPath: path + "/in-the-way", withIntermediateDirectories: true)
        try await stage.send(RedisCommand("BGSAVE"))
        try await stage.endureTrouble()
        try FileManager.default.removeItem(atPath: path)
        try await stage.send(RedisCommand("BGSAVE"))
    }

    private static let withoutReplicas = Trouble(name: "without the replicas that it wants") { stage in
        try await stage.send(RedisCommand("CONFIG", "SET", "min-replicas-to-write", "1"))
        try await stage.endureTrouble()
        try await stage.send(RedisCommand("CONFIG", "SET", "min-replicas-to-write", "0"))
    }

    private static let forgetful = Trouble(name: "forgets the scripts", isTold: false) { stage in
        for _ in 0..<30 {
            try await stage.send(RedisCommand("SCRIPT", "FLUSH"))
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private static let killing = Trouble(name: "kills connections", isTold: false) { stage in
        for _ in 0..<25 {
            try await stage.send(RedisCommand("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
            try await Task.sleep(for: .milliseconds(40))
        }
    }

    /// Connections that break as soon as they are made.
    private static let cutting = Trouble(name: "cut off") { stage in
        stage.proxy.setMode(.cut)
        try await stage.endureTrouble()
        stage.proxy.setMode(.pass)
    }

    private static let torn = Trouble(name: "breaks off within replies") { stage in
        stage.proxy.setMode(.cutReplies(after: 60))
        try await stage.endureTrouble()
        stage.proxy.setMode(.pass)
    }

    /// Later than anybody waits for.
    private static let slow = Trouble(name: "answers too late") { stage in
        stage.proxy.setMode(.delay(.milliseconds(1_500)))
        try await stage.endureTrouble()
        stage.proxy.setMode(.pass)
    }

    /// Open connections on which nothing comes through.
    private static let unreachable = Trouble(name: "partitioned off") { stage in
        stage.proxy.setMode(.drop)
        try await stage.endureTrouble()
        stage.proxy.setMode(.pass)
    }

    /// The same for ten seconds, with nothing made shorter for the test.
    private static let silent = Trouble(name: "partitioned off, with all time limits as they are", isInEarnest: true) {
        stage in
        stage.proxy.setMode(.drop)
        let end = ContinuousClock.now + .seconds(10)
        try await stage.endureTrouble()
        try await Task.sleep(until: end)
        stage.proxy.setMode(.pass)
    }
}
