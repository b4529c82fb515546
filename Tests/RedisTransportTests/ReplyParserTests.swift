import RedisTransport
import Testing

@Suite struct ReplyParserTests {
    private static let small: ConnectionOptions = {
        var options = ConnectionOptions()
        options.maxReplyBytes = 1000
        options.maxReplyElements = 50
        options.maxDepth = 3
        return options
    }()

    private static func failure(_ text: String, _ options: ConnectionOptions = ConnectionOptions()) throws -> RedisError
        .Code?
    {
        try ReplyParser.parse(Array(text.utf8), options: options).failure?.code
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func repliesAreReadWhereverTheInputIsCut(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let values = (0..<Int.random(in: 1...30, using: &random)).map { _ in RESPValue.random(depth: 5, using: &random)
        }
        let input = values.flatMap { $0.encoded(usingNullArray: Bool.random(using: &random)) }
        var pieces: [ArraySlice<UInt8>] = []
        var rest = input[...]
        while !rest.isEmpty {
            let longest = [1, 3, 100, 5000, 100_000].randomElement(using: &random) ?? 1
            pieces.append(rest.prefix(Int.random(in: 1...longest, using: &random)))
            rest = rest.dropFirst(pieces.last?.count ?? 1)
        }
        let (replies, failure) = try ReplyParser.parse(pieces)
        #expect(failure == nil)
        #expect(replies.map { RESPValue($0.value) } == values)
    }

    @Test func everyCutOfAReplyGivesTheSame() throws {
        let value = RESPValue.array([
            .integer(-7), .string(Array("ab\r\n".utf8)), .null, .array([]), .status("OK"),
            .array([.error("ERR x"), .string([])]),
        ])
        let input = value.encoded()
        for cut in 0...input.count {
            let (replies, failure) = try ReplyParser.parse([input[..<cut], input[cut...]])
            #expect(failure == nil)
            #expect(replies.map { RESPValue($0.value) } == [value])
        }
        let (replies, _) = try ReplyParser.parse(input.indices.map { input[$0...$0] })
        #expect(replies.map { RESPValue($0.value) } == [value])
    }

    @Test(arguments: [
        "\r\n", "x\r\n", "%1\r\n", "_\r\n", "HTTP/1.1 400 Bad Request\r\n", "+a\n", "+a\rb", ":\r\n", ":-\r\n",
        ":1x\r\n",
        ":1\rx", ":--1\r\n", ":1-\r\n", ":+1\r\n", ": 1\r\n", ":9223372036854775808\r\n", ":-9223372036854775809\r\n",
        ":99999999999999999999999\r\n", "$\r\n", "$-2\r\n", "$x\r\n", "$1\r\nabc", "$0\r\nxx", "$1\r\na\rx",
        "$3\r\nabc\n\r",
        "*-2\r\n", "*\r\n", "*1\r\nx", "*0001\r\n:x", "$000000000000000000000001\r\na\r\n",
    ])
    func whatIsNotRESPIsAProtocolViolation(text: String) throws {
        #expect(try Self.failure(text) == .protocolViolation)
        #expect(try Self.failure(":1\r\n" + text) == .protocolViolation)
    }

    @Test(arguments: [
        "*2147483647\r\n", "*1000001\r\n", "*9223372036854775807\r\n", "*18446744073709551615\r\n",
        "$9223372036854775807\r\n",
        "$67108865\r\n", "$18446744073709551615\r\n", "*2\r\n*999999\r\n", "*1\r\n*2147483647\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
    ])
    func headersBeyondTheBoundsAreRefusedBeforeMemoryIsTaken(text: String) throws {
        #expect(try Self.failure(text) == .replyTooLarge)
    }

    @Test func boundsAreExact() throws {
        // Bytes of the whole reply: header, body and line ends.
        #expect(try Self.failure("$992\r\n", Self.small) == nil)
        #expect(try Self.failure("$993\r\n", Self.small) == .replyTooLarge)
        #expect(
            try Self.failure("*2\r\n$900\r\n" + String(repeating: "x", count: 900) + "\r\n$90\r\n", Self.small)
                == .replyTooLarge)
        #expect(try Self.failure("*50\r\n", Self.small) == nil)
        #expect(try Self.failure("*51\r\n", Self.small) == .replyTooLarge)
        #expect(try Self.failure("*25\r\n*25\r\n", Self.small) == nil)
        #expect(try Self.failure("*25\r\n*26\r\n", Self.small) == .replyTooLarge)
        #expect(try Self.failure("*1\r\n*1\r\n*0\r\n", Self.small) == nil)
        #expect(try Self.failure("*1\r\n*1\r\n*1\r\n*0\r\n", Self.small) == .replyTooLarge)
    }

    @Test func boundsHoldForEachReplyAlone() throws {
        let value = RESPValue.array((0..<45).map { .integer($0) })
        let (replies, failure) = try ReplyParser.parse(
            Array(repeatElement(value.encoded(), count: 100).joined()), options: Self.small)
        #expect(failure == nil)
        #expect(replies.count == 100)
    }

    @Test func manySmallElementsCannotExceedTheBytes() throws {
        var options = Self.small
        options.maxReplyElements = 1000
        let text = "*900\r\n" + String(repeating: ":1\r\n", count: 900)
        #expect(try Self.failure(text, options) == .replyTooLarge)
    }

    @Test func boundsHoldForRepliesInPieces() throws {
        let text = "*9\r\n" + String(repeating: "$120\r\n" + String(repeating: "x", count: 120) + "\r\n", count: 9)
        let pieces = Array(text.utf8).map { [$0][...] }
        let (replies, failure) = try ReplyParser.parse(pieces, options: Self.small)
        #expect(replies.isEmpty)
        #expect(failure?.code == .replyTooLarge)
    }

    @Test func endlessLinesAreRefused() throws {
        var parser = try ReplyParser.make()
        var replies: [RedisReply] = []
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 10_000)
        _ = [UInt8(ascii: "+")].withUnsafeBytes { parser.parse($0, into: &replies) }
        var failure: RedisError?
        for _ in 0..<7 where failure == nil {
            failure = piece.withUnsafeBytes { parser.parse($0, into: &replies) }
        }
        #expect(failure?.code == .replyTooLarge)
    }

    @Test func absurdOptionsDoNotTrap() throws {
        var options = ConnectionOptions()
        for bound in [Int.max, 0, -1, Int.min] {
            options.maxReplyBytes = bound
            options.maxReplyElements = bound
            options.maxDepth = bound
            for text in [
                "+OK\r\n", "$5\r\nhello\r\n", "*2\r\n:1\r\n:2\r\n", "*18446744073709551615\r\n",
                "$18446744073709551615\r\n",
            ] {
                _ = try Self.failure(text, options)
            }
        }
    }

    @Test func repliesBeforeAViolationAreDelivered() throws {
        let (replies, failure) = try ReplyParser.parse(Array(":1\r\n:2\r\n*1\r\n:3\r\n*1\r\n?".utf8))
        #expect(replies.map { RESPValue($0.value) } == [.integer(1), .integer(2), .array([.integer(3)])])
        #expect(failure?.code == .protocolViolation)
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func damagedRepliesNeverTrap(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            var input = (0..<4).flatMap { _ in RESPValue.random(depth: 4, using: &random).encoded() }
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: 0..<input.count, using: &random)
                switch Int.random(in: 0...3, using: &random) {
                case 0: input[index] = UInt8.random(in: 0...255, using: &random)
                case 1: input[index] = Array("*$:-+\r\n0192".utf8).randomElement(using: &random) ?? 0
                case 2: input.remove(at: index)
                default: input.insert(Array("*$:-\r\n9".utf8).randomElement(using: &random) ?? 0, at: index)
                }
                if input.isEmpty { input = [0] }
            }
            let cut = Int.random(in: 0...input.count, using: &random)
            for reply in try ReplyParser.parse([input[..<cut], input[cut...]]).replies {
                _ = RESPValue(reply.value)
            }
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func noiseNeverTraps(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("*$:+-\r\n0123456789x".utf8)
        for _ in 0..<100 {
            let input = (0..<Int.random(in: 1...60, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            for reply in try ReplyParser.parse(input).replies {
                _ = RESPValue(reply.value)
            }
        }
    }
}
