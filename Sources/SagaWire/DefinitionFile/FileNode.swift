import SagaCore

/// What a file says, whatever its format, and where it says it.
struct FileNode: Sendable, Hashable {
    enum Value: Sendable, Hashable {
        case null
        case bool(Bool)
        /// In JSON's spelling.
        case number(String)
        case text(String)
        case list([FileNode])
        /// No two entries have the same key.
        case mapping([Entry])
    }

    struct Entry: Sendable, Hashable {
        var key: String
        var keyPosition: TextPosition
        var value: FileNode
    }

    var value: Value
    var position: TextPosition

    init(_ value: Value, _ position: TextPosition) {
        self.value = value
        self.position = position
    }

    /// The place that a path leads to; where it leads nowhere, the last place on the way.
    func position(of path: some Collection<DefinitionFault.Component>) -> TextPosition {
        var node = self
        var rest = Array(path)[...]
        while let component = rest.popFirst() {
            switch (component, node.value) {
            case (.key(let key), .mapping(let entries)):
                guard let entry = entries.first(where: { $0.key == key }) else {
                    // Several tests of one path are read as an `and`, which nobody wrote.
                    guard key == "and", entries.contains(where: { $0.key == "path" }) else { return node.position }
                    rest = rest.dropFirst()
                    continue
                }
                node = entry.value
            case (.index(let index), .list(let elements)):
                guard elements.indices.contains(index) else { return node.position }
                node = elements[index]
            default:
                return node.position
            }
        }
        return node.position
    }

    /// How a fault names what was found.
    var told: String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let text): "the number \(text.utf8.count > 40 ? "\(text.prefix(40))…" : text)"
        case .text(let text): "the text \(FaultText.quoted(text))"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// A fault at a place of a text whose name somebody else knows.
struct TextFault: Error, Sendable, Hashable {
    var position: TextPosition
    var reason: String

    init(_ position: TextPosition, _ reason: String) {
        self.position = position
        self.reason = reason
    }
}
