package import NIOCore

/// How long to wait before the next attempt to connect: doubling, from 50 ms to 2 s, with jitter so that clients that
/// lost one server do not come back in step.
package enum Backoff {
    package static let first = TimeAmount.milliseconds(100)
    package static let most = TimeAmount.seconds(2)

    /// - Parameters:
    ///   - failures: attempts that have failed in a row, from 1.
    ///   - jitter: random, in 0 ..< 1.
    package static func delay(failures: Int, jitter: Double) -> TimeAmount {
        let doublings = min(max(failures, 1) - 1, 10)
        let full = min(first.nanoseconds << Int64(doublings), most.nanoseconds)
        return .nanoseconds(full / 2 + Int64(Double(full / 2) * jitter))
    }
}
