import RedisTransport
import SagaCore
import Synchronization

/// The Redis server's clock, as well as it can be known here: its time at the last measurement, and what has passed
/// since by a clock that nobody sets.
final class RedisClock: Sendable {
    private struct Measurement {
        var time: Milliseconds
        var at: ContinuousClock.Instant
    }

    private let last = Mutex<Measurement?>(nil)

    /// The present; nil before the first measurement.
    var now: Milliseconds? {
        last.withLock { last in
            last.map { $0.time.adding(Milliseconds(ContinuousClock.now - $0.at)) }
        }
    }

    /// Asks the server for its time.
    func measure(on connection: RedisConnection) async throws(RedisError) {
        let before = ContinuousClock.now
        let reply = try await connection.send(RedisCommand("TIME"))
        guard let time = Self.time(in: reply.value) else {
            throw RedisError(
                code: .protocolViolation, message: "TIME was not answered with two numbers", effect: .notApplied)
        }
        let roundTrip = before.duration(to: .now)
        last.withLock { $0 = Measurement(time: time, at: before + roundTrip / 2) }
    }

    /// Seconds and microseconds, as text.
    private static func time(in value: RedisValue) -> Milliseconds? {
        guard let seconds = value[0].string.flatMap(Int64.init), let micros = value[1].string.flatMap(Int64.init),
            (0...100_000_000_000).contains(seconds), (0...1_000_000).contains(micros)
        else { return nil }
        return seconds * 1_000 + micros / 1_000
    }
}
