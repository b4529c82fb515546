/// What an orchestrator did since it began, counted when the store had confirmed it.
public struct Tally: Sendable, Hashable {
    public internal(set) var started = 0
    public internal(set) var ended = 0
    /// Times that a saga got stuck.
    public internal(set) var stuck = 0
    public internal(set) var applied = 0
    /// Answers that changed nothing: late, doubled, or of an older era.
    public internal(set) var ignored = 0
    public internal(set) var dead = 0
    /// Ended sagas that were removed when their time was over.
    public internal(set) var removed = 0
    /// Commits that were refused, because another orchestrator had taken the partition.
    public internal(set) var fenced = 0

    mutating func add(_ other: Tally) {
        started += other.started
        ended += other.ended
        stuck += other.stuck
        applied += other.applied
        ignored += other.ignored
        dead += other.dead
        removed += other.removed
        fenced += other.fenced
    }
}
