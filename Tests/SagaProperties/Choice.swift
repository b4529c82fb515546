package import SagaCore

/// One thing that happens in a ``World``.
///
/// Plain data: a list of choices means the same in every run, and still means something when others are taken out of it.
/// So messages are meant by their place among those under way, counted round and round; a choice that finds nothing to
/// happen to changes nothing.
package enum Choice: Sendable, Hashable {
    /// A command reaches its participant, which wants to do this.
    case execute(Int, Will = .succeed)
    /// An answer reaches the coordinator.
    case answer(Int)
    case loseCommand(Int)
    case loseAnswer(Int)
    case doubleCommand(Int)
    case doubleAnswer(Int)
    /// The participant that has this command before it gives a sign of life.
    case beat(Int)
    /// Time passes, and what is due by then rings.
    case pass(Milliseconds)
    /// An operator orders something, for one step or for all.
    case order(Order.Operation, step: Int? = nil, saga: Int = 0)
    /// A signal of one of the definition's names is sent, perhaps as a repetition of an earlier one with the same id.
    case signal(Int, id: Int? = nil, saga: Int = 0)
    /// Everything so far is confirmed to survive, and the saga is told.
    case confirm(saga: Int = 0)
    /// The partition loses its newest entries, and goes on under a new era.
    case rewind(losing: Int)
}

/// What a participant's business rules make of a command, where its record does not decide.
package enum Will: Sendable, Hashable {
    case succeed
    /// Refuses for good, without an effect.
    case refuse(code: String? = nil)
    /// Passing trouble, without an effect.
    case stumble(retryAfter: Milliseconds? = nil, code: String? = nil)
}
