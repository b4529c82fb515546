import SagaCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Milliseconds of a clock that never jumps.
func monotonicClock() -> Milliseconds { milliseconds(of: CLOCK_MONOTONIC) }

/// Unix milliseconds of this machine's clock. Only a new era's lower bound: everything else follows the store's clock.
func wallClock() -> Milliseconds { milliseconds(of: CLOCK_REALTIME) }

private func milliseconds(of clock: clockid_t) -> Milliseconds {
    var time = timespec()
    clock_gettime(clock, &time)
    return Milliseconds(time.tv_sec) * 1_000 + Milliseconds(time.tv_nsec) / 1_000_000
}

/// The pause after the nth failure in a row: exponential, with full jitter in its upper half.
func backoff(after failures: Int, within range: ClosedRange<Milliseconds>) -> Duration {
    let ceiling = min(range.upperBound, range.lowerBound << Milliseconds(min(max(0, failures - 1), 20)))
    return .milliseconds(Int64.random(in: max(1, ceiling / 2)...max(1, ceiling)))
}
