import SagaCore
import SagaStore
import Synchronization

/// Whether sagas are begun. Not while the store's memory is nearly used up: what is in it already has to end first.
///
/// Starts then wait in the intake, where nothing is lost, and starters are told. Everything else goes on.
final class Admission: Sendable {
    enum Change: Sendable, Hashable {
        case closed(Overload)
        case opened
    }

    private struct State {
        var overload: Overload?
        /// The store has refused starts: they are not tried again before this instant.
        var refusedUntil = Milliseconds.min
    }

    /// In per cent of the store's memory, above which no sagas are begun; nil: only a store that is full stops them.
    private let allowed: Int?
    /// How far below that the memory must be for them to be begun again.
    private let margin: Int
    /// How long starts wait at least after the store has refused some.
    static let refusalPause: Milliseconds = 1_000
    private let state = Mutex(State())

    init(allowed: Int?, margin: Int) {
        self.allowed = allowed
        self.margin = margin
    }

    /// Nil while sagas are begun.
    var overload: Overload? { state.withLock { $0.overload } }

    /// Takes what the store says of its memory.
    func note(_ memory: StoreMemory, at monotonic: Milliseconds) -> Change? {
        state.withLock { state in
            guard let percent = memory.percent, let allowed else {
                // Nobody measures, so only trying tells.
                guard state.overload != nil, state.refusedUntil <= monotonic else { return nil }
                state.overload = nil
                return .opened
            }
            let overload = Overload(used: percent, allowed: allowed)
            if state.overload == nil {
                guard percent > allowed else { return nil }
                state.overload = overload
                return .closed(overload)
            }
            guard percent <= max(0, allowed - margin), state.refusedUntil <= monotonic else {
                state.overload = overload
                return nil
            }
            state.overload = nil
            return .opened
        }
    }

    /// The store has refused starts, because it is full.
    func noteRefusal(at monotonic: Milliseconds) -> Change? {
        state.withLock { state in
            state.refusedUntil = monotonic.adding(Self.refusalPause)
            guard state.overload == nil else { return nil }
            let overload = Overload(used: 100, allowed: allowed ?? 100)
            state.overload = overload
            return .closed(overload)
        }
    }
}
