import SagaCore
import SagaWire

extension Handlers {
    /// Runs a command's local handler, and tells what its outcome is.
    ///
    /// For a call outside of the transaction the outcome is the intention.
    func run(_ command: Command, _ transaction: Store.Transaction, now: Milliseconds) -> HandlerOutcome {
        switch self[command.operation] {
        case .local(let handler):
            do {
                return HandlerOutcome(result: try handler(CommandContext(command), transaction))
            } catch {
                return HandlerOutcome(thrown: error)
            }
        case .external(let within, _):
            return .intended(until: now.adding(Milliseconds(within)).adding(ExternalCall.grace))
        case nil:
            return .retry(
                error: "this service has no handler for the operation \(command.operation)",
                code: RetryCode.unknownOperation)
        }
    }
}

/// Stable codes of the `retry` replies that the participant itself gives.
enum RetryCode {
    static let unknownOperation = "unknown-operation"
    static let deadlinePassed = "deadline-passed"
    static let poison = "poison"
    static let payloadKey = "payload-key"
    static let unavailable = "barrier-unavailable"
    static let interrupted = "interrupted"
}

/// Bounds of calls outside of the transaction.
enum ExternalCall {
    /// How much longer than its handler may take a call is taken to be under way.
    static let grace: Milliseconds = 5_000
}
