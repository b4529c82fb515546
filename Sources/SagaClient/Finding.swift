public import SagaCore

/// One thing that a look at a server or a namespace came to.
public struct Finding: Sendable, Hashable {
    public enum Severity: String, Sendable, Hashable, CaseIterable, Comparable {
        case ok, info, warning
        /// Sagas stand still, are lost, or will be.
        case danger

        public static func < (one: Self, other: Self) -> Bool { one.rank < other.rank }

        private var rank: Int {
            switch self {
            case .ok: 0
            case .info: 1
            case .warning: 2
            case .danger: 3
            }
        }
    }

    public var severity: Severity
    /// What was looked at: a stable word for machines.
    public var check: String
    /// One line. What comes from Redis in it is as it came: clean it before it meets a terminal.
    public var what: String
    /// One line; nil where there is nothing to do.
    public var remedy: String?

    init(_ severity: Severity, _ check: String, _ what: String, remedy: String? = nil) {
        self.severity = severity
        self.check = check
        self.what = what
        self.remedy = remedy
    }

    /// The finding as one JSON object.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("severity", severity.rawValue)
        writer.field("check", check)
        writer.field("what", what)
        writer.field("remedy", remedy)
        writer.endObject()
    }
}
