import SagaCore

/// A service's handlers, by operation name. Actions and compensations alike are operations.
///
/// A local handler is synchronous: it runs inside of the barrier's transaction, and everything that it does through the
/// transaction it was given is committed or rolled back with the record of the command. It must not commit or roll back
/// by itself, and must not do anything that a rollback does not undo; for calls to third parties there is
/// ``external(_:within:_:)``.
///
/// What a handler throws decides the reply: ``Refusal`` refuses for good, everything else is retried by the step's
/// policy.
public struct Handlers<Store: Barrier>: Sendable {
    /// A handler over raw bytes.
    public typealias Local = @Sendable (CommandContext, Store.Transaction) throws -> [UInt8]?
    /// A handler that makes a call outside of the transaction.
    public typealias External = @Sendable (CommandContext) async throws -> [UInt8]?

    enum Handler: Sendable {
        case local(Local)
        case external(within: Duration, External)
    }

    private var byOperation: [String: Handler] = [:]
    private var fallback: Handler?

    public init() {}

    /// The operations that have a handler of their own.
    public var operations: [String] { byOperation.keys.sorted() }

    /// Handles an operation over raw bytes: the input is in the context, the result is what it returns.
    public mutating func raw(_ operation: String, _ handler: @escaping Local) {
        register(operation, .local(handler))
    }

    /// Handles every operation that has no handler of its own. Without one, such a command is answered `retry`: an
    /// operation that this build of the service does not know is a mistake of deployment, and a refusal would turn it
    /// into failed sagas.
    public mutating func otherwise(_ handler: @escaping Local) {
        fallback = .local(handler)
    }

    /// Handles an operation whose effect lies outside of the barrier's transaction, a call to a third party.
    ///
    /// The intention is committed first. From then on, the action counts as one that may have taken effect: when it is
    /// delivered again, the call is made again, so the third party must know ``CommandContext/key`` for an idempotency
    /// key. Its compensation waits until the call can no longer arrive. The handler is cancelled after `within`, and
    /// must not have anything under way when it has returned or thrown.
    ///
    /// - Precondition: `within` is longer than nothing.
    public mutating func external(_ operation: String, within: Duration, _ handler: @escaping External) {
        precondition(within > .zero, "\(operation): a call takes longer than nothing")
        register(operation, .external(within: within, handler))
        longestCall = max(longestCall, within)
    }

    /// Whether the operation's effect lies outside of the transaction.
    func isExternal(_ operation: String) -> Bool {
        // Most services have none; the look-up is saved for each command, then.
        guard longestCall > .zero, case .external = self[operation] else { return false }
        return true
    }

    /// The longest time that a handler may take outside of the transaction.
    private(set) var longestCall = Duration.zero

    subscript(operation: String) -> Handler? { byOperation[operation] ?? fallback }

    private mutating func register(_ operation: String, _ handler: Handler) {
        precondition(Names.isName(operation), "not an operation's name: \(operation)")
        precondition(byOperation[operation] == nil, "two handlers for the operation \(operation)")
        byOperation[operation] = handler
    }
}
