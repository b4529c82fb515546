import SagaCore
import SagaWire

/// The records of one namespace of a ``MemoryBarrier``, bounded: two generations of sagas, of which the older one is dropped when the
/// younger one is full. A saga that is heard of again is young again.
struct MemoryLedger {
    /// One saga's records: an object, so that a command costs one look-up.
    final class Saga {
        fileprivate var era: Int64?
        fileprivate var updatedAt: Milliseconds
        /// Few: two for each step that this service executes. Searched in order.
        private var records: [(key: String, record: BarrierRecord)] = []

        fileprivate init(updatedAt: Milliseconds) {
            self.updatedAt = updatedAt
        }

        subscript(key: String) -> BarrierRecord? {
            get { records.first { $0.key == key }?.record }
            set {
                let index = records.firstIndex { $0.key == key }
                switch (index, newValue) {
                case (let index?, let record?): records[index].record = record
                case (let index?, nil): records.remove(at: index)
                case (nil, let record?): records.append((key, record))
                case (nil, nil): break
                }
            }
        }

        fileprivate func state(_ key: (Phase) -> String) -> RecordedState {
            guard !records.isEmpty else { return RecordedState(era: era) }
            return RecordedState(era: era, action: self[key(.action)], compensation: self[key(.compensation)])
        }
    }

    private let generationCapacity: Int
    private let safeguards: Safeguards
    private var young: [String: Saga] = [:]
    private var old: [String: Saga] = [:]

    init(capacity: Int, safeguards: Safeguards) {
        generationCapacity = max(1, capacity)
        self.safeguards = safeguards
    }

    /// Performs commands in order.
    ///
    /// - Parameter early: What was read of each before the sagas' rows were held, to be taken for what is recorded.
    mutating func perform(
        _ batch: CommandBatch, early: [RecordedState]? = nil, _ handler: (Command) -> HandlerOutcome
    ) -> [BarrierAnswer] {
        var answers: [BarrierAnswer] = []
        answers.reserveCapacity(batch.commands.count)
        for (index, command) in batch.commands.enumerated() {
            let saga = saga(command.saga, now: batch.now)
            let state = early?[index] ?? saga.state { $0 == command.phase ? command.key : command.counterpartKey }
            saga.era = max(saga.era ?? 0, command.era)
            saga.updatedAt = batch.now
            let conclusion = BarrierRules.perform(
                command, recorded: state, safeguards: safeguards, now: batch.now
            ) { handler(command) }
            if let record = conclusion.record { saga[command.key] = record }
            answers.append(conclusion.answer)
        }
        return answers
    }

    func state(saga: String, _ key: (Phase) -> String) -> RecordedState {
        (young[saga] ?? old[saga])?.state(key) ?? RecordedState()
    }

    mutating func purge(before instant: Milliseconds, limit: Int) -> Int {
        let removed = Self.purge(&old, before: instant, limit: limit)
        return removed + Self.purge(&young, before: instant, limit: limit - removed)
    }

    private mutating func saga(_ key: String, now: Milliseconds) -> Saga {
        if let saga = young[key] { return saga }
        if young.count >= generationCapacity {
            old = young
            young = [:]
        }
        let saga = old[key] ?? Saga(updatedAt: now)
        young[key] = saga
        return saga
    }

    private static func purge(_ sagas: inout [String: Saga], before instant: Milliseconds, limit: Int) -> Int {
        let due = sagas.lazy.filter { $0.value.updatedAt < instant }.prefix(limit).map(\.key)
        let keys = Array(due)
        for key in keys { sagas.removeValue(forKey: key) }
        return keys.count
    }
}
