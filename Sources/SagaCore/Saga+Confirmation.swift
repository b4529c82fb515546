/// Durability `replicated`: what a saga does not let out before the store's server has confirmed that what led to it
/// survives a failover.
///
/// No command goes out before the start is confirmed. A pivot that is due waits, in a log
/// that says that it is due, until that is confirmed; a history that is rewound after that never turns back to where the
/// pivot could be given up; likewise when an operator declared the pivot done. And an end is reached only when all entries that lead to it are confirmed, so one that was
/// told is come to again from whatever log a failover leaves. While it waits, a saga is what it was before, `running`
/// or `compensating`, but one that is to be completed cannot be turned back any more: its end may have been told.
///
/// The confirmation is a fact of the log, and covers all entries before it. So a log is replayed alike on any server.
extension Saga {
    /// Whether a confirmation of all entries so far would let the saga go on.
    public var isAwaitingConfirmation: Bool {
        guard !isPaused, !isVerifying, !status.isFinal else { return false }
        return isStartHeld || isEndHeld || isSkipHeld || isPivotHeld
    }

    /// Whether every step has succeeded, and only the confirmation of that is missing.
    package var isCompletionHeld: Bool { isEndHeld && !isCompensating && ending == .completed }

    /// Whether the pivot is due, and not begun before that is confirmed.
    var isPivotHeld: Bool { definition.pivot.map { steps[$0].action.status == .pending } ?? false }

    /// Notes that the pivot is due, where it has to wait.
    mutating func holdsPivot(_ index: Int, at instant: Milliseconds) -> Bool {
        guard holdsUnconfirmed, index == definition.pivot else { return false }
        steps[index].action.status = .pending
        heldSince = instant
        return true
    }

    /// Notes that an operator declared the pivot done.
    mutating func holdSkip(at instant: Milliseconds) {
        guard holdsUnconfirmed else { return }
        isSkipHeld = true
        heldSince = instant
    }

    /// Notes that nothing is left to be done.
    mutating func holdEnd(at instant: Milliseconds) {
        if !isEndHeld { heldSince = instant }
        isEndHeld = true
        if status == .stuck { status = isCompensating ? .compensating : .running }
    }

    /// Lets go on what waited when the entries before this one were written. What becomes due because of this entry
    /// waits for the next confirmation.
    mutating func applyConfirmation(at instant: Milliseconds, _ directives: inout [Directive]) {
        (isStartHeld, isSkipHeld) = (false, false)
        if isPivotHeld, let pivot = definition.pivot { begin(pivot, at: instant, &directives) }
        guard isEndHeld else { return }
        isEndHeld = false
        conclude(at: instant, &directives)
    }
}
