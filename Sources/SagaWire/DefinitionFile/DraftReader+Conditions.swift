import SagaCore

/// Conditions, and the paths and moments that steps are told by.
extension DraftReader {
    private static let tests = [
        "equals", "notEquals", "greaterThan", "lessThan", "atLeast", "atMost", "in", "exists", "prefix",
    ]
    private static let combinations = ["and", "or", "not"]

    /// A condition. What is wrong in it is told, and the rest of it given to the validator; nil where nothing is left.
    mutating func condition(_ node: FileNode, _ path: Path) -> Condition? {
        let faultsBefore = faults.count
        let known = ["path"] + Self.tests + Self.combinations
        guard let fields = fields(of: node, path, known, called: "a condition") else { return nil }
        let combinations = Self.combinations.compactMap { key in fields[key].map { (key, $0) } }
            .sorted { $0.1.position < $1.1.position }
        let tests = Self.tests.filter { fields[$0] != nil }
        guard let (key, operands) = combinations.first else {
            guard fields["path"] != nil || !tests.isEmpty else {
                // A key that nobody knows was told already.
                if faults.count == faultsBefore {
                    faults.append(
                        TextFault(node.position, "a condition needs a path and a test, or one of and, or, not"))
                }
                return nil
            }
            return self.tests(tests, in: fields, node, path, hasFaults: faults.count > faultsBefore)
        }
        if fields["path"] != nil || !tests.isEmpty {
            faults.append(
                TextFault(
                    node.position,
                    "a condition is a test or a combination, not both: put the two into a list of and"))
        }
        for (other, place) in combinations.dropFirst() {
            faults.append(
                TextFault(place.position, "a condition has one of and, or, not: put \(other) into a list of \(key)"))
        }
        return combination(key, operands, path + [.key(key)])
    }

    private mutating func combination(_ key: String, _ node: FileNode, _ path: Path) -> Condition? {
        // Keeps the places of those behind one that cannot be read.
        let standIn = Condition.test(ValuePath(.input), .exists(true))
        if key == "not" { return condition(node, path).map { .not($0) } }
        guard case .list(let elements) = node.value else {
            refuse(node, path, "\(key) must be a list of conditions")
            return nil
        }
        let parts = elements.indices.map { condition(elements[$0], path + [.index($0)]) ?? standIn }
        return key == "and" ? .all(parts) : .any(parts)
    }

    /// The tests of one path, all of which must hold.
    private mutating func tests(
        _ keys: [String], in fields: [String: FileNode], _ node: FileNode, _ path: Path, hasFaults: Bool
    ) -> Condition? {
        var way = ValuePath(.input)
        if let field = fields["path"] {
            way = valuePath(field, path + [.key("path")]) ?? way
        } else {
            faults.append(TextFault(node.position, "the key 'path' is missing"))
        }
        if keys.isEmpty, !hasFaults {
            faults.append(
                TextFault(node.position, "a path needs a test: one of \(Self.tests.joined(separator: ", "))"))
        }
        let tests = keys.compactMap { key in
            fields[key].flatMap { test(key, $0, path + [.key(key)]) }
        }
        guard let first = tests.first else { return nil }
        return tests.count == 1 ? .test(way, first) : .all(tests.map { .test(way, $0) })
    }

    private mutating func test(_ key: String, _ node: FileNode, _ path: Path) -> Condition.Test? {
        switch key {
        case "exists": bool(node, path).map { .exists($0) }
        case "prefix": text(node, path).map { .hasPrefix($0) }
        case "in": scalars(node, path).map { .isOneOf($0) }
        case "equals": scalar(node, path).map { .equals($0) }
        case "notEquals": scalar(node, path).map { .notEquals($0) }
        case "greaterThan": scalar(node, path).map { .greaterThan($0) }
        case "lessThan": scalar(node, path).map { .lessThan($0) }
        case "atLeast": scalar(node, path).map { .atLeast($0) }
        default: scalar(node, path).map { .atMost($0) }
        }
    }

    private mutating func scalar(_ node: FileNode, _ path: Path) -> JSON? {
        if let value = node.scalar { return value }
        refuse(node, path, "\(name(path)) must be text, a number, true, false or null")
        return nil
    }

    private mutating func scalars(_ node: FileNode, _ path: Path) -> [JSON]? {
        let rule = "\(name(path)) must be a list of texts, numbers, true, false or null"
        guard case .list(let elements) = node.value else {
            refuse(node, path, rule)
            return nil
        }
        return elements.indices.map { index in
            if let value = elements[index].scalar { return value }
            refuse(elements[index], path + [.index(index)], rule)
            return .null
        }
    }

    mutating func valuePath(_ node: FileNode, _ path: Path) -> ValuePath? {
        if case .text(let text) = node.value, let way = ValuePath(text) { return way }
        refuse(node, path, "\(name(path)) must be a path such as input.total or result.STEP.id")
        return nil
    }

    mutating func moment(_ node: FileNode, _ path: Path) -> Moment? {
        switch node.value {
        case .number(let text): if let instant = Milliseconds(text) { return .at(instant) }
        case .text(let text): if let moment = Moment(parsing: text) { return moment }
        default: break
        }
        refuse(
            node, path,
            "\(name(path)) must be a moment such as 2026-12-24T18:00:00Z, Unix milliseconds, "
                + "or a path such as input.from")
        return nil
    }
}

extension FileNode {
    /// The value, where it is neither a list nor a mapping.
    fileprivate var scalar: JSON? {
        switch value {
        case .null: .null
        case .bool(let value): .bool(value)
        case .number(let text): .number(text)
        case .text(let text): .string(text)
        case .list, .mapping: nil
        }
    }
}
