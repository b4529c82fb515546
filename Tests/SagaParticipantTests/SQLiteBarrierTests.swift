import GRDB
import SagaCore
import SagaParticipant
import SagaParticipantSQLite
import SagaWire
import Testing

@Suite("The SQLite barrier")
struct SQLiteBarrierTests {
    struct Crash: Error {}

    @Test("A transaction that never commits leaves neither effect nor record")
    func crashBeforeCommit() async throws {
        let database = try temporaryDatabase()
        let barrier = try TestBarrier.sqlite(database)
        // What a crash leaves of a transaction is what a rollback does.
        try await database.writeWithoutTransaction { db in
            try db.inTransaction(.immediate) {
                try db.execute(sql: "INSERT INTO effect VALUES ('half', 1)")
                return .rollback
            }
        }
        #expect(try await barrier.effects() == [:])
        #expect(try await barrier(.test(.action))?.outcome == .succeeded)
    }

    @Test("Records outlive the process: another connection to the file answers from them")
    func reopened() async throws {
        let database = try temporaryDatabase()
        _ = try await TestBarrier.sqlite(database)(.test(.action)) { _ in .succeeded([1]) }
        let path = database.path
        try database.close()
        let again = try TestBarrier.sqlite(DatabasePool(path: path))
        #expect(try await again(.test(.action, attempt: 2)) { _ in .failed(code: "x", error: "x") }?.result == [1])
    }

    @Test("Two connections, as of two processes, keep a saga's transactions apart")
    func twoProcesses() async throws {
        let database = try temporaryDatabase()
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        let barriers = try (0..<2).map { _ in
            try TestBarrier.sqlite(DatabasePool(path: database.path, configuration: configuration))
        }
        try await withThrowingTaskGroup(of: ReplyMessage?.self) { group in
            for index in 0..<40 {
                group.addTask {
                    try await barriers[index % 2](.test(.action, saga: "saga-\(index / 4)", attempt: index + 1))
                }
            }
            for try await reply in group { #expect(reply?.outcome == .succeeded) }
        }
        let effects = try await barriers[0].effects()
        #expect(effects.count == 10)
        #expect(effects.values.allSatisfy { $0 == 1 })
    }

    @Test(
        "A handler that ends the transaction, or a constraint that fails at the commit, takes only its own command",
        arguments: ["ROLLBACK", "constraint"])
    func brokenTransaction(_ fault: String) async throws {
        let database = try temporaryDatabase()
        try await database.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE parent (id INTEGER PRIMARY KEY);
                    CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
                    CREATE TABLE effect (key TEXT PRIMARY KEY);
                    """)
        }
        let barrier = try SQLiteBarrier(database)
        let commands = ["a", "broken", "b"].map { Command.test(.action, saga: $0) }
        let batch = CommandBatch(namespace: "test", now: 1, commands: commands)
        let answers = try await barrier.perform(batch) { command, db in
            do {
                try db.execute(sql: "INSERT INTO effect VALUES (?)", arguments: [command.key])
                if command.saga == "broken" {
                    try db.execute(sql: fault == "ROLLBACK" ? "ROLLBACK" : "INSERT INTO child VALUES (42)")
                }
                return .succeeded(nil)
            } catch {
                return .retry(error: "\(error)")
            }
        }
        #expect(answers.map(\.reply?.outcome) == [.succeeded, .retry, .succeeded])
        let keys = try await database.read { try String.fetchAll($0, sql: "SELECT key FROM effect ORDER BY key") }
        #expect(keys == [commands[0].key, commands[2].key])
        #expect(try await barrier.recorded(namespace: "test", saga: "broken", step: "reserve").action == nil)
        #expect(try await barrier.recorded(namespace: "test", saga: "a", step: "reserve").action != nil)
    }

    @Test("A database that cannot be written at all is an error, not an answer")
    func brokenDatabase() async throws {
        let database = try temporaryDatabase()
        let barrier = try SQLiteBarrier(database)
        try await database.write { try $0.execute(sql: "DROP TABLE skald_barrier") }
        for saga in [["a"], ["a", "b"]] {
            let batch = CommandBatch(namespace: "test", now: 1, commands: saga.map { .test(.action, saga: $0) })
            await #expect(throws: (any Error).self) { try await barrier.perform(batch) { _, _ in .succeeded(nil) } }
        }
    }

    @Test("Commits are on the disk before they are answered: synchronous is FULL")
    func synchronous() async throws {
        let database = try temporaryDatabase()
        _ = try SQLiteBarrier(database)
        let level = try await database.write { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
        #expect(level == 2)
    }

    @Test("A path alone is enough: file, tables, and the service's own tables")
    func path() async throws {
        let path = try temporaryDatabase().path + "-2"
        for _ in 0..<2 {
            let barrier = try SQLiteBarrier(path: path) { db in
                try db.execute(sql: "CREATE TABLE IF NOT EXISTS mine (id INTEGER PRIMARY KEY)")
            }
            let tables = try await barrier.database.read { db in
                try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            }
            #expect(tables == ["mine", "skald_barrier", "skald_saga"])
        }
    }
}
