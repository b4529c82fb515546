package import SagaCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Time and chance, as an orchestrator has them from around it. Nothing else in this module asks for either, so that a
/// simulation can give its own, and repeat a run to the letter.
package struct Surroundings: Sendable {
    /// Milliseconds of a clock that never jumps.
    package var monotonic: @Sendable () -> Milliseconds
    /// Unix milliseconds of this machine's clock. Only a new era's lower bound: everything else follows the store's clock.
    package var wall: @Sendable () -> Milliseconds
    /// Returns after a while, or early where the task is cancelled.
    package var sleep: @Sendable (Duration) async -> Void
    /// 64 random bits.
    package var random: @Sendable () -> UInt64
    /// Where tasks run that don't inherit it from the one that starts them; nil for the default.
    package var executor: (any TaskExecutor)?

    package init(
        monotonic: @escaping @Sendable () -> Milliseconds, wall: @escaping @Sendable () -> Milliseconds,
        sleep: @escaping @Sendable (Duration) async -> Void, random: @escaping @Sendable () -> UInt64,
        executor: (any TaskExecutor)? = nil
    ) {
        self.monotonic = monotonic
        self.wall = wall
        self.sleep = sleep
        self.random = random
        self.executor = executor
    }

    /// Those of this machine.
    package static let real = Surroundings(
        monotonic: { milliseconds(of: CLOCK_MONOTONIC) },
        wall: { milliseconds(of: CLOCK_REALTIME) },
        // Who sleeps looks at the cancellation itself.
        sleep: { try? await Task.sleep(for: $0) },
        random: { .random(in: .min ... .max) }
    )

    /// 96 random bits as text: two takings never have one owner, and two processes never one instance.
    func randomText() -> String {
        (0..<3).map { _ in
            let text = String(UInt32(truncatingIfNeeded: random()), radix: 16)
            return String(repeating: "0", count: 8 - text.count) + text
        }.joined()
    }

    var generator: Generator { Generator(random: random) }

    struct Generator: RandomNumberGenerator {
        let random: @Sendable () -> UInt64

        mutating func next() -> UInt64 { random() }
    }

    /// The pause after the nth failure in a row: exponential, with full jitter in its upper half.
    func backoff(after failures: Int, within range: ClosedRange<Milliseconds>) -> Duration {
        let ceiling = min(range.upperBound, range.lowerBound << Milliseconds(min(max(0, failures - 1), 20)))
        var generator = generator
        return .milliseconds(Int64.random(in: max(1, ceiling / 2)...max(1, ceiling), using: &generator))
    }
}

private func milliseconds(of clock: clockid_t) -> Milliseconds {
    var time = timespec()
    clock_gettime(clock, &time)
    return Milliseconds(time.tv_sec) * 1_000 + Milliseconds(time.tv_nsec) / 1_000_000
}
