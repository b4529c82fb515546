/// Strings and numbers.
extension JSONScanner {
    /// Scans from the opening quote to behind the closing one.
    mutating func scanString() throws(JSONFault) -> Text {
        let opening = offset
        offset += 1
        var hasEscapes = false
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return Text(range: opening + 1..<offset - 1, hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                _ = try scanEscape()
            case 0..<0x20:
                throw fault("a control character in a string must be escaped")
            default:
                offset += 1
            }
        }
        throw fault("the string has no closing quote", at: opening)
    }

    mutating func scanNumber() throws(JSONFault) -> Range<Int> {
        let start = offset
        if peek == UInt8(ascii: "-") { offset += 1 }
        if peek == UInt8(ascii: "0") {
            offset += 1
            if let byte = peek, isDigit(byte) { throw fault("a number must not start with a zero", at: start) }
        } else {
            try scanDigits()
        }
        if peek == UInt8(ascii: ".") {
            offset += 1
            try scanDigits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            offset += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { offset += 1 }
            try scanDigits()
        }
        return start..<offset
    }

    /// A string's content. Its escapes were checked when it was scanned.
    package func decode(_ text: Text) -> String {
        let raw = bytes[text.range]
        guard text.hasEscapes else { return String(decoding: raw, as: UTF8.self) }
        var result = String.UnicodeScalarView()
        var scanner = self
        scanner.offset = text.range.lowerBound
        while scanner.offset < text.range.upperBound {
            let plain = bytes[scanner.offset..<text.range.upperBound].prefix { $0 != UInt8(ascii: "\\") }
            result.append(contentsOf: String(decoding: plain, as: UTF8.self).unicodeScalars)
            scanner.offset += plain.count
            guard scanner.offset < text.range.upperBound else { break }
            do throws(JSONFault) {
                result.append(try scanner.scanEscape())
            } catch {
                preconditionFailure("an escape was checked and is bad: \(error)")
            }
        }
        return String(result)
    }

    private mutating func scanDigits() throws(JSONFault) {
        guard let byte = peek, isDigit(byte) else { throw unexpected("a digit") }
        while let byte = peek, isDigit(byte) { offset += 1 }
    }

    private mutating func scanEscape() throws(JSONFault) -> Unicode.Scalar {
        let start = offset
        offset += 1
        guard let byte = peek else { throw fault("the string has no closing quote", at: start) }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try scanUnicodeEscape(from: start)
        default: throw fault("unknown escape in a string", at: start)
        }
    }

    /// Scans what follows `\u`, both halves where it is a surrogate pair.
    private mutating func scanUnicodeEscape(from start: Int) throws(JSONFault) -> Unicode.Scalar {
        let first = try scanHex(from: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xdc00, peek == UInt8(ascii: "\\"), offset + 1 < bytes.count,
            bytes[offset + 1] == UInt8(ascii: "u")
        else { throw fault("half of a surrogate pair in a string", at: start) }
        offset += 2
        let second = try scanHex(from: start)
        guard (0xdc00...0xdfff).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        else { throw fault("half of a surrogate pair in a string", at: start) }
        return scalar
    }

    private mutating func scanHex(from start: Int) throws(JSONFault) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = hexDigit(byte) else {
                throw fault("expected four hexadecimal digits after \\u", at: start)
            }
            value = value << 4 | digit
            offset += 1
        }
        return value
    }

    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte) - 0x61 + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte) - 0x41 + 10
        default: nil
        }
    }
}
