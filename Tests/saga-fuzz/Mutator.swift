import TestSupport

/// Spoils bytes: what a broken or hostile peer could send instead of them.
struct Mutator {
    /// What means something in the input's grammar.
    let tokens: [[UInt8]]

    init(_ tokens: [String]) {
        self.tokens = tokens.map { Array($0.utf8) } + Self.nasty
    }

    /// Numbers at and beyond the edges, bytes that are no UTF-8, and what a terminal or a script would stumble over.
    private static let nasty: [[UInt8]] =
        [
            "-1", "0", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551616",
            "1e999", "1E+400", "-0.0", "NaN", "\u{1b}[2J", "\u{0}", "\r\n", "null",
            String(repeating: "9", count: 400), "é🙂", "\u{202e}",
        ].map { Array($0.utf8) } + [
            [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82],
        ]

    /// The bytes with one to four of them changed, lost, doubled, moved, or replaced by what is worse.
    ///
    /// - Parameter other: A piece of it may be put in.
    func spoil(_ bytes: [UInt8], _ other: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            let end = min(bytes.count, place + Int.random(in: 0...24, using: &random))
            switch Int.random(in: 0..<12, using: &random) {
            case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 2, 3: bytes.insert(contentsOf: random.pick(tokens), at: place)
            case 4: bytes.replaceSubrange(place..<end, with: random.pick(tokens))
            case 5: bytes.removeSubrange(place..<end)
            case 6: bytes.insert(contentsOf: bytes[place..<end], at: end)
            case 7: splice(other, into: &bytes, at: place, &random)
            case 8: replaceNumber(in: &bytes, from: place, &random)
            case 9 where random.chance(0.3): bytes.removeSubrange(place...)
            case 10 where random.chance(0.1):
                let token = random.pick(tokens)
                guard token.count < 20 else { continue }
                for _ in 0..<Int.random(in: 1...100, using: &random) { bytes.insert(contentsOf: token, at: place) }
            default: break
            }
        }
        return bytes
    }

    private func splice(_ other: [UInt8], into bytes: inout [UInt8], at place: Int, _ random: inout SeededRandom) {
        let start = Int.random(in: 0...other.count, using: &random)
        let end = min(other.count, start + Int.random(in: 0...200, using: &random))
        bytes.insert(contentsOf: other[start..<end], at: place)
    }

    /// Another number in place of the next one.
    private func replaceNumber(in bytes: inout [UInt8], from place: Int, _ random: inout SeededRandom) {
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
        guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
        let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
        let number =
            random.chance(0.5)
            ? random.pick(Self.nasty) : Array(String(Int16.random(in: -3...300, using: &random)).utf8)
        bytes.replaceSubrange(start..<end, with: number)
    }
}
