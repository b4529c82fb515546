import RedisTransport
import Testing

@Suite struct RedisValueTests {
    private static func value(_ value: RESPValue) throws -> RedisValue {
        try #require(try ReplyParser.parse(value.encoded()).replies.first).value
    }

    @Test func accessorsGiveNilForOtherKinds() throws {
        let integer = try Self.value(.integer(5))
        #expect(integer.integer == 5)
        #expect(integer.string == nil)
        #expect(integer.bytes == nil)
        #expect(integer.error == nil)
        #expect(integer.unsafeBytes == nil)
        #expect(integer.count == 0)
        let string = try Self.value(.string(Array("5".utf8)))
        #expect(string.integer == nil)
        #expect(string.string == "5")
        #expect(string.withUnsafeBytes { $0.count } == 1)
        let error = try Self.value(.error("ERR x"))
        #expect(error.string == nil)
        #expect(error.withUnsafeBytes { $0.count } == 5)
        #expect(error.error?.message == "ERR x")
    }

    @Test func elementsThatAreNotThereAreNull() throws {
        let array = try Self.value(.array([.integer(1)]))
        #expect(array[0].integer == 1)
        for index in [-1, 1, Int.max, Int.min] {
            #expect(array[index].isNull)
        }
        #expect(array[1][7].isNull)
        #expect(array[0][0].isNull)
    }

    @Test func valuesKeepTheirReplyAlive() throws {
        let element = try Self.value(.array([.array([.string(Array("deep".utf8))])]))[0][0]
        #expect(element.string == "deep")
    }

    @Test func textThatIsNotUTF8IsRepairedAndItsBytesAreKept() throws {
        let value = try Self.value(.string([0xFF, 0x00, 0x41]))
        #expect(value.string == "\u{FFFD}\u{0}A")
        #expect(value.bytes == [0xFF, 0x00, 0x41])
    }
}
