import SagaCore
import Yams

extension FileNode {
    /// Reads the documents of a YAML file, but for empty ones.
    ///
    /// Plain scalars are what YAML 1.2's core schema says (`yes` and `on` are text), numbers in JSON's spelling only.
    /// Anchors, aliases, tags and keys that are no text are refused.
    static func readYAML(_ text: ArraySlice<UInt8>, maxDepth: Int) throws(TextFault) -> [FileNode] {
        let text = try text.withUnsafeBufferPointer { (bytes) throws(TextFault) in
            var cursor = TextCursor(bytes)
            if let offset = UTF8Text.firstFault(in: bytes) {
                throw TextFault(cursor.position(at: offset), "the text is not UTF-8")
            }
            if let offset = YAMLGuard.firstSurplus(in: bytes) {
                let limit = YAMLGuard.limit
                throw TextFault(
                    cursor.position(at: offset),
                    "more than \(limit) places look like anchors (&), aliases (*) or complex keys (?): not supported")
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        do {
            let parser = try Yams.Parser(yaml: text, resolver: .basic, encoding: .utf8)
            var documents: [FileNode] = []
            while let root = try parser.nextRoot() {
                // Nodes hold their anchors weakly; the parser holds them, and lives as long as this loop needs it.
                let node = try withExtendedLifetime(parser) { () throws(TextFault) in
                    try FileNode(root, remainingDepth: maxDepth)
                }
                if node.value != .null { documents.append(node) }
            }
            return documents
        } catch {
            throw TextFault(error, yaml: text)
        }
    }

    private init(_ node: Yams.Node, remainingDepth: Int) throws(TextFault) {
        let position = TextPosition(node.mark)
        if node.anchor != nil {
            throw TextFault(position, "anchors and aliases are not supported: write the value out")
        }
        switch node {
        case .scalar(let scalar):
            self.init(try FileNode.value(of: scalar, position), position)
        case .sequence(let sequence):
            try FileNode.checkTag(sequence.tag, "seq", position)
            guard remainingDepth > 0 else { throw TextFault(position, FileNode.tooDeep) }
            var elements: [FileNode] = []
            for element in sequence { elements.append(try FileNode(element, remainingDepth: remainingDepth - 1)) }
            self.init(.list(elements), position)
        case .mapping(let mapping):
            try FileNode.checkTag(mapping.tag, "map", position)
            guard remainingDepth > 0 else { throw TextFault(position, FileNode.tooDeep) }
            var entries: [Entry] = []
            for (key, value) in mapping {
                guard case .scalar(let name) = key, key.anchor == nil else {
                    throw TextFault(TextPosition(key.mark), "a key must be plain text")
                }
                let value = try FileNode(value, remainingDepth: remainingDepth - 1)
                entries.append(Entry(key: name.string, keyPosition: TextPosition(key.mark), value: value))
            }
            self.init(.mapping(entries), position)
        case .alias:
            throw TextFault(position, "anchors and aliases are not supported: write the value out")
        }
    }

    fileprivate static var tooDeep: String { "nested deeper than \(DefinitionFile.maxDepth) levels" }

    private static func checkTag(_ tag: Tag, _ kind: String, _ position: TextPosition) throws(TextFault) {
        let name = tag.rawValue
        guard name.isEmpty || name == "tag:yaml.org,2002:\(kind)" else {
            throw TextFault(position, "the tag \(FaultText.quoted(name)) is not supported")
        }
    }

    private static func value(of scalar: Yams.Node.Scalar, _ position: TextPosition) throws(TextFault) -> Value {
        try checkTag(scalar.tag, "str", position)
        let text = scalar.string
        guard scalar.style == .plain, scalar.tag.rawValue.isEmpty else { return .text(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: return isNumber(text) ? .number(text) : .text(text)
        }
    }

    /// Whether JSON would call it a number.
    private static func isNumber(_ text: String) -> Bool {
        guard let first = text.utf8.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else {
            return false
        }
        do throws(JSONFault) {
            guard case .number = try JSON.parse(Array(text.utf8)) else { return false }
            return true
        } catch {
            // Whatever is no number is text.
            return false
        }
    }
}

extension TextPosition {
    fileprivate init(_ mark: Mark?) {
        // Only nodes that were made by hand have no mark.
        self = mark.map { TextPosition(line: $0.line, column: $0.column) } ?? .start
    }
}

extension TextFault {
    /// What stopped the YAML parser, in one line.
    fileprivate init(_ error: any Error, yaml: String) {
        switch error {
        case let fault as TextFault:
            self = fault
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            if problem.hasPrefix("Maximum nesting level") {
                // The parser's own bound, which keeps it from running out of stack.
                self.init(TextPosition(mark), FileNode.tooDeep)
                return
            }
            let doing = context.map { "\($0.text), " } ?? ""
            self.init(TextPosition(mark), "this is no YAML: \(doing)\(problem)")
        case YamlError.duplicatedKeysInMapping(let keys, let context):
            let names = keys.map { FaultText.quoted($0) }.joined(separator: ", ")
            self.init(TextPosition(context.mark), "written twice in one mapping: \(names)")
        case YamlError.reader(let problem, let offset, _, _):
            let before = yaml.prefix(offset ?? 0)
            let position = Array(before.utf8).withUnsafeBufferPointer { bytes in
                var cursor = TextCursor(bytes)
                return cursor.position(at: bytes.count)
            }
            self.init(position, "this is no YAML: \(problem)")
        default:
            self.init(.start, "this is no YAML: \(FaultText.quoted("\(error)"))")
        }
    }
}
