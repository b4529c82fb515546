import Foundation
import GRDB
import SagaCore
import SagaParticipant
import SagaParticipantSQLite
import SagaWire

/// Both barriers behind one face. A handler's effect is a row (or an entry) that counts how often it was made; the plan
/// says how the handler ends after it has made it.
struct TestBarrier: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case memory, sqlite
    }

    typealias Plan = @Sendable (Command) -> HandlerOutcome

    let perform: @Sendable (CommandBatch, @escaping Plan) async throws -> [BarrierAnswer]
    /// How often each key's effect stands.
    let effects: @Sendable () async throws -> [String: Int]
    let recorded: @Sendable (_ saga: String, _ step: String) async throws -> RecordedState
    let purge: @Sendable (_ before: Milliseconds, _ limit: Int) async throws -> Int

    static func make(_ kind: Kind) throws -> TestBarrier {
        switch kind {
        case .memory: memory()
        case .sqlite: try sqlite(try temporaryDatabase())
        }
    }

    static func memory() -> TestBarrier {
        let barrier = MemoryBarrier([String: Int]())
        return TestBarrier(
            perform: { batch, plan in
                try await barrier.perform(batch) { command, transaction in
                    transaction.state[command.key, default: 0] += 1
                    return plan(command)
                }
            },
            effects: { barrier.withState { $0 } },
            recorded: { barrier.recorded(namespace: "test", saga: $0, step: $1) },
            purge: { try await barrier.purge(before: $0, limit: $1) })
    }

    static func sqlite(_ database: DatabasePool) throws -> TestBarrier {
        try database.write { db in
            try db.execute(sql: "CREATE TABLE IF NOT EXISTS effect (key TEXT PRIMARY KEY, count INTEGER NOT NULL)")
        }
        let barrier = try SQLiteBarrier(database)
        return TestBarrier(
            perform: { batch, plan in
                try await barrier.perform(batch) { command, db in
                    do {
                        try db.execute(
                            sql: "INSERT INTO effect VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                            arguments: [command.key])
                        return plan(command)
                    } catch {
                        return .retry(error: "\(error)")
                    }
                }
            },
            effects: {
                try await database.read { db in
                    let rows = try Row.fetchAll(db, sql: "SELECT key, count FROM effect")
                    return Dictionary(uniqueKeysWithValues: rows.map { ($0["key"], $0["count"]) })
                }
            },
            recorded: { try await barrier.recorded(namespace: "test", saga: $0, step: $1) },
            purge: { try await barrier.purge(before: $0, limit: $1) })
    }

    /// One command, in a batch of its own.
    func callAsFunction(
        _ command: Command, now: Milliseconds = 1_000, _ plan: @escaping Plan = { _ in .succeeded(nil) }
    ) async throws -> ReplyMessage? {
        try await perform(CommandBatch(namespace: "test", now: now, commands: [command]), plan).first?.reply
    }
}

/// The test run's databases, removed when the process ends.
private let databases: URL = {
    atexit {
        // What cannot be removed stays in the system's temporary directory, and harms nobody.
        try? FileManager.default.removeItem(at: databases)
    }
    return FileManager.default.temporaryDirectory.appendingPathComponent("skald-test-\(UUID().uuidString)")
}()

/// A database file of its own, in WAL mode.
func temporaryDatabase() throws -> DatabasePool {
    let directory = databases.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    return try DatabasePool(path: directory.appendingPathComponent("test.db").path)
}

extension Command {
    static func test(
        _ phase: Phase, saga: String = "order-1", step: String = "reserve", operation: String? = nil,
        known: Bool = false, attempt: Int = 1, era: Int64 = 7, input: String = "{}", deadline: Milliseconds = 0
    ) -> Command {
        Command(
            saga: saga, definition: "order", version: 1, step: step, phase: phase,
            operation: operation ?? (phase == .action ? "reserve" : "release"), isEffectKnown: known, attempt: attempt,
            era: era, token: "token-\(attempt)-\(era)", input: Array(input.utf8), deadline: deadline)
    }
}
