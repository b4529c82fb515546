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
        for index in draft.steps.indices { checkReferences(of: index, indexes) }
        let order = StepOrder(after: after, uses: uses)
        for cycle in order.cycles {
            let way = (cycle + cycle.prefix(1)).map { draft.steps[$0].name }.joined(separator: " → ")
            report(step(cycle[0], "after"), "the order of the steps has a cycle: \(way)")
        }
        guard faults.count == faultsBefore else { return nil }
        checkUses(order, indexes)
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
                reportUnknown(name, of: index, path)
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

    private mutating func reportUnknown(_ name: String, of index: Int, _ path: [DefinitionFault.Component]) {
        let known = draft.steps.indices.filter { $0 != index }.map { draft.steps[$0].name }
        // A search among a hundred names for each of ten thousand would take long, and nobody reads so many.
        let suggestion = faults.count < 100 ? FaultText.suggestion(for: name, among: known) : ""
        report(path, "there is no step \(FaultText.quoted(name))\(suggestion)")
    }

    private mutating func checkReferences(of index: Int, _ indexes: [String: Int]) {
        for (path, name) in references(of: index) {
            switch indexes[name] {
            case nil: reportUnknown(name, of: index, path)
            case index: report(path, "a step cannot use its own result")
            default: break
            }
        }
    }

    private mutating func checkUses(_ order: StepOrder, _ indexes: [String: Int]) {
        for index in draft.steps.indices {
            let uses = (draft.steps[index].uses ?? []).enumerated().map { position, name in
                (path: step(index, "uses") + [.index(position)], name: name)
            }
            for (path, name) in uses + references(of: index) {
                guard let used = indexes[name], !order.isBefore(used, index) else { continue }
                report(
                    path, "\(label(index)) cannot use the result of \(label(used)), which does not come before it")
            }
        }
    }

    private mutating func checkBehind(_ pivot: Int, _ index: Int) {
        let draft = draft.steps[index]
        if case .operation = draft.compensation {
            report(
                step(index, "compensation"),
                "\(label(index)) comes after the pivot \(label(pivot)) and is never undone: "
                    + "remove the compensation")
        }
        for (key, codes) in [("compensateOn", draft.compensateOn), ("stopOn", draft.stopOn)] where codes != nil {
            report(
                step(index, key),
                "\(label(index)) comes after the pivot \(label(pivot)), from where no saga turns back: remove \(key)")
        }
    }

    private mutating func checkSides(of pivot: Int, _ order: StepOrder) {
        for index in draft.steps.indices where index != pivot {
            if order.isBefore(pivot, index) {
                checkBehind(pivot, index)
            } else if !order.isBefore(index, pivot) {
                report(
                    step(index),
                    "\(label(index)) is neither before nor after the pivot \(label(pivot)): "
                        + "every other step must be one of them")
            }
        }
    }
}
