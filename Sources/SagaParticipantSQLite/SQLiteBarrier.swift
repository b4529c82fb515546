public import GRDB
public import SagaCore
public import SagaParticipant
public import SagaWire

/// A barrier in the service's own SQLite database: handlers are given the database connection, and what they write is
/// committed together with the record of the command.
///
/// All commands of a batch share one transaction and so one fsync; each has a savepoint of its own, so that a handler
/// that refuses or fails takes nothing with it but its own changes. The transaction begins IMMEDIATE: SQLite's write
/// lock is what keeps the transactions of a saga apart, also between processes.
///
/// The connection's `synchronous` is set to FULL. GRDB opens pools in WAL mode with NORMAL, under which a power failure
/// may take back commits: of a command that has been answered, that would be a lost effect.
///
/// Handlers must not commit or roll back; savepoints of their own are fine. The tables `skald_saga` and `skald_barrier`
/// are the barrier's.
public final class SQLiteBarrier: Barrier {
    public typealias Transaction = Database

    /// The database that was given, for the service's other reads and writes.
    public let database: any DatabaseWriter

    /// Uses a database that the service has opened. Set a busy timeout if several processes share it.
    public init(_ database: any DatabaseWriter) throws {
        self.database = database
        try database.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.inTransaction(.immediate) {
                try SQLiteLedger.createTables(db)
                return .commit
            }
        }
    }

    /// Opens (or makes) a database file in WAL mode, waiting up to 5 s for other processes' locks.
    ///
    /// - Parameter prepare: Makes the service's own tables, in one transaction. Runs each time.
    public convenience init(path: String, prepare: @escaping @Sendable (Database) throws -> Void = { _ in }) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        let pool = try DatabasePool(path: path, configuration: configuration)
        try self.init(pool)
        try pool.write(prepare)
    }

    public func perform(
        _ batch: CommandBatch, _ handler: @escaping @Sendable (Command, Database) -> HandlerOutcome
    ) async throws -> [BarrierAnswer] {
        do {
            return try await transact(batch, handler)
        } catch  where batch.commands.count > 1 && !Task.isCancelled {
            return try await performSingly(batch, handler)
        }
    }

    /// The whole batch in one transaction.
    private func transact(
        _ batch: CommandBatch, _ handler: @escaping @Sendable (Command, Database) -> HandlerOutcome
    ) async throws -> [BarrierAnswer] {
        try await database.writeWithoutTransaction { db in
            var answers: [BarrierAnswer] = []
            answers.reserveCapacity(batch.commands.count)
            try db.inTransaction(.immediate) {
                for command in batch.commands {
                    answers.append(try SQLiteLedger.perform(command, of: batch, in: db, handler))
                }
                return .commit
            }
            return answers
        }
    }

    /// Each command in a transaction of its own, after one of them has broken the transaction that they shared (a
    /// deferred constraint, a full disk, a handler that rolled back). Nothing of that one is left.
    private func performSingly(
        _ batch: CommandBatch, _ handler: @escaping @Sendable (Command, Database) -> HandlerOutcome
    ) async throws -> [BarrierAnswer] {
        var answers: [BarrierAnswer] = []
        var lastError: (any Error)?
        var failures = 0
        for command in batch.commands {
            var single = batch
            single.commands = [command]
            do {
                answers += try await transact(single, handler)
            } catch  where !Task.isCancelled {
                failures += 1
                lastError = error
                answers.append(
                    .reply(ReplyMessage(id: command.id, outcome: .retry, error: "\(error)".cut(to: 1_024))))
            }
        }
        // Not one command's fault, then.
        if let lastError, failures == batch.commands.count { throw lastError }
        return answers
    }

    public func purge(before instant: Milliseconds, limit: Int) async throws -> Int {
        try await database.write { db in
            try SQLiteLedger.purge(before: instant, limit: limit, in: db)
        }
    }

    /// What is recorded about a saga under the keys of one step.
    package func recorded(namespace: String, saga: String, step: String) async throws -> RecordedState {
        try await database.read { db in
            var state = RecordedState(era: try SQLiteLedger.era(of: saga, namespace: namespace, in: db))
            for phase in Phase.allCases {
                let key = Command.key(saga: saga, step: step, phase: phase)
                state[phase] = try SQLiteLedger.records(namespace, saga, key, key, in: db)[key]
            }
            return state
        }
    }
}

/// A handler has ended the transaction that it was given, or brought SQLite to do so.
public struct TransactionEnded: Error, Sendable, CustomStringConvertible {
    public let operation: String

    public var description: String {
        "the handler of \(operation) ended the barrier's transaction: handlers must not commit or roll back"
    }
}
