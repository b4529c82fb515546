/// Keeps alias bombs away from the YAML parser.
///
/// The parser resolves aliases while it reads, and compares a mapping's keys in full: nested aliases or nested complex
/// keys cost it exponential time before we see its first node. So what could be one is counted beforehand. The count
/// knows neither comments nor quotes, so it can be too high, never too low; a few are let through, cost little, and are
/// then refused, at their exact place, where they are real.
enum YAMLGuard {
    static let limit = 8

    /// The offset of the place that is one too many; nil where they are few enough.
    static func firstSurplus(in text: UnsafeBufferPointer<UInt8>) -> Int? {
        var count = 0
        for index in text.indices where isSuspect(index, text) {
            count += 1
            if count > limit { return index }
        }
        return nil
    }

    /// Whether an anchor, an alias or an explicit key can start here.
    private static func isSuspect(_ index: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let next = index + 1 < text.count ? text[index + 1] : UInt8(ascii: "\n")
        switch text[index] {
        case UInt8(ascii: "&"), UInt8(ascii: "*"): return !isBlank(next) && canStartToken(index, text)
        case UInt8(ascii: "?"): return isBlank(next) && canStartToken(index, text)
        default: return false
        }
    }

    /// Whether a line, an indicator or a tag ends before the place.
    private static func canStartToken(_ index: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var last = index - 1
        while last >= 0, text[last] == 0x20 || text[last] == 0x09 { last -= 1 }
        guard last >= 0 else { return true }
        switch text[last] {
        case 0x0a, 0x0d: return true
        // The line breaks of Unicode are some of these.
        case 0x80...: return true
        case UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "?"), UInt8(ascii: ","), UInt8(ascii: "["),
            UInt8(ascii: "{"):
            return true
        default: break
        }
        guard last < index - 1 else { return false }
        // A tag is short; a longer word counts as one.
        let first = max(0, last - 1024)
        var start = last
        while start > first, !isBlank(text[start - 1]) { start -= 1 }
        return start == first && first > 0 || hasTag(text[start...last])
    }

    private static func hasTag(_ word: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        word.contains(UInt8(ascii: "!"))
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
    }
}
