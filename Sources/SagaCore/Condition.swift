/// A question about a saga's input and the results of its earlier steps: whether a step is due at all.
///
/// Values are compared by type: numbers by what they are worth (`1` equals `1.0`), text by its Unicode scalars, and no
/// number ever equals a text. A test whose path leads nowhere is false, whatever it asks (but for `exists: false`). A
/// payload that is no JSON is an error, not an answer.
public indirect enum Condition: Sendable, Hashable {
    case test(ValuePath, Test)
    case all([Condition])
    case any([Condition])
    case not(Condition)

    /// What is asked of the value that a path leads to.
    public enum Test: Sendable, Hashable {
        case equals(JSON)
        case notEquals(JSON)
        /// Numbers with numbers, text with text; anything else is false. So with the next three.
        case greaterThan(JSON)
        case lessThan(JSON)
        case atLeast(JSON)
        case atMost(JSON)
        case isOneOf([JSON])
        /// Whether there is such a value; `null` is one.
        case exists(Bool)
        /// Whether it is text that begins so.
        case hasPrefix(String)
    }

    /// All paths in it, in the order of the text.
    public var paths: [ValuePath] {
        switch self {
        case .test(let path, _): [path]
        case .all(let parts), .any(let parts): parts.flatMap(\.paths)
        case .not(let part): part.paths
        }
    }

    /// The answer.
    ///
    /// - Parameter value: Finds what a path leads to; nil where it leads nowhere. Throws where the payload is no JSON.
    func isMet(_ value: (ValuePath) throws(PayloadFault) -> JSON?) throws(PayloadFault) -> Bool {
        switch self {
        case .test(let path, let test): return test.accepts(try value(path))
        case .all(let parts):
            for part in parts where try !part.isMet(value) { return false }
            return true
        case .any(let parts):
            for part in parts where try part.isMet(value) { return true }
            return false
        case .not(let part): return try !part.isMet(value)
        }
    }
}

extension Condition.Test {
    func accepts(_ value: JSON?) -> Bool {
        if case .exists(let isThere) = self { return (value != nil) == isThere }
        guard let value else { return false }
        switch self {
        case .equals(let other): return value.isWorth(other)
        case .notEquals(let other): return !value.isWorth(other)
        case .greaterThan(let other): return value.compare(other) == .above
        case .lessThan(let other): return value.compare(other) == .below
        case .atLeast(let other): return [.above, .same].contains(value.compare(other))
        case .atMost(let other): return [.below, .same].contains(value.compare(other))
        case .isOneOf(let others): return others.contains { value.isWorth($0) }
        case .hasPrefix(let prefix):
            return value.string.map { $0.unicodeScalars.starts(with: prefix.unicodeScalars) } ?? false
        case .exists: return true
        }
    }
}

extension JSON {
    fileprivate enum Order { case below, same, above }

    /// Nil where the two have no order.
    fileprivate func compare(_ other: JSON) -> Order? {
        if case .string(let left) = self, case .string(let right) = other {
            if left.unicodeScalars.elementsEqual(right.unicodeScalars) { return .same }
            return left.unicodeScalars.lexicographicallyPrecedes(right.unicodeScalars) ? .below : .above
        }
        // Integers exactly; what has a fraction as the nearest double, as every JSON reader takes it.
        if let left = integer, let right = other.integer {
            return left == right ? .same : left < right ? .below : .above
        }
        guard let left = double, let right = other.double else { return nil }
        return left == right ? .same : left < right ? .below : .above
    }

    fileprivate func isWorth(_ other: JSON) -> Bool {
        switch (self, other) {
        case (.number, .number), (.string, .string): compare(other) == .same
        default: self == other
        }
    }
}
