/// How often, and how far apart, one phase of a step is tried.
///
/// The delay before attempt `n + 1` is `initial × factor^(n-1)`, at most `max`, then spread by `jitter`: exponential
/// backoff with bounded jitter. The spread is a function of the saga, the step and the attempt, not of chance, so that
/// a replayed log gives the same instants.
public struct RetryPolicy: Sendable, Hashable {
    /// Attempts before the phase gives up; 0 means without end.
    public var attempts: Int
    /// Delay before the second attempt.
    public var initial: Milliseconds
    /// Growth of the delay from one attempt to the next; at least 1.
    public var factor: Double
    /// Longest delay.
    public var max: Milliseconds
    /// Share of the delay that is spread, from 0 to 1: a delay `d` becomes one of `d × (1 - jitter) … d × (1 + jitter)`.
    public var jitter: Double

    public init(attempts: Int, initial: Milliseconds, factor: Double, max: Milliseconds, jitter: Double) {
        self.attempts = attempts
        self.initial = initial
        self.factor = factor
        self.max = max
        self.jitter = jitter
    }

    /// The default for actions before and at the pivot.
    public static let action = RetryPolicy(attempts: 10, initial: 200, factor: 2, max: 30_000, jitter: 0.2)
    /// The default for actions after the pivot, which only go forward.
    public static let retriable = RetryPolicy(attempts: 0, initial: 200, factor: 2, max: 30_000, jitter: 0.2)
    /// The default for compensations, which are retried until they succeed.
    public static let compensation = RetryPolicy(attempts: 0, initial: 500, factor: 2, max: 300_000, jitter: 0.2)

    /// Whether no attempt is left after `attempt` (counted from 1).
    package func isExhausted(after attempt: Int) -> Bool {
        attempts != 0 && attempt >= attempts
    }

    /// The delay between the end of `attempt` (from 1) and the next one.
    ///
    /// - Parameter seed: what makes this delay differ from that of other sagas that fail at the same moment.
    package func delay(after attempt: Int, seed: UInt64) -> Milliseconds {
        var delay = Double(initial)
        let ceiling = Double(max)
        // 64 doublings pass any ceiling; the bound keeps a saga with a million attempts from looping as often.
        for _ in 1..<Swift.max(1, Swift.min(attempt, 64)) where delay < ceiling { delay *= factor }
        delay = Swift.min(delay, ceiling)
        let unit = Double(seed >> 11) / Double(1 << 53)
        let spread = delay * (1 - jitter + 2 * jitter * unit)
        return Milliseconds(Swift.min(spread, 4e18).rounded())
    }
}

/// FNV-1a over the parts that name an attempt, finished by SplitMix64's mixer: the seed of a backoff's jitter.
package func jitterSeed(saga: String, _ branch: Branch, phase: Phase, attempt: Int) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in saga.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    hash ^=
        UInt64(truncatingIfNeeded: branch.step) << 40 ^ UInt64(truncatingIfNeeded: (branch.item ?? -1) + 1) << 48
        ^ UInt64(truncatingIfNeeded: attempt) << 1
    if phase == .compensation { hash ^= 1 }
    hash = (hash ^ hash >> 30) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ hash >> 27) &* 0x94d0_49bb_1331_11eb
    return hash ^ hash >> 31
}
