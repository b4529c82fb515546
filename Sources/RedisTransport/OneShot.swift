import Synchronization

/// A value that arrives once, awaited by at most one task at a time.
///
/// It is cheaper than a promise with a continuation made up front: where the value is there before anybody waits, which
/// is the rule in a pipeline, no continuation is made.
package final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        /// can transition to waiting, to cancelled when the task was cancelled before it waited, and to arrived
        case empty
        /// can transition to empty when the next wait has been told
        case cancelled
        /// can transition to empty when the waiting task is cancelled, and to arrived
        case waiting(CheckedContinuation<Value?, Never>)
        /// the end
        case arrived(Value)
    }

    private let state = Mutex<State>(.empty)

    package init() {}

    /// Only the first value counts.
    package func complete(_ value: Value) {
        let waiter: CheckedContinuation<Value?, Never>? = state.withLock { state in
            switch state {
            case .empty, .cancelled:
                state = .arrived(value)
                return nil
            case .waiting(let continuation):
                state = .arrived(value)
                return continuation
            case .arrived:
                return nil
            }
        }
        waiter?.resume(returning: value)
    }

    /// The value; nil when the calling task is cancelled before it arrives.
    package func get() async -> Value? {
        if let value = arrived { return value }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(continuation)
            }
        } onCancel: {
            cancel()
        }
    }

    /// The value, if it is there.
    var arrived: Value? {
        state.withLock { state in
            guard case .arrived(let value) = state else { return nil }
            return value
        }
    }

    private func wait(_ continuation: CheckedContinuation<Value?, Never>) {
        let outcome: Value?? = state.withLock { state in
            switch state {
            case .empty:
                state = .waiting(continuation)
                return .none
            case .cancelled:
                state = .empty
                return .some(nil)
            case .waiting:
                preconditionFailure("two tasks await one pending reply at the same time")
            case .arrived(let value):
                return .some(value)
            }
        }
        if let outcome { continuation.resume(returning: outcome) }
    }

    private func cancel() {
        let waiter: CheckedContinuation<Value?, Never>? = state.withLock { state in
            switch state {
            case .empty:
                state = .cancelled
                return nil
            case .waiting(let continuation):
                state = .empty
                return continuation
            case .cancelled, .arrived:
                return nil
            }
        }
        waiter?.resume(returning: nil)
    }
}
