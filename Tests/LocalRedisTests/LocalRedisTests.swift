import Foundation
import Glibc
import LocalRedis
import RedisTransport
import Testing

@Suite struct LocalRedisTests {
    private static func send(_ server: LocalRedisServer, _ command: RedisCommand) async throws -> RedisValue {
        try await RedisConnection.connect(to: server.endpoint).send(command).value
    }

    private static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path)
    }

    /// Whether a process of that id is there, as a running one or as one that nobody has reaped.
    private static func isKnown(_ processID: Int32) -> Bool {
        kill(processID, 0) == 0
    }

    @Test func aStartedServerAnswersOnBothSockets() async throws {
        try await withLocalRedis { server in
            for url in [server.url, server.unixURL] {
                let connection = try await RedisConnection.connect(to: RedisEndpoint(url: url))
                #expect(try await connection.send(RedisCommand("PING")).value.string == "PONG")
            }
            #expect(server.isRunning)
        }
    }

    @Test func itListensOnLoopbackOnly() async throws {
        try await withLocalRedis { server in
            let bound = try await Self.send(server, RedisCommand("CONFIG", "GET", "bind"))
            #expect(bound[1].string == "127.0.0.1")
            #expect(
                try await Self.send(server, RedisCommand("CONFIG", "GET", "maxmemory-policy"))[1].string == "noeviction"
            )
        }
    }

    @Test func stoppingReapsTheProcessAndRemovesTheTemporaryDirectory() async throws {
        let server = try await LocalRedisServer.start()
        let processID = server.processID
        #expect(Self.isKnown(processID))
        #expect(Self.exists(server.directory))
        await server.stop()
        #expect(!server.isRunning)
        #expect(!Self.isKnown(processID))
        #expect(!Self.exists(server.directory))
        await server.stop()
    }

    @Test func thatWhatBodyThrowsStillStopsTheServer() async throws {
        struct Failed: Error {}
        var processID: Int32 = 0
        await #expect(throws: Failed.self) {
            try await withLocalRedis { server in
                processID = server.processID
                throw Failed()
            }
        }
        #expect(processID != 0 && !Self.isKnown(processID))
    }

    @Test func killReapsAndTheDirectoryStays() async throws {
        try await withLocalRedis { server in
            let processID = server.processID
            server.kill()
            #expect(!server.isRunning)
            #expect(!Self.isKnown(processID))
            #expect(Self.exists(server.directory))
            server.kill()
        }
    }

    @Test(arguments: [LocalRedisServer.Options.AppendOnly.always, .everysec])
    func dataOutlivesAKillWithAnAppendOnlyFile(appendOnly: LocalRedisServer.Options.AppendOnly) async throws {
        try await withLocalRedis(.init(appendOnly: appendOnly)) { server in
            let port = server.port
            _ = try await Self.send(server, RedisCommand("SET", "a", "kept"))
            server.kill()
            try await server.restart()
            #expect(server.port == port)
            #expect(try await Self.send(server, RedisCommand("GET", "a")).string == "kept")
            try await server.restart()
            #expect(try await Self.send(server, RedisCommand("GET", "a")).string == "kept")
        }
    }

    @Test func withoutAnAppendOnlyFileARestartIsEmpty() async throws {
        try await withLocalRedis { server in
            _ = try await Self.send(server, RedisCommand("SET", "a", "x"))
            try await server.restart()
            #expect(try await Self.send(server, RedisCommand("GET", "a")).isNull)
        }
    }

    @Test func aStoppedServerCanBeStartedAgain() async throws {
        let server = try await LocalRedisServer.start()
        await server.stop()
        try await server.restart()
        #expect(try await Self.send(server, RedisCommand("PING")).string == "PONG")
        await server.stop()
        #expect(!Self.exists(server.directory))
    }

    @Test func aFrozenServerCanBeThawedAndStopped() async throws {
        let server = try await LocalRedisServer.start()
        let connection = try await RedisConnection.connect(to: server.endpoint)
        server.freeze()
        let pending = connection.submit(RedisCommand("PING"))
        #expect(server.isRunning)
        server.thaw()
        #expect(try await pending.get().value.string == "PONG")
        server.freeze()
        await server.stop()
        #expect(!server.isRunning)
    }

    @Test func anEndOfItsOwnIsNoticed() async throws {
        try await withLocalRedis { server in
            // The answer is the end of the connection.
            _ = try? await Self.send(server, RedisCommand("SHUTDOWN", "NOSAVE"))
            while server.isRunning { await Task.yield() }
            try await server.restart()
            #expect(server.isRunning)
        }
    }

    @Test func aChosenDirectoryIsKept() async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/skald test \(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }  // the system's temporary directory: no harm
        try await withLocalRedis(.init(directory: directory, appendOnly: .always)) { server in
            #expect(server.directory == directory)
            _ = try await Self.send(server, RedisCommand("SET", "a", "kept"))
        }
        try await withLocalRedis(.init(directory: directory, appendOnly: .always)) { server in
            let value = try await Self.send(server, RedisCommand("GET", "a"))
            #expect(value.string == "kept")
        }
    }

    @Test func aLongDirectoryGetsItsSocketElsewhere() async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/skald-" + String(repeating: "x", count: 120)
        defer { try? FileManager.default.removeItem(atPath: directory) }  // the system's temporary directory: no harm
        let server = try await LocalRedisServer.start(.init(directory: directory))
        let connection = try await RedisConnection.connect(to: RedisEndpoint(url: server.unixURL))
        #expect(try await connection.send(RedisCommand("PING")).value.string == "PONG")
        await server.stop()
        #expect(Self.exists(directory))
        let socket = server.unixURL.replacing("unix://", with: "")
        #expect(!Self.exists(URL(fileURLWithPath: socket).deletingLastPathComponent().path))
    }

    @Test func manyServersRunSideBySide() async throws {
        let ports = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { try await withLocalRedis { $0.port } }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(ports.count == 8)
    }

    @Test func noDescriptorOfThisProcessIsInherited() async throws {
        var pipe: [Int32] = [0, 0]
        #expect(Glibc.pipe(&pipe) == 0)
        defer { pipe.forEach { close($0) } }
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(pipe[1])")
        try await withLocalRedis { server in
            let folder = "/proc/\(server.processID)/fd"
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                // It may be closed by now.
                let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
                #expect(link != target)
            }
        }
    }
}
