/// What a server says of itself, as INFO tells it: a line `name:value` each.
public struct ServerInfo: Sendable {
    private let values: [Substring: Substring]

    /// - Parameter reply: The reply to INFO.
    public init(_ reply: RedisReply) {
        self.init(text: reply.value.string ?? "")
    }

    /// Reads the text of a reply to INFO; what is no property is passed over.
    public init(text: String) {
        var values: [Substring: Substring] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        self.values = values
    }

    /// A property's text; nil where the server doesn't tell it.
    public subscript(_ name: String) -> String? { values[name[...]].map(String.init) }

    /// A property's number; nil where it is none.
    public func number(_ name: String) -> Double? { values[name[...]].flatMap { Double($0) } }
}
