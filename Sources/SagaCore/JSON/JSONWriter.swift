/// Writes JSON into a growing buffer, on one line, without whitespace.
///
/// Commas come by themselves; that begins and ends match, and that an object's values have names, is the caller's duty.
/// What is written is well-formed UTF-8, because Swift strings are.
public struct JSONWriter: Sendable {
    /// What was written so far.
    public internal(set) var bytes: [UInt8] = []

    public init(reserving capacity: Int = 256) {
        bytes.reserveCapacity(capacity)
    }

    public var text: String { String(decoding: bytes, as: UTF8.self) }

    // MARK: Structure

    public mutating func beginObject() {
        separate()
        bytes.append(UInt8(ascii: "{"))
    }

    public mutating func beginObject(_ name: StaticString) {
        self.name(name)
        bytes.append(UInt8(ascii: "{"))
    }

    public mutating func endObject() {
        bytes.append(UInt8(ascii: "}"))
    }

    public mutating func beginArray() {
        separate()
        bytes.append(UInt8(ascii: "["))
    }

    public mutating func beginArray(_ name: StaticString) {
        self.name(name)
        bytes.append(UInt8(ascii: "["))
    }

    public mutating func endArray() {
        bytes.append(UInt8(ascii: "]"))
    }

    /// Ends a line of output; the next value stands by itself.
    public mutating func endLine() {
        bytes.append(UInt8(ascii: "\n"))
    }

    /// A member's name, which must need no escapes; its value comes next.
    public mutating func name(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    /// A member's name that is not known at compile time.
    public mutating func name(text: String) {
        value(text)
        bytes.append(UInt8(ascii: ":"))
    }

    // MARK: Values

    public mutating func null() {
        raw("null")
    }

    public mutating func value(_ value: Bool) {
        raw(value ? "true" : "false")
    }

    public mutating func value(_ value: Int64) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
    }

    public mutating func value(_ value: Int) {
        self.value(Int64(value))
    }

    /// The shortest text that reads back as this number, whole numbers without a fraction; null where it is none.
    public mutating func value(_ value: Double) {
        guard value.isFinite else { return null() }
        if let integer = Int64(exactly: value), integer.magnitude < 1 << 53 { return self.value(integer) }
        separate()
        bytes.append(contentsOf: String(value).utf8)
    }

    public mutating func value(_ value: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        var value = value
        value.withUTF8 { appendEscaped($0) }
        bytes.append(UInt8(ascii: "\""))
    }

    public mutating func value(_ value: JSON) {
        switch value {
        case .null: null()
        case .bool(let value): self.value(value)
        case .number(let text):
            separate()
            bytes.append(contentsOf: text.utf8)
        case .string(let text): self.value(text)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let members):
            beginObject()
            for member in members {
                name(text: member.name)
                self.value(member.value)
            }
            endObject()
        }
    }

    /// A value that is JSON already, on one line; not checked.
    public mutating func raw(_ json: [UInt8]) {
        separate()
        bytes.append(contentsOf: json)
    }

    private mutating func raw(_ word: StaticString) {
        separate()
        bytes.append(contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    /// Writes a comma, unless nothing stands before in this object, array or line.
    mutating func separate() {
        switch bytes.last {
        case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"), UInt8(ascii: "\n"): break
        default: bytes.append(UInt8(ascii: ","))
        }
    }

    /// Copies runs that need no escape at once.
    private mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>) {
        var start = 0
        for index in text.indices {
            let byte = text[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            bytes.append(contentsOf: text[start..<index])
            start = index + 1
            bytes.append(UInt8(ascii: "\\"))
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
            case 0x08: bytes.append(UInt8(ascii: "b"))
            case 0x09: bytes.append(UInt8(ascii: "t"))
            case 0x0a: bytes.append(UInt8(ascii: "n"))
            case 0x0c: bytes.append(UInt8(ascii: "f"))
            case 0x0d: bytes.append(UInt8(ascii: "r"))
            default:
                let digits: StaticString = "0123456789abcdef"
                bytes.append(contentsOf: [0x75, 0x30, 0x30, 0x30 + byte >> 4, digits.utf8Start[Int(byte & 0xf)]])
            }
        }
        bytes.append(contentsOf: text[start...])
    }
}
