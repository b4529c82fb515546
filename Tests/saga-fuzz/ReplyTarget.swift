import RedisTransport
import TestSupport

/// What a server replies: the scanner and hiredis behind it.
struct ReplyTarget: FuzzTarget {
    static let name = "reply"

    private let mutator = Mutator([
        "\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n", "$0\r\n\r\n", "*2147483647\r\n", "$2147483647\r\n", "*1\r\n", "+OK\r\n",
        "-ERR x\r\n", ":1\r\n", "$", "*", ":", "%1\r\n", "_\r\n", "-MOVED 1 a:1\r\n", "-ASK 99999999 :\r\n",
    ])
    private let options: ConnectionOptions

    init() {
        var options = ConnectionOptions()
        options.maxReplyBytes = 4_000
        options.maxReplyElements = 60
        options.maxDepth = 6
        self.options = options
    }

    mutating func attempt(_ random: inout SeededRandom) throws(Flaw) -> Bool {
        let values = (0..<Int.random(in: 1...3, using: &random)).map { _ in RespValue.random(depth: 4, &random) }
        var input = values.flatMap { $0.encoded }
        // One beyond the bounds is refused.
        let isWhole = random.chance(0.1) && values.allSatisfy { $0.size <= 60 && $0.encoded.count <= 4_000 }
        if !isWhole { input = mutator.spoil(input, values[0].encoded, &random) }
        let (replies, isSound) = parse(input, in: 1)
        let (same, isAlsoSound) = parse(input, in: Int.random(in: 1...7, using: &random))
        guard isSound == isAlsoSound, replies == same else { throw Flaw("cuts in the input change nothing", input) }
        if isWhole, replies != values || !isSound { throw Flaw("a reply reads as it was written", input) }
        guard isSound else { return false }
        let (again, _) = parse(replies.flatMap { $0.encoded }, in: 1)
        guard again == replies else { throw Flaw("what was read and is written reads the same", input) }
        return true
    }

    /// Parses the input, cut into pieces of equal lengths; the replies before a failure, and whether there was none.
    private func parse(_ input: [UInt8], in pieces: Int) -> ([RespValue], Bool) {
        guard var parser = ReplyParser(options: options) else { return ([], false) }
        var replies: [RedisReply] = []
        let length = max(1, (input.count + pieces - 1) / pieces)
        for start in stride(from: 0, to: input.count, by: length) {
            let failure = input[start..<min(input.count, start + length)].withUnsafeBytes { bytes in
                parser.parse(bytes, into: &replies)
            }
            if failure != nil { return (replies.map { RespValue($0.value) }, false) }
        }
        return (replies.map { RespValue($0.value) }, true)
    }
}

/// A reply as a value.
indirect enum RespValue: Hashable {
    case string([UInt8])
    case status([UInt8])
    case error([UInt8])
    case integer(Int64)
    case null
    case array([RespValue])

    init(_ value: RedisValue) {
        let bytes = value.withUnsafeBytes { Array($0) } ?? []
        switch value.kind {
        case .string: self = .string(bytes)
        case .status: self = .status(bytes)
        case .error:
            // Its text is taken apart as well.
            precondition(value.error != nil, "an error reply is an error")
            self = .error(bytes)
        case .integer: self = .integer(value.integer ?? 0)
        case .null: self = .null
        case .array: self = .array((0..<value.count).map { RespValue(value[$0]) })
        }
    }

    var encoded: [UInt8] {
        switch self {
        case .string(let bytes): Array("$\(bytes.count)\r\n".utf8) + bytes + [13, 10]
        case .status(let text): Array("+".utf8) + text + [13, 10]
        case .error(let text): Array("-".utf8) + text + [13, 10]
        case .integer(let number): Array(":\(number)\r\n".utf8)
        case .null: Array("$-1\r\n".utf8)
        case .array(let elements): Array("*\(elements.count)\r\n".utf8) + elements.flatMap(\.encoded)
        }
    }

    /// Its elements, those of nested arrays included.
    var size: Int {
        if case .array(let elements) = self { elements.reduce(elements.count) { $0 + $1.size } } else { 0 }
    }

    static func random(depth: Int, _ random: inout SeededRandom) -> RespValue {
        switch Int.random(in: 0...(depth > 0 ? 8 : 5), using: &random) {
        case 0: .string([])
        case 1:
            .string((0..<Int.random(in: 0...20, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
        case 2: .status(Array(random.pick(["OK", "QUEUED", "PONG"]).utf8))
        case 3:
            .error(
                Array(
                    random.pick(["ERR x", "MOVED 1 h:1", "ASK 2 h:2", "OOM", "EXECABORT because of: OOM x", "-"]).utf8))
        case 4: .integer(random.pick([0, -1, 1, .max, .min, 42]))
        case 5: .null
        default:
            .array((0..<Int.random(in: 0...4, using: &random)).map { _ in RespValue.random(depth: depth - 1, &random) })
        }
    }
}
