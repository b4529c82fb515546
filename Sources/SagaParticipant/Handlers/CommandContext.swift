public import SagaCore
public import SagaWire

/// What a handler is told beside its input.
public struct CommandContext: Sendable {
    /// The command as it came.
    public let command: Command

    public init(_ command: Command) {
        self.command = command
    }

    public var saga: String { command.saga }
    public var definition: String { command.definition }
    public var step: String { command.step }
    public var phase: Phase { command.phase }
    /// From 1.
    public var attempt: Int { command.attempt }
    /// The idempotency key: the same for every attempt and re-delivery. Give it to third parties.
    public var key: String { command.key }
    /// The instant after which the coordinator stops waiting for this attempt, by the Redis server's clock.
    public var deadline: Milliseconds { command.deadline }
    public var traceparent: String? { command.traceparent }
    /// The saga's input as it came.
    public var input: [UInt8] { command.input }

    /// Of a `forEach` step: the place of the command's item in its list, from 0.
    public var item: Int? { command.item }
    /// Of a `forEach` step: the item as JSON.
    public var value: [UInt8]? { command.value }

    /// The result of an earlier step that the definition's `uses` names, or, in a compensation, of the own action where
    /// it is known.
    public func result(of step: String) -> [UInt8]? { command.result(of: step) }

    /// In a compensation: the result of the action to undo, where it is known.
    public var actionResult: [UInt8]? { command.result(of: command.step) }
}
