import SagaBarrierRules
import SagaCore

/// Situations as bytes, without what makes no difference: instants, texts, numbers of log entries.
///
/// Two situations with the same bytes have the same futures. A step of a saga takes the same room in every state.
struct ImprintWriter {
    let family: Family
    private(set) var bytes: [UInt8] = []

    init(_ family: Family) {
        self.family = family
        bytes.reserveCapacity(192)
    }

    mutating func write(_ situation: Situation) {
        bytes += [
            UInt8(situation.era), UInt8(situation.rewindsLeft), situation.canCancel ? 1 : 0,
            UInt8(situation.transactions.count),
        ]
        write(situation.commands)
        write(situation.replies)
        for era in situation.eras { bytes.append(UInt8(era)) }
        for part in situation.parts {
            bytes.append(Self.code(part.action) | Self.code(part.compensation) << 4)
            bytes.append(part.executed | part.undone << 4)
        }
        for transaction in situation.transactions {
            bytes.append(UInt8(transaction.command))
            bytes.append(
                Self.code(transaction.recorded.action?.outcome)
                    | Self.code(transaction.recorded.compensation?.outcome) << 4)
            bytes.append(UInt8(transaction.recorded.era ?? 0))
        }
        write(situation.sagas)
        bytes += situation.history
    }

    private mutating func write(_ messages: MessageSet) {
        for shift in 0..<UInt64(8) { bytes.append(UInt8(truncatingIfNeeded: messages.bits >> (shift * 8))) }
    }

    mutating func write(_ sagas: [Saga?]) {
        for (slot, saga) in sagas.enumerated() {
            guard let saga else {
                bytes += Array(repeating: 0, count: family.imprintSize(of: slot))
                continue
            }
            bytes.append(1 + saga.status.code | (saga.isCompensating ? 16 : 0) | (saga.compensatesAll ? 32 : 0))
            bytes.append(UInt8(saga.era))
            for (index, step) in saga.steps.enumerated() {
                write(step.action, step.compensation, step.verification)
                guard saga.definition.steps[index].forEach != nil else { continue }
                bytes.append(UInt8(step.items.count))
                for item in step.items { write(item.action, item.compensation, item.verification) }
                for _ in step.items.count..<ExploredModel.items.count { bytes += [0, 0, 0, 0, 0] }
            }
        }
    }

    private mutating func write(_ action: PhaseState, _ compensation: PhaseState, _ verification: Verification?) {
        for phase in [action, compensation] {
            let isQueued = phase.status == .waiting && phase.due == .max
            bytes.append(phase.status.code | (phase.isRefused ? 16 : 0) | (isQueued ? 32 : 0))
            bytes.append(UInt8(min(15, phase.attempts)) | UInt8(min(15, phase.budget)) << 4)
        }
        bytes.append(verification.map { $0.attempts == 0 ? 1 : 2 } ?? 0)
    }

    private static func code(_ outcome: BarrierRecord.Outcome?) -> UInt8 {
        switch outcome {
        case nil: 0
        case .succeeded: 1
        case .failed: 2
        case .intended: 3
        }
    }
}

extension Situation {
    /// What tells it from others.
    package func imprint(in family: Family) -> [UInt8] {
        var writer = ImprintWriter(family)
        writer.write(self)
        return writer.bytes
    }
}

extension Family {
    /// Bytes of one saga.
    func imprintSize(of slot: Int) -> Int {
        slots[slot].blank.definition.steps.reduce(2) { size, step in
            size + 5 + (step.forEach == nil ? 0 : 1 + 5 * ExploredModel.items.count)
        }
    }

    /// Bytes of all sagas.
    var imprintSize: Int { slots.indices.reduce(0) { $0 + imprintSize(of: $1) } }
}

extension PhaseState.Status {
    var code: UInt8 {
        switch self {
        case .none: 0
        case .pending: 1
        case .running: 2
        case .waiting: 3
        case .succeeded: 4
        case .failed: 5
        case .unknown: 6
        case .stuck: 7
        case .skipped: 8
        case .omitted: 9
        }
    }
}

extension Saga.Status {
    var code: UInt8 {
        switch self {
        case .scheduled: 0
        case .running: 1
        case .compensating: 2
        case .completed: 3
        case .compensated: 4
        case .stuck: 5
        }
    }
}
