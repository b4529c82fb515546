import SagaCore
public import SagaWire

/// What a participant owes, word for word from the protocol and apart from the participant library: the tests' own idea
/// of the barrier, of one participant's database.
///
/// An effect is a number for each saga and step that an action raises and its compensation lowers.
public struct BarrierModel: Sendable {
    private struct Record {
        var outcome: ReplyOutcome
        var result: [UInt8]?
        var error: String?
        var code: String?
    }

    /// By `SAGA/STEP`: actions that took effect minus those that were undone.
    public private(set) var effects: [String: Int] = [:]
    /// By idempotency key: how often the handler took effect.
    public private(set) var executions: [String: Int] = [:]
    /// By saga: what was asked and answered, for the message of a test that fails.
    public private(set) var history: [String: [String]] = [:]
    private var eras: [String: Int64] = [:]
    private var records: [String: Record] = [:]

    public init() {}

    /// Performs one command in one transaction.
    ///
    /// - Parameters:
    ///   - verdict: What the business rule says where it is its turn.
    ///   - result: What the action returns where it succeeds.
    public mutating func perform(_ command: Command, verdict: ReplyOutcome, result: [UInt8]? = nil) -> ReplyMessage {
        let reply = answer(command, verdict, result)
        history[command.saga, default: []].append(
            "\(command.step)/\(command.phase.rawValue) attempt \(command.attempt) era \(command.era): "
                + "\(reply.outcome.rawValue) \(reply.code ?? "")")
        return reply
    }

    private mutating func answer(_ command: Command, _ verdict: ReplyOutcome, _ result: [UInt8]?) -> ReplyMessage {
        // 1. era
        if let seen = eras[command.saga], seen > command.era {
            return ReplyMessage(id: command.id, outcome: .stale, seen: seen)
        }
        eras[command.saga] = command.era
        let action = Command.key(saga: command.saga, step: command.step, item: command.item, phase: .action)
        let compensation = Command.key(
            saga: command.saga, step: command.step, item: command.item, phase: .compensation)
        // 2. late action
        if command.phase == .action, records[compensation] != nil {
            return ReplyMessage(id: command.id, outcome: .failed, error: "compensated before", code: "late-action")
        }
        // 3. duplicate; a compensation that failed runs again
        if let record = records[command.key], command.phase == .action || record.outcome == .succeeded {
            return reply(to: command, record)
        }
        // 4. empty compensation
        if command.phase == .compensation, records[action]?.outcome != .succeeded {
            if command.isEffectKnown, records[action] == nil {
                return record(Record(outcome: .failed, code: "record-missing"), command)
            }
            return record(Record(outcome: .succeeded), command)
        }
        switch verdict {
        case .succeeded:
            executions[command.key, default: 0] += 1
            effects["\(command.saga)/\(command.step)", default: 0] += command.phase == .action ? 1 : -1
            return record(Record(outcome: .succeeded, result: command.phase == .action ? result : nil), command)
        case .failed:
            return record(Record(outcome: .failed, error: "refused", code: "refused"), command)
        case .retry, .stale:
            return ReplyMessage(id: command.id, outcome: .retry, error: "passing trouble")
        }
    }

    private mutating func record(_ record: Record, _ command: Command) -> ReplyMessage {
        records[command.key] = record
        return reply(to: command, record)
    }

    private func reply(to command: Command, _ record: Record) -> ReplyMessage {
        ReplyMessage(
            id: command.id, outcome: record.outcome, result: record.result, error: record.error, code: record.code)
    }
}
