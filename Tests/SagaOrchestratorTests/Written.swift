import SagaStore
import Synchronization
import TestSupport

/// What commits wrote to indexes, and numbers that decide what becomes of commits.
final class Written: Sendable {
    private let state: Mutex<(changes: [IndexChange], random: SeededRandom)>

    init(seed: UInt64 = 0) {
        state = Mutex(([], SeededRandom(seed: seed)))
    }

    var changes: [IndexChange] { state.withLock { $0.changes } }

    func add(_ changes: [IndexChange]) { state.withLock { $0.changes += changes } }

    func next() -> UInt64 { state.withLock { $0.random.next() } }
}
