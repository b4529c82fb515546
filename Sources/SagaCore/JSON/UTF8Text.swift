/// Checks on text that somebody else encoded.
package enum UTF8Text {
    /// The offset of the first byte that is no part of well-formed UTF-8 (RFC 3629: shortest form, no surrogates,
    /// nothing above U+10FFFF); nil where there is none.
    package static func firstFault(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        var index = 0
        while index < bytes.count {
            let lead = bytes[index]
            if lead < 0x80 {
                index += 1
                continue
            }
            let length: Int
            // The range of the second byte is what rules out long forms, surrogates and what is too large.
            let second: ClosedRange<UInt8>
            switch lead {
            case 0xc2...0xdf: (length, second) = (2, 0x80...0xbf)
            case 0xe0: (length, second) = (3, 0xa0...0xbf)
            case 0xe1...0xec, 0xee...0xef: (length, second) = (3, 0x80...0xbf)
            case 0xed: (length, second) = (3, 0x80...0x9f)
            case 0xf0: (length, second) = (4, 0x90...0xbf)
            case 0xf1...0xf3: (length, second) = (4, 0x80...0xbf)
            case 0xf4: (length, second) = (4, 0x80...0x8f)
            default: return index
            }
            guard index + length <= bytes.count, second.contains(bytes[index + 1]) else { return index }
            for further in index + 2..<index + length where bytes[further] & 0xc0 != 0x80 { return index }
            index += length
        }
        return nil
    }
}
