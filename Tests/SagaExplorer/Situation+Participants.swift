import SagaBarrierRules
import SagaCore
import SagaWire

/// The participants: the library's own rules over their records.
extension Situation {
    /// What a command's participant has recorded about it.
    func recorded(_ number: Int, _ family: Family) -> RecordedState {
        let place = Message(number, eras: family.eras).place
        let (part, era) = (parts[place], eras[family.places[place].service])
        return RecordedState(
            era: era == 0 ? nil : Int64(era), action: part.action.map { BarrierRecord($0) },
            compensation: part.compensation.map { BarrierRecord($0) })
    }

    /// A command reaches its participant.
    ///
    /// - Parameters:
    ///   - verdict: What the business rule says where it is its turn.
    ///   - early: What was read before, without the saga's row being held.
    mutating func deliver(
        _ number: Int, wants verdict: BarrierRecord.Outcome, early: RecordedState? = nil, _ family: Family
    ) {
        let message = Message(number, eras: family.eras)
        let service = family.places[message.place].service
        var hasRun = false
        let conclusion = BarrierRules.perform(
            family.commands[number], recorded: early ?? recorded(number, family),
            safeguards: family.model.safeguards, now: 0
        ) {
            hasRun = true
            return verdict == .succeeded ? .succeeded(nil) : .failed(code: "refused", error: "")
        }
        eras[service] = max(eras[service], message.era)
        if let record = conclusion.record {
            switch message.phase {
            case .action: parts[message.place].action = record.outcome
            case .compensation: parts[message.place].compensation = record.outcome
            }
        }
        if hasRun, verdict == .succeeded { takeEffect(message.place, message.phase) }
        guard let reply = conclusion.answer.reply else { return }
        note = "\(reply.outcome.rawValue)\(reply.code.map { " (\($0))" } ?? "")\(hasRun ? "" : ", nothing done")"
        if reply.code == BarrierRules.Code.recordMissing { fault = "a participant misses a record" }
        guard reply.outcome != .stale else { return }
        replies.insert(
            Message(message.place, message.phase, era: message.era, flag: reply.outcome == .failed)
                .number(eras: family.eras))
    }

    private mutating func takeEffect(_ place: Int, _ phase: Phase) {
        switch phase {
        case .action:
            parts[place].executed += 1
            if parts[place].executed > 1 { fault = "an action took effect twice" }
        case .compensation:
            parts[place].undone += 1
            if parts[place].undone > parts[place].executed { fault = "more was undone than was done" }
        }
    }
}
