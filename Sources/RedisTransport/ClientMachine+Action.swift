package import NIOCore

extension ClientMachine {
    package enum Action {
        /// Begin to connect, and call ``attemptSucceeded(_:attempt:now:)`` or ``attemptFailed(_:attempt:now:jitter:)``.
        case connect(attempt: Int)
        /// Call ``backoffEnded(attempt:)`` then.
        case wake(NIODeadline, attempt: Int)
        case succeed(Waiter, Connection)
        case fail(Waiter, RedisError)
        case close(Connection)
        case logLost(RedisError)
        case logBack
    }
}

extension RedisError {
    static var clientClosed: RedisError {
        RedisError(code: .connectionClosed, message: "the Redis client has been closed", effect: .notApplied)
    }
}
