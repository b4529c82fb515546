/// Splits text into JSON tokens and holds it to the grammar (RFC 8259), without recursion.
///
/// - Important: Borrows its bytes: it must not outlive them.
package struct JSONScanner {
    package enum Token {
        case beginObject, endObject, beginArray, endArray
        /// A member's name; its value follows.
        case name(Text)
        case string(Text)
        case number(Range<Int>)
        case bool(Bool)
        case null
        /// The text is over, and was one value.
        case end
    }

    /// Where a string stands, without its quotes.
    package struct Text {
        var range: Range<Int>
        var hasEscapes: Bool
    }

    private enum Container { case object, array }

    private enum Expectation { case value, firstName, firstElement, commaOrEnd, end }

    package let bytes: UnsafeBufferPointer<UInt8>
    /// Where the last token starts.
    package private(set) var tokenStart = 0
    /// Whether there was whitespace between the tokens so far.
    private(set) var hasWhitespace = false
    var offset = 0
    private let maxDepth: Int
    private var containers: [Container] = []
    private var expectation = Expectation.value

    package init(_ bytes: UnsafeBufferPointer<UInt8>, maxDepth: Int) throws(JSONFault) {
        self.bytes = bytes
        self.maxDepth = maxDepth
        if let fault = UTF8Text.firstFault(in: bytes) { throw self.fault("the text is not UTF-8", at: fault) }
    }

    package mutating func next() throws(JSONFault) -> Token {
        skipWhitespace()
        tokenStart = offset
        switch expectation {
        case .value:
            return try scanValue()
        case .firstName:
            return peek == UInt8(ascii: "}") ? close(.object) : try scanName()
        case .firstElement:
            return peek == UInt8(ascii: "]") ? close(.array) : try scanValue()
        case .commaOrEnd:
            return try scanAfterValue()
        case .end:
            guard offset == bytes.count else { throw fault("the text goes on after the value") }
            return .end
        }
    }

    private mutating func scanAfterValue() throws(JSONFault) -> Token {
        let isObject = containers.last == .object
        switch peek {
        case UInt8(ascii: ","):
            offset += 1
            skipWhitespace()
            tokenStart = offset
            return isObject ? try scanName() : try scanValue()
        case UInt8(ascii: "}") where isObject:
            return close(.object)
        case UInt8(ascii: "]") where !isObject:
            return close(.array)
        default:
            throw unexpected(isObject ? "',' or '}'" : "',' or ']'")
        }
    }

    private mutating func scanName() throws(JSONFault) -> Token {
        guard peek == UInt8(ascii: "\"") else { throw unexpected("a name in double quotes") }
        let text = try scanString()
        skipWhitespace()
        guard peek == UInt8(ascii: ":") else { throw unexpected("':'") }
        offset += 1
        expectation = .value
        return .name(text)
    }

    private mutating func scanValue() throws(JSONFault) -> Token {
        switch peek {
        case UInt8(ascii: "{"):
            try open(.object)
            return .beginObject
        case UInt8(ascii: "["):
            try open(.array)
            return .beginArray
        case UInt8(ascii: "\""):
            let text = try scanString()
            valueIsOver()
            return .string(text)
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
            let range = try scanNumber()
            valueIsOver()
            return .number(range)
        default:
            return try scanWord()
        }
    }

    private mutating func scanWord() throws(JSONFault) -> Token {
        let words: [(StaticString, Token)] = [("true", .bool(true)), ("false", .bool(false)), ("null", .null)]
        for (word, token) in words {
            let end = offset + word.utf8CodeUnitCount
            guard end <= bytes.count else { continue }
            let expected = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
            guard bytes[offset..<end].elementsEqual(expected) else { continue }
            offset = end
            valueIsOver()
            return token
        }
        throw unexpected("a value")
    }

    private mutating func open(_ container: Container) throws(JSONFault) {
        guard containers.count < maxDepth else { throw fault("nested deeper than \(maxDepth) levels") }
        containers.append(container)
        offset += 1
        expectation = container == .object ? .firstName : .firstElement
    }

    private mutating func close(_ container: Container) -> Token {
        containers.removeLast()
        offset += 1
        valueIsOver()
        return container == .object ? .endObject : .endArray
    }

    private mutating func valueIsOver() {
        expectation = containers.isEmpty ? .end : .commaOrEnd
    }

    private mutating func skipWhitespace() {
        while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
            offset += 1
            hasWhitespace = true
        }
    }
}

extension JSONScanner {
    /// The byte that comes next; nil at the end.
    var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    /// A fault at this offset, or where the scanner stands.
    func fault(_ reason: String, at offset: Int? = nil) -> JSONFault {
        var cursor = TextCursor(bytes)
        return JSONFault(cursor.position(at: offset ?? self.offset), reason)
    }

    func unexpected(_ wanted: String) -> JSONFault {
        guard let byte = peek else { return fault("expected \(wanted), but the text ends") }
        guard (0x21...0x7e).contains(byte) else { return fault("expected \(wanted)") }
        return fault("expected \(wanted), found '\(Character(UnicodeScalar(byte)))'")
    }
}
