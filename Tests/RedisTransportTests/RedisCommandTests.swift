import CHiredis
import NIOCore
import RedisTransport
import Testing

@Suite struct RedisCommandTests {
    /// What goes out on the wire.
    private static func wire(_ command: RedisCommand) -> [UInt8] {
        var machine = ConnectionMachine<Int>(maxPendingReplies: 10, maxUnsentBytes: .max)
        _ = machine.submit([command], waiter: 0, timeout: .seconds(1))
        guard case .write(let output, _) = machine.flush(isWritable: true, now: .now()) else { return [] }
        return Array(output.readableBytesView)
    }

    private static func hiredis(_ arguments: [[UInt8]]) -> [UInt8] {
        var pointers: [UnsafePointer<CChar>?] = []
        let joined = Array(arguments.joined()) + [0]
        return joined.withUnsafeBytes { bytes in
            var offset = 0
            for argument in arguments {
                pointers.append(bytes.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self))
                offset += argument.count
            }
            var target: UnsafeMutablePointer<CChar>?
            let length = redisFormatCommandArgv(&target, Int32(arguments.count), &pointers, arguments.map(\.count))
            defer { redisFreeCommand(target) }
            return Array(UnsafeRawBufferPointer(start: target, count: Int(length)))
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func encodingIsThatOfHiredis(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            var command = RedisCommand("ECHO")
            var arguments = [Array("ECHO".utf8)]
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let bytes = random.bytes(upTo: 300)
                switch Int.random(in: 0...3, using: &random) {
                case 0:
                    command.append(bytes)
                    arguments.append(bytes)
                case 1:
                    command.append(bytes.dropFirst(3))
                    arguments.append(Array(bytes.dropFirst(3)))
                case 2:
                    bytes.withUnsafeBytes { command.append($0) }
                    arguments.append(bytes)
                default:
                    let text = String(decoding: bytes, as: UTF8.self)
                    command.append(text)
                    arguments.append(Array(text.utf8))
                }
            }
            let wire = Self.wire(command)
            #expect(wire == Self.hiredis(arguments))
            #expect(command.byteCount == wire.count)
            #expect(command.argumentCount == arguments.count)
        }
    }

    @Test func numbersOfAllSizesAreWrittenInDecimal() {
        var command = RedisCommand("X")
        var expected = [Array("X".utf8)]
        func add(_ number: some BinaryInteger) {
            command.append(number)
            expected.append(Array(String(number).utf8))
        }
        for number in [0, 1, 9, 10, 99, 100, 1_234_567, Int.max, -1, -10, Int.min] { add(number) }
        add(UInt64.max)
        add(UInt8.max)
        add(Int8.min)
        add(UInt128.max)
        add(Int128.min)
        #expect(Self.wire(command) == Self.hiredis(expected))
    }

    @Test func staticStringsOfBothKindsAreWritten() {
        var command = RedisCommand("A")
        command.append("long enough to be a pointer" as StaticString)
        command.append("é" as StaticString)
        #expect(Self.wire(command) == Self.hiredis(["A", "long enough to be a pointer", "é"].map { Array($0.utf8) }))
    }

    @Test func descriptionShowsNoArgument() {
        let command = RedisCommand("AUTH", "secret")
        #expect(!"\(command)".contains("secret"))
        #expect(!String(reflecting: command).contains("secret"))
    }
}
