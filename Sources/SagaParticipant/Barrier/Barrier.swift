public import SagaCore
public import SagaWire

/// Turns at-least-once delivery into one effect: the participant's own memory of the commands that it has executed.
///
/// A barrier commits three things in one local transaction: the handler's own changes, the reply, and the saga's
/// highest era. Which command has which effect is decided by ``BarrierRules``, the same for every store; a store only
/// reads and writes records.
///
/// - Important: The transactions of one saga must never overlap. A store locks the saga's row (inserted where it is
///   missing) before it reads the records; isolation of the level *read committed* is not enough.
public protocol Barrier: Sendable {
    /// What a handler works with: everything done through it shares the record's fate.
    associatedtype Transaction

    /// Performs commands in order, each as if in a transaction of its own, and returns one answer for each, in order.
    ///
    /// The batch may share one local transaction. A command whose handler refuses or fails takes nothing else with it.
    /// What is returned is committed; where it throws, nothing is known to be.
    func perform(
        _ batch: CommandBatch, _ handler: @escaping @Sendable (Command, Transaction) -> HandlerOutcome
    ) async throws -> [BarrierAnswer]

    /// Removes at most `limit` sagas whose last command is older than `instant`, with all their records, and returns
    /// how many it removed. A return of `limit` means that there may be more.
    func purge(before instant: Milliseconds, limit: Int) async throws -> Int
}

/// Commands to be performed together.
public struct CommandBatch: Sendable {
    /// Records are kept per namespace: two namespaces may run a saga of the same id.
    public var namespace: String
    /// The present, by the Redis server's clock.
    public var now: Milliseconds
    public var commands: [Command]

    public init(namespace: String, now: Milliseconds, commands: [Command]) {
        self.namespace = namespace
        self.now = now
        self.commands = commands
    }
}

/// What became of one command.
public enum BarrierAnswer: Sendable, Hashable {
    /// The record is committed; the reply may be sent, as often as need be.
    case reply(ReplyMessage)
    /// The intention of a call outside of the transaction is committed: the call may begin.
    case proceed

    /// The reply, where there is one.
    public var reply: ReplyMessage? {
        guard case .reply(let message) = self else { return nil }
        return message
    }
}
