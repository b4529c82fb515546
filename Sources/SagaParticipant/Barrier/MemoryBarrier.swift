public import SagaCore
public import SagaWire
import Synchronization

/// A barrier that keeps its records in memory, next to a state of the service's own: for tests and for benchmarks.
///
/// Its records die with the process, so nothing that outlives the process may depend on it.
public final class MemoryBarrier<State: Sendable>: Barrier {
    /// What a handler changes. A handler that refuses or fails leaves the state as it was.
    public final class Transaction {
        public var state: State

        init(_ state: State) {
            self.state = state
        }
    }

    private struct Contents {
        var transaction: Transaction
        /// By namespace.
        var ledgers: [String: MemoryLedger] = [:]
    }

    // Handlers run under this lock: it is the database's write lock.
    private let contents: Mutex<Contents>
    private let capacity: Int
    private let safeguards: Safeguards
    private let pause: @Sendable () async -> Void

    /// - Parameters:
    ///   - state: What handlers change, as it is at the beginning.
    ///   - sagas: How many sagas' records are kept at least; those that were quiet for longest go first.
    public convenience init(_ state: State, keeping sagas: Int = 1_000_000) {
        self.init(state, keeping: sagas, safeguards: .all)
    }

    /// - Parameter pause: Without ``Safeguards/rowLocked``: what passes between the reading of the records and the rest
    ///   of the transaction.
    package init(
        _ state: State, keeping sagas: Int = 1_000_000, safeguards: Safeguards,
        pause: @escaping @Sendable () async -> Void = { await Task.yield() }
    ) {
        contents = Mutex(Contents(transaction: Transaction(state)))
        capacity = sagas
        self.safeguards = safeguards
        self.pause = pause
    }

    /// Reads or changes the state outside of any command.
    public func withState<Result: Sendable>(_ body: (inout State) throws -> Result) rethrows -> Result {
        try contents.withLock { try body(&$0.transaction.state) }
    }

    /// What is recorded about a saga under the keys of one step.
    package func recorded(namespace: String, saga: String, step: String) -> RecordedState {
        contents.withLock { contents in
            contents.ledgers[namespace]?.state(saga: saga) { Command.key(saga: saga, step: step, phase: $0) }
                ?? RecordedState()
        }
    }

    public func perform(
        _ batch: CommandBatch, _ handler: @escaping @Sendable (Command, Transaction) -> HandlerOutcome
    ) async throws -> [BarrierAnswer] {
        var early: [RecordedState]?
        if !safeguards.contains(.rowLocked) {
            early = contents.withLock { contents in
                batch.commands.map { command in
                    contents.ledgers[batch.namespace]?.state(saga: command.saga) {
                        $0 == command.phase ? command.key : command.counterpartKey
                    } ?? RecordedState()
                }
            }
            await pause()
        }
        return contents.withLock { contents in
            let transaction = contents.transaction
            let ledger = MemoryLedger(capacity: capacity, safeguards: safeguards)
            return contents.ledgers[batch.namespace, default: ledger].perform(batch, early: early) { command in
                let before = transaction.state
                let outcome = handler(command, transaction)
                if !outcome.keepsChanges { transaction.state = before }
                return outcome
            }
        }
    }

    public func purge(before instant: Milliseconds, limit: Int) async throws -> Int {
        contents.withLock { contents in
            var removed = 0
            for namespace in contents.ledgers.keys {
                removed += contents.ledgers[namespace]?.purge(before: instant, limit: limit - removed) ?? 0
            }
            return removed
        }
    }
}

extension MemoryBarrier where State == Void {
    /// A barrier without a state, for handlers that do nothing.
    public convenience init(keeping sagas: Int = 1_000_000) {
        self.init((), keeping: sagas)
    }
}

extension HandlerOutcome {
    /// Whether what the handler did in the transaction is committed.
    package var keepsChanges: Bool {
        if case .succeeded = self { true } else { false }
    }
}
