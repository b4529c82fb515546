import SagaCore

/// Single values, strictly of their types.
extension DraftReader {
    /// The values of a mapping by their keys; unknown keys are told and left out.
    ///
    /// A misspelt key counts as the one that was probably meant, unless that is there as well: the key is refused, and
    /// its value is checked all the same.
    mutating func fields(
        of node: FileNode, _ path: Path, _ known: [String], called name: String
    ) -> [String: FileNode]? {
        guard case .mapping(let entries) = node.value else {
            refuse(node, path, "\(name) must be a mapping of keys to values")
            return nil
        }
        var fields: [String: FileNode] = [:]
        for entry in entries where known.contains(entry.key) { fields[entry.key] = entry.value }
        for entry in entries where !known.contains(entry.key) {
            let meant = FaultText.nearest(to: entry.key, among: known)
            let hint =
                meant.map { "; did you mean \(FaultText.quoted($0))?" }
                ?? " here: known are \(known.joined(separator: ", "))"
            faults.append(TextFault(entry.keyPosition, "unknown key \(FaultText.quoted(entry.key))\(hint)"))
            guard let meant, fields[meant] == nil else { continue }
            fields[meant] = entry.value
        }
        return fields
    }

    mutating func text(_ node: FileNode, _ path: Path) -> String? {
        switch node.value {
        case .text(let text): return text
        case .number, .bool: refuse(node, path, "\(name(path)) must be text (put it in quotes)")
        default: refuse(node, path, "\(name(path)) must be text")
        }
        return nil
    }

    mutating func integer(_ node: FileNode, _ path: Path) -> Int? {
        if case .number(let text) = node.value, let value = Int(text) { return value }
        refuse(node, path, "\(name(path)) must be a whole number")
        return nil
    }

    mutating func number(_ node: FileNode, _ path: Path) -> Double? {
        if case .number(let text) = node.value, let value = Double(text), value.isFinite { return value }
        refuse(node, path, "\(name(path)) must be a number")
        return nil
    }

    mutating func bool(_ node: FileNode, _ path: Path) -> Bool? {
        if case .bool(let value) = node.value { return value }
        refuse(node, path, "\(name(path)) must be true or false")
        return nil
    }

    mutating func duration(_ node: FileNode, _ path: Path) -> Milliseconds? {
        if case .text(let text) = node.value, let span = DurationText.parse(text) { return span }
        refuse(node, path, "\(name(path)) must be a duration such as 250ms, 30s, 15m, 48h or 7d")
        return nil
    }

    mutating func choice<Choice>(_ node: FileNode, _ path: Path) -> Choice?
    where Choice: RawRepresentable<String> & CaseIterable {
        if case .text(let text) = node.value, let choice = Choice(rawValue: text) { return choice }
        let choices = Choice.allCases.map(\.rawValue).joined(separator: " or ")
        refuse(node, path, "\(name(path)) must be \(choices)")
        return nil
    }

    /// Notes that a value is not what it must be.
    mutating func refuse(_ node: FileNode, _ path: Path, _ rule: String) {
        faults.append(TextFault(node.position, "\(rule), not \(node.told)"))
        unreadable.append(path)
    }

    mutating func missing(_ key: String, in node: FileNode, _ path: Path) {
        faults.append(TextFault(node.position, "the key '\(key)' is missing"))
        unreadable.append(path)
    }

    func name(_ path: Path) -> String { path.last?.description ?? "value" }
}
