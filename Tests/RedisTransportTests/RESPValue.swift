import RedisTransport

/// A reply as a value, to make random ones and to compare with.
indirect enum RESPValue: Hashable {
    case string([UInt8])
    case status(String)
    case error(String)
    case integer(Int64)
    case null
    case array([RESPValue])

    /// `usingNullArray`: RESP2 has two spellings of null.
    func encoded(usingNullArray: Bool = false) -> [UInt8] {
        switch self {
        case .string(let bytes): Array("$\(bytes.count)\r\n".utf8) + bytes + Array("\r\n".utf8)
        case .status(let text): Array("+\(text)\r\n".utf8)
        case .error(let text): Array("-\(text)\r\n".utf8)
        case .integer(let number): Array(":\(number)\r\n".utf8)
        case .null: Array((usingNullArray ? "*-1\r\n" : "$-1\r\n").utf8)
        case .array(let elements): Array("*\(elements.count)\r\n".utf8) + elements.flatMap { $0.encoded() }
        }
    }

    /// What a parser made of it.
    init(_ value: RedisValue) {
        switch value.kind {
        case .string: self = .string(value.bytes ?? [])
        case .status: self = .status(value.string ?? "?")
        case .error: self = .error(value.error?.message ?? "?")
        case .integer: self = .integer(value.integer ?? 0)
        case .null: self = .null
        case .array: self = .array((0..<value.count).map { RESPValue(value[$0]) })
        }
    }

    static func random(depth: Int, using random: inout SeededGenerator) -> RESPValue {
        switch Int.random(in: 0...(depth > 0 ? 8 : 6), using: &random) {
        case 0, 1: .string(random.bytes(upTo: 40))
        case 2: .string(random.bytes(upTo: 9000))
        case 3: .status(word(using: &random))
        case 4: .error("ERR " + word(using: &random))
        case 5: .integer(Int64(bitPattern: random.next()))
        case 6: .null
        default:
            .array(
                (0..<Int.random(in: 0...6, using: &random)).map { _ in .random(depth: depth - 1, using: &random) })
        }
    }

    private static func word(using random: inout SeededGenerator) -> String {
        String(
            (0..<Int.random(in: 1...20, using: &random)).map { _ in "abcdefgh XYZ".randomElement(using: &random) ?? "a"
            })
    }
}
