import SagaWire

/// What a participant has done since it was made.
public struct ParticipantCounts: Sendable, Hashable {
    /// Commands read, re-deliveries included.
    public var received = 0
    public var succeeded = 0
    public var failed = 0
    public var retried = 0
    public var stale = 0
    /// Entries that went to the dead letters.
    public var dead = 0
    /// Pending commands whose entries had gone from their stream: lost work.
    public var lost = 0
    /// Commands taken over from other consumers, or left behind by an earlier process of this one.
    public var recovered = 0
    /// Answers that Redis has confirmed.
    public var confirmed = 0
    /// How often it began to read: 1, and one more after each interruption.
    public var sessions = 0

    public init() {}

    mutating func add(_ outcome: ReplyOutcome) {
        switch outcome {
        case .succeeded: succeeded += 1
        case .failed: failed += 1
        case .retry: retried += 1
        case .stale: stale += 1
        }
    }

    /// Adds what confirmed answers said.
    mutating func add(_ answers: ParticipantCounts, confirmed entries: Int) {
        succeeded += answers.succeeded
        failed += answers.failed
        retried += answers.retried
        stale += answers.stale
        dead += answers.dead
        lost += answers.lost
        confirmed += entries
    }
}
