public import SagaCore

/// A definition as a drawing: which steps run side by side, what waits for what, where the pivot is, how it is undone.
public struct DefinitionGraph: Sendable {
    public let definition: Definition
    /// The steps by the longest way from a beginning: those of one level can run side by side.
    let levels: [[Int]]
    /// The steps that have a compensation, in groups that are undone one after the other.
    let undoing: [[Int]]

    public init(_ definition: Definition) {
        self.definition = definition
        // Latest first, so backwards every step comes after those that it waits for.
        let order = definition.reverseOrder
        var level = Array(repeating: 0, count: definition.steps.count)
        for index in order.reversed() {
            level[index] = (definition.steps[index].after.map { level[$0] + 1 }.max() ?? 0)
        }
        levels = Self.groups(level, of: Array(definition.steps.indices))

        let undone = definition.steps.indices.filter {
            definition.steps[$0].undoing != nil && !definition.steps[$0].isAfterPivot
        }
        var turn = Array(repeating: 0, count: definition.steps.count)
        if definition.order == .reverse {
            for index in order {
                turn[index] =
                    definition.dependents[index].map { later in
                        turn[later] + (undone.contains(later) ? 1 : 0)
                    }.max() ?? 0
            }
        }
        undoing = Self.groups(turn, of: undone)
    }

    private static func groups(_ level: [Int], of steps: [Int]) -> [[Int]] {
        let count = (steps.map { level[$0] }.max() ?? -1) + 1
        var groups = Array(repeating: [Int](), count: count)
        for step in steps { groups[level[step]].append(step) }
        return groups.filter { !$0.isEmpty }
    }
}

// MARK: Plain text

extension DefinitionGraph {
    /// A drawing for a terminal, one line a step.
    public var text: [String] {
        let names = definition.steps.map(\.name)
        let nameWidth = names.map(\.count).max() ?? 0
        let summaries = definition.steps.map(\.summary)
        let summaryWidth = summaries.map(\.count).max() ?? 0
        var lines = [heading, ""]
        for (place, level) in levels.enumerated() {
            if place > 0 { lines.append("  │") }
            for (row, index) in level.enumerated() {
                let notes = notes(on: index)
                let name = pad(names[index], to: nameWidth)
                let summary = notes.isEmpty ? summaries[index] : pad(summaries[index], to: summaryWidth)
                let mark = index == definition.pivot ? "◆" : "●"
                let line = ["\(bracket(row, of: level.count))\(mark) \(name)", summary] + notes
                lines.append(line.joined(separator: "  "))
            }
        }
        lines += ["", undoingText]
        let kept = names.indices.filter(isLeft).map { names[$0] }
        if !kept.isEmpty { lines.append("Nothing undoes: \(kept.joined(separator: ", "))") }
        return lines
    }

    private var heading: String {
        var parts = [definition.id]
        if let deadline = definition.deadline { parts.append("deadline \(DurationText.format(deadline))") }
        if definition.whenStuck == .hold { parts.append("a stuck compensation holds those before it") }
        return parts.joined(separator: ", ")
    }

    private func bracket(_ row: Int, of count: Int) -> String {
        if count == 1 { return "  " }
        return row == 0 ? "┌ " : row == count - 1 ? "└ " : "├ "
    }

    private func notes(on index: Int) -> [String] {
        let step = definition.steps[index]
        var notes: [String] = []
        if undoing.joined().contains(index), let operation = step.undoing { notes.append("undone by \(operation)") }
        if index == definition.pivot { notes.append("pivot: from here on only forward") }
        if step.when != nil { notes.append("only where its condition is met") }
        if let topic = step.emits.succeeded { notes.append("emits \(topic)") }
        if let topic = step.emits.failed { notes.append("emits \(topic) where it fails") }
        // One line down the middle says enough where each step waits for the whole level above.
        let level = levels.firstIndex { $0.contains(index) } ?? 0
        let isPlain = level == 0 ? step.after.isEmpty : step.after == levels[level - 1]
        if !isPlain { notes.append("after \(list(step.after))") }
        if let source = step.inputSource { notes.append("its input is the result of \(definition.steps[source].name)") }
        if !step.uses.isEmpty { notes.append("uses \(list(step.uses))") }
        return notes
    }

    private var undoingText: String {
        guard !undoing.isEmpty else { return "Nothing is undone: no step has a compensation" }
        if definition.order == .parallel { return "Undone all at once: \(list(undoing.flatMap(\.self)))" }
        let turns = undoing.map { $0.count == 1 ? list($0) : "\(list($0)) side by side" }
        return "Undone in this order: " + turns.joined(separator: "; then ")
    }

    /// Whether the step can take effect in a saga that is then undone.
    private func isLeft(_ index: Int) -> Bool {
        let step = definition.steps[index]
        return step.isExecutedElsewhere && step.undoing == nil && !step.isAfterPivot && index != definition.pivot
    }

    private func list(_ steps: [Int]) -> String { steps.map { definition.steps[$0].name }.joined(separator: ", ") }

    private func pad(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

// MARK: Mermaid

extension DefinitionGraph {
    /// A Mermaid flowchart.
    ///
    /// Whatever a definition can hold is shown as it is and cannot become syntax: nodes have ids of their own, and labels
    /// carry letters, digits and a few harmless characters; all others are character codes.
    public var mermaid: [String] {
        var lines = ["---", "title: \"\(Self.escaped(definition.id))\"", "---", "flowchart TD"]
        for (index, step) in definition.steps.enumerated() {
            var rows = [Self.escaped(step.name), "<small>\(Self.escaped(step.summary))</small>"]
            if undoing.joined().contains(index), let operation = step.undoing {
                rows.append("<small>undone by \(Self.escaped(operation))</small>")
            }
            if step.when != nil { rows.append("<small>only where its condition is met</small>") }
            if index == definition.pivot { rows.append("<small>pivot</small>") }
            let (open, close) = shape(of: index)
            lines.append("    s\(index)\(open)\"\(rows.joined(separator: "<br/>"))\"\(close)")
        }
        for (index, step) in definition.steps.enumerated() {
            for earlier in step.after { lines.append("    s\(earlier) --> s\(index)") }
        }
        if let pivot = definition.pivot {
            lines += ["    classDef pivot stroke-width:4px", "    class s\(pivot) pivot"]
        }
        return lines
    }

    private func shape(of index: Int) -> (String, String) {
        if index == definition.pivot { return ("{{", "}}") }
        return definition.steps[index].isExecutedElsewhere ? ("[", "]") : ("([", "])")
    }

    /// Text for a quoted label.
    static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", " ", "-", "_", ".", ",", ":", "@": String(scalar)
            default: "#\(scalar.value);"
            }
        }.joined()
    }
}
