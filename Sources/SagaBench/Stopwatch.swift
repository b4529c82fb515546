import Histogram

/// Latencies of sagas under way, by their number.
struct Stopwatch {
    private var begun: [Int: ContinuousClock.Instant] = [:]
    private var histogram = Histogram<UInt64>(
        highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .three)
    private(set) var ended = 0

    mutating func begin(_ saga: Int, at instant: ContinuousClock.Instant) { begun[saga] = instant }

    /// Notes the end of a saga; an end that was noted already changes nothing.
    mutating func end(_ saga: Int, at instant: ContinuousClock.Instant) {
        guard let start = begun.removeValue(forKey: saga) else { return }
        ended += 1
        let (seconds, attoseconds) = (instant - start).components
        histogram.record(UInt64(seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
    }

    var underWay: Int { begun.count }

    func milliseconds(atPercentile percentile: Double) -> Double {
        Double(histogram.valueAtPercentile(percentile)) / 1_000
    }
}
