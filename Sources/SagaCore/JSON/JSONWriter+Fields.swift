/// Whole members, and payloads.
extension JSONWriter {
    public mutating func field(_ name: StaticString, _ value: String) {
        self.name(name)
        self.value(value)
    }

    public mutating func field(_ name: StaticString, _ value: Int64) {
        self.name(name)
        self.value(value)
    }

    public mutating func field(_ name: StaticString, _ value: Int) {
        self.name(name)
        self.value(value)
    }

    public mutating func field(_ name: StaticString, _ value: Bool) {
        self.name(name)
        self.value(value)
    }

    public mutating func field(_ name: StaticString, _ value: Double) {
        self.name(name)
        self.value(value)
    }

    /// A member that is null where there is no value.
    public mutating func field(_ name: StaticString, _ value: String?) {
        self.name(name)
        if let value { self.value(value) } else { null() }
    }

    /// A member that is null where there is no value.
    public mutating func field(_ name: StaticString, _ value: Int64?) {
        self.name(name)
        if let value { self.value(value) } else { null() }
    }

    /// A member that is a payload. See ``payload(_:)``.
    public mutating func field(_ name: StaticString, payload: [UInt8]?) {
        self.name(name)
        self.payload(payload)
    }

    /// A payload as the JSON that it is, token by token as it was written, else as `{"base64": "…"}`; null where there
    /// is none.
    ///
    /// Whitespace between tokens is dropped, so that the output stays one line. JSON that is nested deeper than
    /// ``maxPayloadDepth`` counts as bytes: other programs' readers would give up on it.
    public mutating func payload(_ payload: [UInt8]?) {
        guard let payload else { return null() }
        let isWritten = payload.withUnsafeBufferPointer { appendJSON($0) }
        guard !isWritten else { return }
        beginObject()
        name("base64")
        bytes.append(UInt8(ascii: "\""))
        Base64.append(payload, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        endObject()
    }

    public static let maxPayloadDepth = 500

    /// False, and nothing written, where the text is no JSON.
    private mutating func appendJSON(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let hasWhitespace: Bool
        do throws(JSONFault) {
            var scanner = try JSONScanner(text, maxDepth: JSONWriter.maxPayloadDepth)
            scan: while true {
                if case .end = try scanner.next() { break scan }
            }
            hasWhitespace = scanner.hasWhitespace
        } catch {
            // A payload is opaque: that it is no JSON is not a fault, and where it stops being some is nobody's concern.
            return false
        }
        separate()
        guard hasWhitespace else {
            bytes.append(contentsOf: text)
            return true
        }
        var isInString = false
        var isEscaped = false
        for byte in text {
            if !isInString, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { continue }
            bytes.append(byte)
            if !isEscaped, byte == UInt8(ascii: "\"") { isInString.toggle() }
            isEscaped = isInString && !isEscaped && byte == UInt8(ascii: "\\")
        }
        return true
    }
}

/// Writes a payload as the JSON that it is, else as `{"base64": "…"}`; null for nil. See ``JSONWriter/payload(_:)``.
public func jsonOrBase64(_ payload: [UInt8]?, into writer: inout JSONWriter) {
    writer.payload(payload)
}

/// The encoding of RFC 4648, with padding.
enum Base64 {
    static func append(_ bytes: [UInt8], to output: inout [UInt8]) {
        let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        output.reserveCapacity(output.count + (bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for position in 0..<4 {
                let index = Int(bits >> UInt32(18 - 6 * position) & 0x3f)
                output.append(position <= group.count ? alphabet.utf8Start[index] : UInt8(ascii: "="))
            }
        }
    }
}
