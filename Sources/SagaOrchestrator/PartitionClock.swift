import SagaCore

/// The store's clock as the lane sees it between two answers: the last instant that the store told, plus what has
/// passed since by the own monotonic clock. Never runs backwards.
struct PartitionClock {
    private var offset: Milliseconds?
    private var last: Milliseconds = 0

    /// Takes an instant that the store told just now.
    mutating func synchronize(store instant: Milliseconds, monotonic: Milliseconds) {
        offset = instant - monotonic
        last = max(last, instant)
    }

    mutating func now(monotonic: Milliseconds) -> Milliseconds {
        if let offset { last = max(last, monotonic.adding(offset)) }
        return last
    }
}
