/// Conditions and paths, each by itself.
extension DefinitionValidator {
    mutating func checkCondition(_ condition: Condition, _ path: [DefinitionFault.Component]) {
        let (depth, tests) = (condition.depth, condition.testCount)
        let (deepest, most) = (DefinitionLimits.conditionDepth, DefinitionLimits.conditionTests)
        if depth > deepest {
            report(path, "the condition is nested \(depth) levels deep: at most \(deepest)")
            return
        }
        if tests > most {
            report(path, "\(tests) tests are too many for one condition: at most \(most)")
            return
        }
        let faultsBefore = faults.count
        checkParts(condition, path)
        let size = condition.size
        guard faults.count == faultsBefore, size > DefinitionLimits.conditionBytes else { return }
        report(path, "the condition takes \(size) bytes: at most \(DefinitionLimits.conditionBytes)")
    }

    private mutating func checkParts(_ condition: Condition, _ path: [DefinitionFault.Component]) {
        switch condition {
        case .test(let way, let test):
            checkPath(way, path + [.key("path")])
            checkTest(test, path + [.key(test.key)])
        case .all(let parts): checkParts(parts, path + [.key("and")])
        case .any(let parts): checkParts(parts, path + [.key("or")])
        case .not(let part): checkParts(part, path + [.key("not")])
        }
    }

    private mutating func checkParts(_ parts: [Condition], _ path: [DefinitionFault.Component]) {
        if parts.isEmpty { report(path, "\(name(path)) needs at least one condition") }
        for (index, part) in parts.enumerated() { checkParts(part, path + [.index(index)]) }
    }

    private mutating func checkTest(_ test: Condition.Test, _ path: [DefinitionFault.Component]) {
        switch test {
        case .equals(let value), .notEquals(let value): checkScalar(value, path)
        case .greaterThan(let value), .lessThan(let value), .atLeast(let value), .atMost(let value):
            switch value {
            case .number, .string: checkScalar(value, path)
            default: report(path, "\(name(path)) must be a number or a text: nothing else has an order")
            }
        case .isOneOf(let values):
            if values.isEmpty { report(path, "in needs at least one value") }
            for (index, value) in values.enumerated() { checkScalar(value, path + [.index(index)]) }
        case .exists, .hasPrefix: break
        }
    }

    private mutating func checkScalar(_ value: JSON, _ path: [DefinitionFault.Component]) {
        switch value {
        case .null, .bool, .string: break
        case .array, .object: report(path, "only a text, a number, true, false or null can be compared with")
        case .number(let text):
            let parsed = try? JSON.parse(Array(text.utf8))  // Where it is no JSON it is no number, whyever.
            if parsed != value {
                report(path, "\(FaultText.quoted(text)) is no number")
            } else if value.double == nil {
                report(path, "the number \(FaultText.quoted(text)) is too large to be compared with")
            }
        }
    }

    mutating func checkPath(_ way: ValuePath, _ path: [DefinitionFault.Component]) {
        let text = way.description
        if text.utf8.count > DefinitionLimits.pathBytes {
            report(path, "the path is \(text.utf8.count) bytes long: at most \(DefinitionLimits.pathBytes)")
        } else if ValuePath(text) != way {
            // Only one that was put together in Swift.
            report(path, "\(FaultText.quoted(text)) is no path: none of its parts can be empty or have a dot in it")
        }
    }

    /// Everything in a step that reads an earlier step's result without naming it in `uses`.
    func references(of index: Int) -> [(path: [DefinitionFault.Component], name: String)] {
        let draft = draft.steps[index]
        var found: [(path: [DefinitionFault.Component], name: String)] = []
        func add(_ way: ValuePath, _ path: [DefinitionFault.Component]) {
            if case .result(let name) = way.root { found.append((path, name)) }
        }
        func add(_ condition: Condition, _ path: [DefinitionFault.Component]) {
            switch condition {
            case .test(let way, _): add(way, path + [.key("path")])
            case .all(let parts), .any(let parts):
                var key = "or"
                if case .all = condition { key = "and" }
                for (index, part) in parts.enumerated() { add(part, path + [.key(key), .index(index)]) }
            case .not(let part): add(part, path + [.key("not")])
            }
        }
        if case .path(let way) = draft.until { add(way, step(index, "until")) }
        if let source = draft.inputFrom, draft.saga != nil { found.append((step(index, "inputFrom"), source)) }
        if let when = draft.when { add(when, step(index, "when")) }
        if let forEach = draft.forEach { add(forEach.items, step(index, "forEach", "items")) }
        return found
    }
}

extension Condition {
    /// Levels of nesting; a test alone is one.
    fileprivate var depth: Int {
        switch self {
        case .test: 1
        case .all(let parts), .any(let parts): 1 + (parts.map(\.depth).max() ?? 0)
        case .not(let part): 1 + part.depth
        }
    }

    fileprivate var testCount: Int { paths.count }

    /// Bytes of the paths and values in it, as they are written in JSON.
    fileprivate var size: Int {
        switch self {
        case .test(let path, let test): JSON.string(path.description).size + test.size
        case .all(let parts), .any(let parts): parts.reduce(0) { $0 + $1.size }
        case .not(let part): part.size
        }
    }
}

extension Condition.Test {
    fileprivate var size: Int {
        switch self {
        case .equals(let value), .notEquals(let value), .greaterThan(let value), .lessThan(let value),
            .atLeast(let value), .atMost(let value):
            value.size
        case .isOneOf(let values): JSON.array(values).size
        case .hasPrefix(let prefix): JSON.string(prefix).size
        case .exists: 0
        }
    }
}

extension JSON {
    /// Bytes that it takes in JSON's own spelling.
    fileprivate var size: Int {
        var writer = JSONWriter()
        writer.value(self)
        return writer.bytes.count
    }
}
