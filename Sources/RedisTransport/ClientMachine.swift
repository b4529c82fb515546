package import NIOCore

/// The state of a client that keeps one connection and makes a new one when it is lost.
///
/// It does no I/O and has no clock: each method says what happened and returns, in order, what is to be done after the
/// lock is released. Attempts are numbered, so that news of an earlier one is told from news of the current one.
package struct ClientMachine<Connection: Sendable, Waiter: Sendable>: ~Copyable {
    /// A connection that is lost sooner is a failed attempt for the backoff: a server that accepts and then closes
    /// must not be hammered.
    package static var shortLife: TimeAmount { .seconds(2) }

    private struct Waiting {
        var id: Int
        var waiter: Waiter
    }

    private enum State {
        /// can transition to connecting or backing off when a connection is asked for
        case idle
        /// can transition to connected, to backing off or idle when the attempt fails
        case connecting([Waiting])
        /// can transition to connecting when the time is up and somebody still waits, else to idle
        case backingOff([Waiting])
        /// can transition to idle when the connection is lost
        case connected(Connection, since: NIODeadline)
        /// the end
        case closed
    }

    private var state: State = .idle
    private var attempt = 0
    private var nextWaiter = 0
    private var failures = 0
    private var notBefore = NIODeadline.uptimeNanoseconds(0)
    private var lastError: RedisError?
    /// Whether the loss was logged, and the return is still to be.
    private var isReportedLost = false

    package init() {}

    /// The connection, if there is one, and the attempt that made it.
    package var connected: (connection: Connection, attempt: Int)? {
        switch state {
        case .connected(let connection, _): (connection, attempt)
        default: nil
        }
    }

    /// A connection is asked for. The waiter's number is for ``waiterTimedOut(_:)``.
    package mutating func ask(_ waiter: Waiter, now: NIODeadline) -> (id: Int, actions: [Action]) {
        nextWaiter += 1
        let waiting = Waiting(id: nextWaiter, waiter: waiter)
        switch state {
        case .idle:
            return (waiting.id, begin([waiting], now: now))
        case .connecting(let others):
            state = .connecting(others + [waiting])
            return (waiting.id, [])
        case .backingOff(let others):
            state = .backingOff(others + [waiting])
            return (waiting.id, [])
        case .connected(let connection, _):
            return (waiting.id, [.succeed(waiter, connection)])
        case .closed:
            return (waiting.id, [.fail(waiter, .clientClosed)])
        }
    }

    /// Somebody would like a connection and does not wait for it.
    package mutating func wish(now: NIODeadline) -> [Action] {
        guard case .idle = state, now >= notBefore else { return [] }
        return begin([], now: now)
    }

    private mutating func begin(_ waiters: [Waiting], now: NIODeadline) -> [Action] {
        attempt += 1
        if now < notBefore {
            state = .backingOff(waiters)
            return [.wake(notBefore, attempt: attempt)]
        }
        state = .connecting(waiters)
        return [.connect(attempt: attempt)]
    }

    package mutating func backoffEnded(attempt ended: Int) -> [Action] {
        switch state {
        case .backingOff(let waiters) where ended == attempt:
            guard !waiters.isEmpty else {
                state = .idle
                return []
            }
            attempt += 1
            state = .connecting(waiters)
            return [.connect(attempt: attempt)]
        default:
            return []
        }
    }

    package mutating func attemptSucceeded(_ connection: Connection, attempt ended: Int, now: NIODeadline) -> [Action] {
        switch state {
        case .connecting(let waiters) where ended == attempt:
            state = .connected(connection, since: now)
            lastError = nil
            let log: [Action] = isReportedLost ? [.logBack] : []
            isReportedLost = false
            return log + waiters.map { .succeed($0.waiter, connection) }
        default:
            return [.close(connection)]
        }
    }

    /// Waiters are kept for the next attempt, unless the error is one that time does not heal.
    package mutating func attemptFailed(
        _ error: RedisError, attempt ended: Int, now: NIODeadline, jitter: Double
    ) -> [Action] {
        switch state {
        case .connecting(let waiters) where ended == attempt:
            failures += 1
            notBefore = now + Backoff.delay(failures: failures, jitter: jitter)
            lastError = error
            var actions = reportLost(error)
            if error.isTransient, !waiters.isEmpty {
                actions += begin(waiters, now: now)
            } else {
                state = .idle
                actions += waiters.map { .fail($0.waiter, error) }
            }
            return actions
        default:
            return []
        }
    }

    /// A connection was closed, by whomever.
    package mutating func connectionLost(
        _ error: RedisError, attempt lost: Int, now: NIODeadline, jitter: Double
    ) -> [Action] {
        switch state {
        case .connected(_, let since) where lost == attempt:
            state = .idle
            if now - since < Self.shortLife {
                failures += 1
                notBefore = now + Backoff.delay(failures: failures, jitter: jitter)
            } else {
                failures = 0
                notBefore = now
            }
            return reportLost(error)
        default:
            return []
        }
    }

    private mutating func reportLost(_ error: RedisError) -> [Action] {
        guard !isReportedLost else { return [] }
        isReportedLost = true
        return [.logLost(error)]
    }

    /// A waiter's patience is at its end, or it has gone away.
    package mutating func waiterTimedOut(_ id: Int) -> [Action] {
        switch state {
        case .connecting(var waiters):
            let actions = giveUp(id, &waiters)
            state = .connecting(waiters)
            return actions
        case .backingOff(var waiters):
            let actions = giveUp(id, &waiters)
            state = .backingOff(waiters)
            return actions
        default:
            return []
        }
    }

    private func giveUp(_ id: Int, _ waiters: inout [Waiting]) -> [Action] {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return [] }
        let waiter = waiters.remove(at: index).waiter
        return [.fail(waiter, .connectFailed(lastError?.message ?? "no connection within the time allowed"))]
    }

    package mutating func close() -> [Action] {
        switch state {
        case .connecting(let waiters), .backingOff(let waiters):
            state = .closed
            return waiters.map { .fail($0.waiter, .clientClosed) }
        case .connected(let connection, _):
            state = .closed
            return [.close(connection)]
        case .idle, .closed:
            state = .closed
            return []
        }
    }
}
