import SagaBarrierRules
import SagaCore

/// One thing that happens.
package struct Move: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
        /// The saga is started.
        case start
        /// A command reaches its participant, which executes it where it is the handler's turn.
        case perform
        /// A command reaches its participant, whose business rule says no.
        case refuse
        /// An answer reaches the coordinator.
        case answer
        /// An attempt's time is over, or the pause after one.
        case ring
        /// The saga's deadline passes.
        case deadline
        /// An operator cancels.
        case cancel
        /// The partition loses its newest entries, and goes on under a new era.
        case rewind
        /// A participant's transaction reads its records, without holding the saga's row.
        case read
        /// Such a transaction executes its command and commits.
        case write
    }

    package var kind: Kind
    /// A message's number; place × 2 + phase of an alarm; what is left of the history; an open transaction's number.
    var argument: UInt8 = 0

    init(_ kind: Kind, _ argument: Int = 0) {
        self.kind = kind
        self.argument = UInt8(argument)
    }

    /// Whether it happens by itself, sooner or later, once nothing goes wrong any more.
    var isProgress: Bool {
        switch kind {
        case .start, .perform, .answer, .ring, .write: true
        case .refuse, .deadline, .cancel, .rewind, .read: false
        }
    }
}

extension Situation {
    /// What can happen next.
    package func moves(_ family: Family) -> [Move] {
        guard sagas[0] != nil else { return [Move(.start)] }
        var moves: [Move] = []
        let isLocked = family.model.safeguards.contains(.rowLocked)
        for number in commands.numbers {
            moves.append(Move(.perform, number))
            let message = Message(number, eras: family.eras)
            if message.phase == .action, family.places[message.place].canRefuse { moves.append(Move(.refuse, number)) }
            if !isLocked, transactions.count < 2 { moves.append(Move(.read, number)) }
        }
        for index in transactions.indices { moves.append(Move(.write, index)) }
        for number in replies.numbers { moves.append(Move(.answer, number)) }
        for place in family.places.indices {
            for phase in Phase.allCases where canRing(place, phase, family) {
                moves.append(Move(.ring, place * 2 + (phase == .action ? 0 : 1)))
            }
        }
        if let root = sagas[0], root.deadline != nil, !root.status.isFinal { moves.append(Move(.deadline)) }
        if canCancel { moves.append(Move(.cancel)) }
        if rewindsLeft > 0 {
            let count = history.count / family.imprintSize
            for length in 0...count { moves.append(Move(.rewind, length)) }
        }
        return moves
    }

    private func canRing(_ number: Int, _ phase: Phase, _ family: Family) -> Bool {
        let place = family.places[number]
        guard let saga = sagas[place.slot], !saga.isVerifying, !saga.status.isFinal else { return false }
        let whole = saga.steps[place.branch.step]
        guard let state = state(of: place.branch, phase, in: whole) else { return false }
        switch state.status {
        case .waiting: return state.due != .max
        case .running:
            let step = saga.definition.steps[place.branch.step]
            let policy = phase == .action ? step.retry : step.compensationRetry
            return policy.attempts != 0 || state.attempts < family.model.attempts
        default: return false
        }
    }

    private func state(of branch: Branch, _ phase: Phase, in step: StepState) -> PhaseState? {
        guard let item = branch.item else { return step[phase] }
        return step.items.indices.contains(item) ? step.items[item][phase] : nil
    }

    /// Lets something happen.
    package mutating func perform(_ move: Move, _ family: Family) {
        let before = sagas
        let argument = Int(move.argument)
        var past = imprint(family)
        switch move.kind {
        case .start: enter(0, isRecalled: false, family)
        case .perform: deliver(argument, wants: .succeeded, family)
        case .refuse: deliver(argument, wants: .failed, family)
        case .read: transactions.append(OpenTransaction(command: argument, recorded: recorded(argument, family)))
        case .write:
            let transaction = transactions.remove(at: argument)
            deliver(transaction.command, wants: .succeeded, early: transaction.recorded, family)
        case .answer: answer(argument, family)
        case .ring: ring(argument / 2, argument % 2 == 0 ? .action : .compensation, family)
        case .deadline: feed(0, .tick, at: sagas[0]?.deadline ?? 0, family)
        case .cancel:
            canCancel = false
            feed(0, .order(Order(.cancel)), family)
        case .rewind: past = rewind(to: argument, family)
        }
        remember(past, hasChanged: move.kind == .rewind || !hasSame(before, family), family)
        dropDeadMessages(family)
    }

    private func hasSame(_ before: [Saga?], _ family: Family) -> Bool {
        zip(before, sagas).allSatisfy { $0?.entryCount == $1?.entryCount }
    }

    private func imprint(_ family: Family) -> [UInt8] {
        guard rewindsLeft > 0, sagas[0] != nil else { return [] }
        var writer = ImprintWriter(family)
        writer.write(sagas)
        return writer.bytes
    }

    /// Notes what can be lost now: one atomic change more.
    private mutating func remember(_ past: [UInt8], hasChanged: Bool, _ family: Family) {
        defer { isIrrevocable = false }
        if rewindsLeft == 0 || isIrrevocable {
            history = []
        } else if hasChanged, !history.suffix(past.count).elementsEqual(past) || past.isEmpty {
            history += past
        }
    }

    /// The partition is again what it was, and a later era begins. Returns what it was.
    private mutating func rewind(to length: Int, _ family: Family) -> [UInt8] {
        let size = family.imprintSize
        var past = imprint(family)
        if length < history.count / size {
            past = Array(history[length * size..<(length + 1) * size])
            var reader = ImprintReader(family, past)
            sagas = reader.sagas()
            history.removeSubrange((length * size)...)
        }
        rewindsLeft -= 1
        era += 1
        for slot in sagas.indices { catchUp(slot, family) }
        return past
    }

    /// Rings one alarm, and no other.
    private mutating func ring(_ number: Int, _ phase: Phase, _ family: Family) {
        let place = family.places[number]
        let index = place.branch.step
        switch (place.branch.item, phase) {
        case (nil, .action): sagas[place.slot]?.steps[index].action.due = 1
        case (nil, .compensation): sagas[place.slot]?.steps[index].compensation.due = 1
        case (let item?, .action): sagas[place.slot]?.steps[index].items[item].action.due = 1
        case (let item?, .compensation): sagas[place.slot]?.steps[index].items[item].compensation.due = 1
        }
        feed(place.slot, .tick, at: 1, family)
    }
}
