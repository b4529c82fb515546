extension JSON {
    /// Reads one value, and nothing but it.
    ///
    /// Strict: RFC 8259 to the letter, well-formed UTF-8, no name twice in one object, at most ``maxDepth`` levels.
    /// Linear in the size of the text, which the caller bounds.
    public static func parse(_ bytes: [UInt8]) throws(JSONFault) -> JSON {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONFault) in try parse(buffer) }
    }

    /// Reads one value from borrowed bytes. See ``parse(_:)-([UInt8])``.
    public static func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONFault) -> JSON {
        try bytes.withMemoryRebound(to: UInt8.self) { (buffer) throws(JSONFault) in try parse(buffer) }
    }

    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONFault) -> JSON {
        var scanner = try JSONScanner(bytes, maxDepth: maxDepth)
        let value = try read(try scanner.next(), from: &scanner)
        _ = try scanner.next()
        return value
    }

    /// Reads the value that starts with `token`. Recursion is bounded by the scanner.
    private static func read(_ token: JSONScanner.Token, from scanner: inout JSONScanner) throws(JSONFault) -> JSON {
        switch token {
        case .beginObject: return try readObject(from: &scanner)
        case .beginArray: return try readArray(from: &scanner)
        case .string(let text): return .string(scanner.decode(text))
        case .number(let range): return .number(String(decoding: scanner.bytes[range], as: UTF8.self))
        case .bool(let value): return .bool(value)
        case .null: return .null
        case .name, .endObject, .endArray, .end: preconditionFailure("the scanner gave \(token) for a value")
        }
    }

    private static func readArray(from scanner: inout JSONScanner) throws(JSONFault) -> JSON {
        var elements: [JSON] = []
        while true {
            let token = try scanner.next()
            if case .endArray = token { return .array(elements) }
            elements.append(try read(token, from: &scanner))
        }
    }

    private static func readObject(from scanner: inout JSONScanner) throws(JSONFault) -> JSON {
        var members: [Member] = []
        var names = UniqueNames()
        while case .name(let text) = try scanner.next() {
            let name = scanner.decode(text)
            guard names.insert(name) else { throw scanner.fault("the name is used twice", at: scanner.tokenStart) }
            members.append(Member(name, try read(try scanner.next(), from: &scanner)))
        }
        return .object(members)
    }
}

/// The names of one object so far: few are compared, many are hashed.
package struct UniqueNames {
    private var few: [String] = []
    private var many: Set<String> = []

    package init() {}

    /// False where the name is there already.
    package mutating func insert(_ name: String) -> Bool {
        guard many.isEmpty else { return many.insert(name).inserted }
        guard !few.contains(name) else { return false }
        few.append(name)
        if few.count > 12 { many = Set(few) }
        return true
    }
}
