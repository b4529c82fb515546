/// The names that steps call each other by, and the order that follows.
extension DefinitionValidator {
    /// The order of dependency; nil where it cannot be known.
    mutating func resolveOrder(pivot: Int?) -> StepOrder? {
        let faultsBefore = faults.count
        let indexes = indexByName()
        let after = draft.steps.indices.map { index in
            guard let names = draft.steps[index].after else { return index == 0 ? [] : [index - 1] }
            return resolve(names, of: index, key: "after", indexes)
        }
        let uses = draft.steps.indices.map { resolve(draft.steps[$0].uses ?? [], of: $0, key: "uses", indexes) }
        let order = StepOrder(after: after, uses: uses)
        for cycle in order.cycles {
            let way = (cycle + cycle.prefix(1)).map { draft.steps[$0].name }.joined(separator: " → ")
            report(step(cycle[0], "after"), "the order of the steps has a cycle: \(way)")
        }
        guard faults.count == faultsBefore else { return nil }
        checkUses(order)
        if let pivot { checkSides(of: pivot, order) }
        return order
    }

    private mutating func indexByName() -> [String: Int] {
        var indexes: [String: Int] = [:]
        for index in draft.steps.indices {
            let name = draft.steps[index].name
            if let first = indexes[name] {
                report(
                    step(index, "name"), "the name \(label(index)) is taken by step \(first + 1) of this definition")
            } else {
                indexes[name] = index
            }
        }
        return indexes
    }

    /// The indexes of the named steps, each once, in the order of the file.
    private mutating func resolve(
        _ names: [String], of index: Int, key: String, _ indexes: [String: Int]
    ) -> [Int] {
        var found: Set<Int> = []
        for (position, name) in names.enumerated() {
            let path = step(index, key) + [.index(position)]
            guard let target = indexes[name] else {
                let known = draft.steps.indices.filter { $0 != index }.map { draft.steps[$0].name }
                report(
                    path,
                    "there is no step \(FaultText.quoted(name))\(FaultText.suggestion(for: name, among: known))")
                continue
            }
            if target == index {
                report(path, key == "after" ? "a step cannot come after itself" : "a step cannot use its own result")
            } else if !found.insert(target).inserted {
                report(path, "\(FaultText.quoted(name)) is named twice")
            }
        }
        return found.sorted()
    }

    private mutating func checkUses(_ order: StepOrder) {
        for index in draft.steps.indices {
            for (position, name) in (draft.steps[index].uses ?? []).enumerated() {
                guard let used = draft.steps.firstIndex(where: { $0.name == name }), !order.isBefore(used, index)
                else { continue }
                report(
                    step(index, "uses") + [.index(position)],
                    "\(label(index)) cannot use the result of \(label(used)), which does not come before it")
            }
        }
    }

    private mutating func checkSides(of pivot: Int, _ order: StepOrder) {
        for index in draft.steps.indices where index != pivot {
            if order.isBefore(pivot, index) {
                guard case .operation = draft.steps[index].compensation else { continue }
                report(
                    step(index, "compensation"),
                    "\(label(index)) comes after the pivot \(label(pivot)) and is never undone: "
                        + "remove the compensation")
            } else if !order.isBefore(index, pivot) {
                report(
                    step(index),
                    "\(label(index)) is neither before nor after the pivot \(label(pivot)): "
                        + "every other step must be one of them")
            }
        }
    }
}
