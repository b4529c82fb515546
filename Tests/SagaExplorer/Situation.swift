import SagaBarrierRules
import SagaCore

/// One state of the world: the sagas as the log has them, what can be lost of it, what the participants have recorded, and
/// what is under way.
package struct Situation {
    /// What a participant has of one place: its records, and what its database shows.
    struct Part {
        var action: BarrierRecord.Outcome?
        var compensation: BarrierRecord.Outcome?
        /// How often the action and the compensation took effect.
        var executed: UInt8 = 0
        var undone: UInt8 = 0
    }

    /// A participant's transaction that has read and not written yet; only where rows are not locked.
    struct OpenTransaction {
        var command: Int
        var recorded: RecordedState
    }

    /// By slot; nil where there is no such saga.
    var sagas: [Saga?]
    /// The partition's era, as an ordinal.
    var era = 1
    var rewindsLeft: Int
    var canCancel: Bool
    var commands = MessageSet()
    var replies = MessageSet()
    var parts: [Part]
    /// By service: the highest era seen.
    var eras: [Int]
    var transactions: [OpenTransaction] = []
    /// What the partition can be rewound to, oldest first: imprints of ``sagas``, one behind the other.
    var history: [UInt8] = []
    /// What the step that led here did wrong by itself.
    var fault: String?
    /// What happened at the participant, for a trace.
    var note = ""
    /// Whether the change under way must not be lost.
    var isIrrevocable = false

    /// Before the start.
    package init(_ family: Family) {
        sagas = family.slots.map { _ in nil }
        rewindsLeft = family.model.rewinds
        canCancel = family.model.canCancel
        parts = Array(repeating: Part(), count: family.places.count)
        eras = family.services.map { _ in 0 }
    }

    /// Forgets messages that will never do anything again.
    mutating func dropDeadMessages(_ family: Family) {
        if family.model.safeguards.contains(.eraFence) {
            for number in commands.numbers {
                let message = Message(number, eras: family.eras)
                if message.era < eras[family.places[message.place].service] { commands.remove(number) }
            }
        }
        if family.model.safeguards.contains(.oldAnswersIgnored) {
            for number in replies.numbers where Message(number, eras: family.eras).era < era { replies.remove(number) }
        }
    }
}
