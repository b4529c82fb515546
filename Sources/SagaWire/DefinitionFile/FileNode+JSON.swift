import SagaCore

extension FileNode {
    /// Reads a JSON file: one value.
    static func readJSON(_ text: ArraySlice<UInt8>, maxDepth: Int) throws(TextFault) -> FileNode {
        do throws(JSONFault) {
            return try text.withUnsafeBufferPointer { (bytes) throws(JSONFault) in
                var reader = JSONNodeReader(
                    scanner: try JSONScanner(bytes, maxDepth: maxDepth), cursor: TextCursor(bytes))
                return try reader.readFile()
            }
        } catch {
            throw TextFault(error.position, error.reason)
        }
    }
}

/// Builds the tree of a JSON file. Tokens come in the order of the text, so the cursor only goes forward.
private struct JSONNodeReader {
    var scanner: JSONScanner
    var cursor: TextCursor

    mutating func readFile() throws(JSONFault) -> FileNode {
        let node = try readValue()
        _ = try scanner.next()
        return node
    }

    private mutating func readValue() throws(JSONFault) -> FileNode {
        let token = try scanner.next()
        return try read(token)
    }

    private mutating func read(_ token: JSONScanner.Token) throws(JSONFault) -> FileNode {
        let position = cursor.position(at: scanner.tokenStart)
        switch token {
        case .beginObject: return FileNode(.mapping(try readEntries()), position)
        case .beginArray: return FileNode(.list(try readElements()), position)
        case .string(let text): return FileNode(.text(scanner.decode(text)), position)
        case .number(let range):
            return FileNode(.number(String(decoding: scanner.bytes[range], as: UTF8.self)), position)
        case .bool(let value): return FileNode(.bool(value), position)
        case .null: return FileNode(.null, position)
        case .name, .endObject, .endArray, .end: preconditionFailure("the scanner gave \(token) for a value")
        }
    }

    private mutating func readElements() throws(JSONFault) -> [FileNode] {
        var elements: [FileNode] = []
        while true {
            let token = try scanner.next()
            if case .endArray = token { return elements }
            elements.append(try read(token))
        }
    }

    private mutating func readEntries() throws(JSONFault) -> [FileNode.Entry] {
        var entries: [FileNode.Entry] = []
        var names = UniqueNames()
        while case .name(let text) = try scanner.next() {
            let position = cursor.position(at: scanner.tokenStart)
            let key = scanner.decode(text)
            guard names.insert(key) else { throw JSONFault(position, "the key is written twice") }
            entries.append(FileNode.Entry(key: key, keyPosition: position, value: try readValue()))
        }
        return entries
    }
}
