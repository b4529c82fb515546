/// Where a value lies: `input.total`, `result.reserve.items.0.price`.
///
/// The first word says which payload; what follows the payload's own name are members' names and, in lists, places from
/// 0. A name with a dot in it cannot be reached.
public struct ValuePath: Sendable, Hashable, CustomStringConvertible {
    public enum Root: Sendable, Hashable {
        /// The saga's input.
        case input
        /// The result of the step with this name.
        case result(String)
    }

    public var root: Root
    public var keys: [String]

    public init(_ root: Root, _ keys: [String] = []) {
        self.root = root
        self.keys = keys
    }

    /// Nil where the text is no path: neither `input…` nor `result.STEP…`, or with an empty part.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        switch parts[0] {
        case "input": self.init(.input, Array(parts.dropFirst()))
        case "result" where parts.count > 1: self.init(.result(parts[1]), Array(parts.dropFirst(2)))
        default: return nil
        }
    }

    public var description: String {
        switch root {
        case .input: (["input"] + keys).joined(separator: ".")
        case .result(let step): (["result", step] + keys).joined(separator: ".")
        }
    }

    /// The value in the payload's JSON; nil where the way ends before.
    func find(in payload: JSON) -> JSON? {
        var value = payload
        for key in keys {
            let next: JSON?
            switch value {
            case .object: next = value[key]
            // Only the plain decimal form, so that one element has one path.
            case .array: next = Int(key).flatMap { String($0) == key ? value[$0] : nil }
            default: next = nil
            }
            guard let next else { return nil }
            value = next
        }
        return value
    }
}

/// A payload that a definition asks something of, and that has no answer.
struct PayloadFault: Error, Sendable, Hashable {
    var reason: String
}

/// A moment that a timer waits for.
public enum Moment: Sendable, Hashable {
    case at(Milliseconds)
    /// Unix milliseconds as a number, or text as RFC 3339 has it.
    case path(ValuePath)
}

/// What a step does for each element of a list: one command an item.
public struct ForEach: Sendable, Hashable {
    /// Leads to the list.
    public var items: ValuePath
    /// Most commands of the step that are under way at once.
    public var parallel: Int

    public init(_ items: ValuePath, parallel: Int = DefinitionLimits.defaultParallel) {
        self.items = items
        self.parallel = parallel
    }
}

/// Topics to which a step's end is told.
public struct Emits: Sendable, Hashable {
    public var succeeded: String?
    public var failed: String?

    public init(succeeded: String? = nil, failed: String? = nil) {
        self.succeeded = succeeded
        self.failed = failed
    }
}

/// A definition whose sagas are started by events.
public struct EventTrigger: Sendable, Hashable {
    public var event: String
    /// Whether each event starts a saga; else each key does once.
    public var isPerEvent: Bool

    public init(event: String, isPerEvent: Bool = false) {
        self.event = event
        self.isPerEvent = isPerEvent
    }
}

/// What particular error codes of an action mean.
public struct ErrorCodes: Sendable, Hashable {
    /// The code of an attempt that was not answered in time.
    public static let timeout = "timeout"

    /// Codes after which no further attempt is made.
    public var noRetry: [String]
    /// Where present, only these turn the saga back; an action that ends with another waits for an operator.
    public var compensateOn: [String]?
    /// These wait for an operator rather than turn the saga back.
    public var stopOn: [String]

    public init(noRetry: [String] = [], compensateOn: [String]? = nil, stopOn: [String] = []) {
        self.noRetry = noRetry
        self.compensateOn = compensateOn
        self.stopOn = stopOn
    }

    /// Whether an action that ends with this code stops, rather than turn the saga back.
    func stops(on code: String?) -> Bool {
        if let compensateOn { return !compensateOn.contains { $0 == code } }
        return stopOn.contains { $0 == code }
    }
}
