/// What the shell has to do because an entry was applied, in this order, in the same atomic change that appends it.
///
/// On replay directives are dropped: whatever they asked for was committed along with the entry.
public enum Directive: Sendable, Hashable {
    /// Send a command to the step's service.
    case send(Dispatch)
    /// The saga has reached an end, or `stuck`: tell whoever waits.
    case finish(Saga.Status)
    /// A stuck saga goes on.
    case reopen
}

/// One attempt of one phase of a step, to be sent.
public struct Dispatch: Sendable, Hashable {
    /// Index in the definition.
    public var step: Int
    public var phase: Phase
    /// From 1.
    public var attempt: Int
    /// When the coordinator stops waiting for this attempt.
    public var deadline: Milliseconds
    /// On a compensation: the action's success stands in the log.
    public var isEffectKnown: Bool

    public init(step: Int, phase: Phase, attempt: Int, deadline: Milliseconds, isEffectKnown: Bool = false) {
        self.step = step
        self.phase = phase
        self.attempt = attempt
        self.deadline = deadline
        self.isEffectKnown = isEffectKnown
    }
}
