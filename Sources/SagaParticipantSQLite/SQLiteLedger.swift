import Foundation
import GRDB
import SagaCore
import SagaParticipant
import SagaWire

/// The barrier's tables.
enum SQLiteLedger {
    /// How exactly a saga's last command is dated: a row is rewritten, and its place in the index moved, once an hour
    /// at most.
    static let updateGranularity: Milliseconds = 3_600_000

    static func createTables(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS skald_saga (
                    namespace TEXT NOT NULL,
                    saga TEXT NOT NULL,
                    era INTEGER NOT NULL,
                    updated_at INTEGER NOT NULL,
                    PRIMARY KEY (namespace, saga)
                ) WITHOUT ROWID;
                CREATE INDEX IF NOT EXISTS skald_saga_updated_at ON skald_saga (updated_at);
                CREATE TABLE IF NOT EXISTS skald_barrier (
                    namespace TEXT NOT NULL,
                    saga TEXT NOT NULL,
                    key TEXT NOT NULL,
                    outcome TEXT NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'intended')),
                    result BLOB,
                    error TEXT,
                    code TEXT,
                    until INTEGER,
                    recorded_at INTEGER NOT NULL,
                    PRIMARY KEY (namespace, saga, key)
                ) WITHOUT ROWID;
                """)
    }

    /// One command, within the batch's transaction.
    static func perform(
        _ command: Command, of batch: CommandBatch, in db: Database,
        _ handler: (Command, Database) -> HandlerOutcome
    ) throws -> BarrierAnswer {
        let state = try open(command, of: batch, in: db)
        let conclusion = try BarrierRules.perform(command, recorded: state, now: batch.now) {
            try run(command, in: db, handler)
        }
        if let record = conclusion.record { try write(record, of: command, of: batch, in: db) }
        return conclusion.answer
    }

    /// Runs the handler in a savepoint, of which only a success stays.
    private static func run(
        _ command: Command, in db: Database, _ handler: (Command, Database) -> HandlerOutcome
    ) throws -> HandlerOutcome {
        var outcome: HandlerOutcome?
        do {
            try db.inSavepoint {
                let result = handler(command, db)
                outcome = result
                return result.keepsChanges ? .commit : .rollback
            }
        } catch {
            // The savepoint is gone with its transaction, or could not be released.
            guard db.isInsideTransaction else { throw TransactionEnded(operation: command.operation) }
            throw error
        }
        // What the earlier commands of the batch did is gone as well, then.
        guard db.isInsideTransaction, let outcome else { throw TransactionEnded(operation: command.operation) }
        return outcome
    }

    /// Locks the saga's row, raises its era, and reads what is recorded; the era includes the command's own.
    private static func open(_ command: Command, of batch: CommandBatch, in db: Database) throws -> RecordedState {
        let insert = try db.cachedStatement(
            sql: "INSERT OR IGNORE INTO skald_saga (namespace, saga, era, updated_at) VALUES (?, ?, ?, ?)")
        try insert.execute(arguments: [batch.namespace, command.saga, command.era, batch.now])
        // The first command of its saga, as most are: there is nothing to read.
        if db.changesCount == 1 { return RecordedState(era: command.era) }
        let raise = try db.cachedStatement(
            sql: """
                UPDATE skald_saga SET
                    era = max(era, ?1),
                    updated_at = CASE WHEN ?2 > updated_at + \(updateGranularity) THEN ?2 ELSE updated_at END
                WHERE namespace = ?3 AND saga = ?4
                RETURNING era
                """)
        var state = RecordedState()
        state.era = try Int64.fetchOne(
            raise, arguments: [command.era, batch.now, batch.namespace, command.saga])
        let records = try records(batch.namespace, command.saga, command.key, command.counterpartKey, in: db)
        state[command.phase] = records[command.key]
        state[command.phase == .action ? .compensation : .action] = records[command.counterpartKey]
        return state
    }

    static func era(of saga: String, namespace: String, in db: Database) throws -> Int64? {
        try Int64.fetchOne(
            db, sql: "SELECT era FROM skald_saga WHERE namespace = ? AND saga = ?", arguments: [namespace, saga])
    }

    static func records(
        _ namespace: String, _ saga: String, _ key: String, _ counterpart: String, in db: Database
    ) throws -> [String: BarrierRecord] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT key, outcome, result, error, code, until FROM skald_barrier
                WHERE namespace = ? AND saga = ? AND key IN (?, ?)
                """)
        var records: [String: BarrierRecord] = [:]
        let rows = try Row.fetchCursor(statement, arguments: [namespace, saga, key, counterpart])
        while let row = try rows.next() {
            guard let outcome = BarrierRecord.Outcome(rawValue: row[1]) else { continue }
            let result: Data? = row[2]
            records[row[0]] = BarrierRecord(
                outcome, result: result.map { [UInt8]($0) }, error: row[3], code: row[4], until: row[5])
        }
        return records
    }

    private static func write(
        _ record: BarrierRecord, of command: Command, of batch: CommandBatch, in db: Database
    ) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO skald_barrier
                    (namespace, saga, key, outcome, result, error, code, until, recorded_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            batch.namespace, command.saga, command.key, record.outcome.rawValue, record.result.map { Data($0) },
            record.error, record.code, record.until, batch.now,
        ])
    }

    static func purge(before instant: Milliseconds, limit: Int, in db: Database) throws -> Int {
        let due = try Row.fetchAll(
            db, sql: "SELECT namespace, saga FROM skald_saga WHERE updated_at < ? ORDER BY updated_at LIMIT ?",
            arguments: [instant - updateGranularity, limit])
        for row in due {
            let saga: StatementArguments = [row["namespace"] as String, row["saga"] as String]
            try db.execute(sql: "DELETE FROM skald_barrier WHERE namespace = ? AND saga = ?", arguments: saga)
            try db.execute(sql: "DELETE FROM skald_saga WHERE namespace = ? AND saga = ?", arguments: saga)
        }
        return due.count
    }
}
