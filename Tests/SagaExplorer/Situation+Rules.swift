import SagaBarrierRules
import SagaCore

/// What must hold in every situation.
extension Situation {
    /// What is wrong; nil where nothing is.
    func violation(_ family: Family) -> String? {
        if let fault { return fault }
        guard let root = sagas[0] else { return nil }
        if root.isCompensating, root.isPivotDue, !hasRefusedPivot(family) {
            return "the saga turned back although its pivot was due"
        }
        if root.status == .stuck { return "the saga is stuck, and nobody refused what must not be refused" }
        guard root.isAtRest else { return nil }
        // Not only now: whatever arrives after the end is looked at as well.
        let expected: UInt8 = root.status == .completed ? 1 : 0
        for place in family.places.indices {
            let effects = parts[place].executed - parts[place].undone
            guard effects != expected else { continue }
            let what = effects == 0 ? "has no effect" : "is in effect"
            return "the saga is \(root.status.rawValue), and \(family.name(of: place)) \(what)"
        }
        return nil
    }

    /// Whether the pivot's participant has refused it: also where the log does not know of that any more.
    private func hasRefusedPivot(_ family: Family) -> Bool {
        guard let pivot = family.model.definition.pivot else { return false }
        return parts[family.place(0, Branch(step: pivot))].action == .failed
    }
}
