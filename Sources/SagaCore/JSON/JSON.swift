/// A JSON value as it was written: members keep their order, numbers keep their digits.
public enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    /// The number's text, so that 64-bit integers and long decimals stay exact. See ``integer`` and ``double``.
    case number(String)
    case string(String)
    case array([JSON])
    /// No two members have the same name.
    case object([Member])

    public struct Member: Sendable, Hashable {
        public var name: String
        public var value: JSON

        public init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }

    /// How deep arrays and objects may be nested.
    public static let maxDepth = 64

    /// The member with this name, where this is an object that has it.
    public subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The element at this index, where this is an array that has it.
    public subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    public var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The number, where it is written as an integer (no fraction, no exponent) and fits.
    public var integer: Int64? {
        guard case .number(let text) = self else { return nil }
        return Int64(text)
    }

    /// The number, rounded to the nearest double; nil where it is larger than any.
    public var double: Double? {
        guard case .number(let text) = self, let value = Double(text), value.isFinite else { return nil }
        return value
    }

    public var string: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    public var array: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    public var object: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    public var isNull: Bool { self == .null }
}

/// Where, and why, text is no JSON.
public struct JSONFault: Error, Sendable, Hashable, CustomStringConvertible {
    public var position: TextPosition
    public var reason: String

    public init(_ position: TextPosition, _ reason: String) {
        self.position = position
        self.reason = reason
    }

    public var description: String { "\(position): \(reason)" }
}
