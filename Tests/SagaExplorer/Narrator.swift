import SagaCore

/// Tells what happened: one line for each move, what the participant did, and what the log says then.
struct Narrator {
    private let family: Family

    init(_ family: Family) {
        self.family = family
    }

    func tell(_ moves: [Move]) -> [String] {
        var situation = Situation(family)
        return moves.enumerated().map { number, move in
            let before = situation
            situation.note = ""
            situation.perform(move, family)
            let what = describe(move, before)
            let note = situation.note.isEmpty ? "" : ": \(situation.note)"
            // As the explorer goes on from bytes, so does the tale.
            situation = Situation(imprint: situation.imprint(in: family), family)
            let log = log(of: situation)
            return "\(number + 1). \(what)\(note)" + (log == self.log(of: before) ? "" : "\n     log: \(log)")
        }
    }

    private func describe(_ move: Move, _ situation: Situation) -> String {
        let argument = Int(move.argument)
        switch move.kind {
        case .start: return "the saga is started"
        case .perform: return "\(name(argument)) reaches its participant"
        case .refuse: return "\(name(argument)) reaches its participant, which would refuse"
        case .read: return "a transaction for \(name(argument)) reads its records"
        case .write: return "the transaction for \(name(situation.transactions[argument].command)) commits"
        case .answer:
            let isRefusal = Message(argument, eras: family.eras).flag
            return "the answer to \(name(argument, isCommand: false)) arrives: \(isRefusal ? "failed" : "succeeded")"
        case .ring:
            return "the time of \(family.name(of: argument / 2))/\(argument % 2 == 0 ? "action" : "compensation") is up"
        case .deadline: return "the saga's deadline passes"
        case .cancel: return "an operator cancels"
        case .rewind:
            let lost = situation.history.count / family.imprintSize - argument
            return "the newest \(lost) changes of the log are lost; era \(situation.era + 1) begins"
        }
    }

    private func name(_ number: Int, isCommand: Bool = true) -> String {
        let message = Message(number, eras: family.eras)
        let known = isCommand && message.flag ? ", effect known" : ""
        return "\(family.name(of: message.place))/\(message.phase.rawValue) (era \(message.era)\(known))"
    }

    /// What the log says of all sagas.
    private func log(of situation: Situation) -> String {
        let sagas = situation.sagas.compactMap(\.self)
        return sagas.map { saga in
            let steps = saga.steps.enumerated().flatMap { index, step -> [String] in
                let whole = text(saga.name(of: Branch(step: index)), step.action, step.compensation, step.verification)
                return [whole]
                    + step.items.enumerated().map { number, item in
                        text(
                            saga.name(of: Branch(step: index, item: number)), item.action, item.compensation,
                            item.verification)
                    }
            }
            return "\(sagas.count > 1 ? "\(saga.id) " : "")\(saga.status.rawValue): " + steps.joined(separator: ", ")
        }.joined(separator: "; ")
    }

    private func text(
        _ name: String, _ action: PhaseState, _ compensation: PhaseState, _ verification: Verification?
    ) -> String {
        let undoing = compensation.status == .none ? "" : ", undoing \(compensation.status.rawValue)"
        return "\(name) \(action.status.rawValue)\(undoing)\(verification == nil ? "" : " (asked)")"
    }
}
