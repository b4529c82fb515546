import SagaBarrierRules
import SagaCore

extension Situation {
    /// The situation with this imprint.
    package init(imprint: [UInt8], _ family: Family) {
        var reader = ImprintReader(family, imprint)
        self = reader.situation()
    }
}

/// Situations from bytes: everything that waits for an alarm waits till ``late``.
struct ImprintReader {
    /// The instant of everything that has no alarm rung.
    static let late: Milliseconds = 1_000_000_000
    private static let phases: [PhaseState.Status] = [
        .none, .pending, .running, .waiting, .succeeded, .failed, .unknown, .stuck, .skipped, .omitted,
    ]
    private static let statuses: [Saga.Status] = [
        .scheduled, .running, .compensating, .completed, .compensated, .stuck,
    ]
    private static let outcomes: [BarrierRecord.Outcome?] = [nil, .succeeded, .failed, .intended]

    private let family: Family
    private let bytes: [UInt8]
    private var position = 0

    init(_ family: Family, _ bytes: [UInt8]) {
        self.family = family
        self.bytes = bytes
    }

    private mutating func byte() -> UInt8 {
        defer { position += 1 }
        return bytes[position]
    }

    mutating func situation() -> Situation {
        var situation = Situation(family)
        situation.era = Int(byte())
        situation.rewindsLeft = Int(byte())
        situation.canCancel = byte() == 1
        let transactions = byte()
        situation.commands = messages()
        situation.replies = messages()
        for service in situation.eras.indices { situation.eras[service] = Int(byte()) }
        for place in situation.parts.indices {
            let (records, effects) = (byte(), byte())
            situation.parts[place] = Situation.Part(
                action: Self.outcomes[Int(records & 15)], compensation: Self.outcomes[Int(records >> 4)],
                executed: effects & 15, undone: effects >> 4)
        }
        for _ in 0..<transactions {
            let (command, records, era) = (byte(), byte(), byte())
            let recorded = RecordedState(
                era: era == 0 ? nil : Int64(era), action: Self.outcomes[Int(records & 15)].map { BarrierRecord($0) },
                compensation: Self.outcomes[Int(records >> 4)].map { BarrierRecord($0) })
            situation.transactions.append(Situation.OpenTransaction(command: Int(command), recorded: recorded))
        }
        situation.sagas = sagas()
        situation.history = Array(bytes[position...])
        return situation
    }

    private mutating func messages() -> MessageSet {
        var set = MessageSet()
        for shift in 0..<UInt64(8) { set.bits |= UInt64(byte()) << (shift * 8) }
        return set
    }

    mutating func sagas() -> [Saga?] {
        family.slots.indices.map { slot in
            let head = byte()
            guard head != 0 else {
                position += family.imprintSize(of: slot) - 1
                return nil
            }
            var saga = family.slots[slot].blank
            saga.status = Self.statuses[Int(head & 15) - 1]
            (saga.isCompensating, saga.compensatesAll) = (head & 16 != 0, head & 32 != 0)
            saga.era = Int64(byte())
            var unverified = 0
            for index in saga.steps.indices { read(&saga.steps[index], saga.definition.steps[index], &unverified) }
            saga.unverified = unverified
            return saga
        }
    }

    private mutating func read(_ state: inout StepState, _ step: Step, _ unverified: inout Int) {
        // What has items, or is a saga of its own, has no alarm.
        let due = step.service == nil || step.forEach != nil ? Milliseconds.max : Self.late
        state.action = phase(due)
        state.compensation = phase(due)
        state.verification = verification(due)
        if state.verification != nil { unverified += 1 }
        guard step.forEach != nil else { return }
        let count = Int(byte())
        state.items = ExploredModel.items.prefix(count).map { value in
            var item = ItemState(value: value)
            item.action = phase(Self.late)
            item.compensation = phase(Self.late)
            item.verification = verification(Self.late)
            if item.verification != nil { unverified += 1 }
            return item
        }
        position += 5 * (ExploredModel.items.count - count)
    }

    private mutating func phase(_ due: Milliseconds) -> PhaseState {
        let (head, counts) = (byte(), byte())
        var phase = PhaseState()
        phase.status = Self.phases[Int(head & 15)]
        phase.isRefused = head & 16 != 0
        phase.due = phase.isActive ? (head & 32 != 0 ? .max : due) : 0
        phase.attempts = Int(counts & 15)
        phase.budget = Int(counts >> 4)
        return phase
    }

    private mutating func verification(_ due: Milliseconds) -> Verification? {
        switch byte() {
        case 0: nil
        case 1: Verification(attempts: 0, due: .max)
        default: Verification(attempts: 1, due: due)
        }
    }
}
