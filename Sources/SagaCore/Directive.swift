/// What the shell has to do because an entry was applied, in this order, in the same atomic change that appends it.
///
/// On replay directives are dropped: whatever they asked for was committed along with the entry.
public enum Directive: Sendable, Hashable {
    /// Send a command to the step's service.
    case send(Dispatch)
    /// Start the step's child saga; where it exists, let it report.
    case startChild(step: Int)
    /// Take the step's child saga back; where it does not exist, enter it as one that is to be undone.
    case undoChild(step: Int)
    /// Bring the step's child saga to the saga's era, and let it report when it is verified.
    case verifyChild(step: Int)
    /// The verify round of a child saga is over: report to its parent.
    case verified
    /// Tell the topic of the step's outcome, `succeeded` or `failed`.
    case emit(step: Int, outcome: Reply.Outcome)
    /// The saga has reached an end, or `stuck`: tell whoever waits.
    case finish(Saga.Status)
    /// A stuck saga, or a completed child that is taken back, goes on.
    case reopen
}

/// One attempt of one phase of a step, to be sent.
public struct Dispatch: Sendable, Hashable {
    /// Index in the definition.
    public var step: Int
    /// Of a `forEach` step: place in its list, from 0.
    public var item: Int?
    public var phase: Phase
    /// From 1.
    public var attempt: Int
    /// When the coordinator stops waiting for this attempt.
    public var deadline: Milliseconds
    /// On a compensation: the action's success stands in the log.
    public var isEffectKnown: Bool

    public var branch: Branch { Branch(step: step, item: item) }

    public init(
        step: Int, item: Int? = nil, phase: Phase, attempt: Int, deadline: Milliseconds, isEffectKnown: Bool = false
    ) {
        self.step = step
        self.item = item
        self.phase = phase
        self.attempt = attempt
        self.deadline = deadline
        self.isEffectKnown = isEffectKnown
    }
}
