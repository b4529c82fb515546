import SagaCore
import SagaWire

/// The records of a ``MemoryBarrier``, bounded: two generations of sagas, of which the older one is dropped when the
/// younger one is full. A saga that is heard of again is young again.
struct MemoryLedger {
    private struct SagaKey: Hashable {
        var namespace: String
        var saga: String
    }

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
                records.removeAll { $0.key == key }
                if let newValue { records.append((key, newValue)) }
            }
        }

        fileprivate func state(_ key: (Phase) -> String) -> RecordedState {
            guard !records.isEmpty else { return RecordedState(era: era) }
            return RecordedState(era: era, action: self[key(.action)], compensation: self[key(.compensation)])
        }
    }

    private let generationCapacity: Int
    private var young: [SagaKey: Saga] = [:]
    private var old: [SagaKey: Saga] = [:]

    init(capacity: Int) {
        generationCapacity = max(1, capacity)
    }

    /// What is recorded when a command arrives, and the saga to record the answer in; raises the saga's era if the
    /// command's is newer.
    mutating func open(_ command: Command, namespace: String, now: Milliseconds) -> (Saga, RecordedState) {
        let saga = saga(SagaKey(namespace: namespace, saga: command.saga), now: now)
        let state = saga.state { $0 == command.phase ? command.key : command.counterpartKey }
        saga.era = max(saga.era ?? 0, command.era)
        saga.updatedAt = now
        return (saga, state)
    }

    func state(namespace: String, saga: String, _ key: (Phase) -> String) -> RecordedState {
        let id = SagaKey(namespace: namespace, saga: saga)
        return (young[id] ?? old[id])?.state(key) ?? RecordedState()
    }

    mutating func purge(before instant: Milliseconds, limit: Int) -> Int {
        let removed = Self.purge(&old, before: instant, limit: limit)
        return removed + Self.purge(&young, before: instant, limit: limit - removed)
    }

    private mutating func saga(_ key: SagaKey, now: Milliseconds) -> Saga {
        if let saga = young[key] { return saga }
        if young.count >= generationCapacity {
            old = young
            young = [:]
        }
        let saga = old[key] ?? Saga(updatedAt: now)
        young[key] = saga
        return saga
    }

    private static func purge(_ sagas: inout [SagaKey: Saga], before instant: Milliseconds, limit: Int) -> Int {
        let due = sagas.lazy.filter { $0.value.updatedAt < instant }.prefix(limit).map(\.key)
        let keys = Array(due)
        for key in keys { sagas.removeValue(forKey: key) }
        return keys.count
    }
}
