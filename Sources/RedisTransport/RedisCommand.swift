/// A Redis command, encoded as it is built.
///
/// The arguments are written in their wire form as they are appended, so that sending a command is one copy into the
/// connection's output. Only the leading `*N`, which is not known before the last argument, is written when it is sent.
/// All arguments are length-prefixed: no content of an argument can be taken for another argument.
public struct RedisCommand: Sendable, Hashable {
    /// Everything behind the `*N` line.
    package private(set) var body: [UInt8]
    /// The number of arguments, the command's name included.
    public private(set) var argumentCount: Int

    /// Begins a command of one word, for example `XADD`.
    public init(_ name: StaticString) {
        body = []
        body.reserveCapacity(64)
        argumentCount = 0
        append(name)
    }

    /// A command whose arguments are all text.
    public init(_ name: StaticString, _ arguments: String...) {
        self.init(name)
        for argument in arguments {
            append(argument)
        }
    }

    /// The size on the wire.
    public var byteCount: Int { 1 + Decimal.length(UInt64(argumentCount)) + 2 + body.count }

    /// Makes room for `byteCount` more bytes of arguments.
    public mutating func reserveCapacity(_ byteCount: Int) {
        body.reserveCapacity(body.count + byteCount)
    }

    public mutating func append(_ argument: UnsafeRawBufferPointer) {
        beginArgument(argument.count)
        body.append(contentsOf: argument)
        endArgument()
    }

    public mutating func append(_ argument: [UInt8]) {
        beginArgument(argument.count)
        body.append(contentsOf: argument)
        endArgument()
    }

    public mutating func append(_ argument: ArraySlice<UInt8>) {
        beginArgument(argument.count)
        body.append(contentsOf: argument)
        endArgument()
    }

    public mutating func append(_ argument: String) {
        let bytes = argument.utf8
        beginArgument(bytes.count)
        body.append(contentsOf: bytes)
        endArgument()
    }

    public mutating func append(_ argument: StaticString) {
        if argument.hasPointerRepresentation {
            argument.withUTF8Buffer { append(UnsafeRawBufferPointer($0)) }
        } else {
            append(String(describing: argument))
        }
    }

    /// Appends a number in decimal.
    public mutating func append(_ argument: some BinaryInteger) {
        if let value = Int64(exactly: argument) {
            let length = Decimal.length(value.magnitude)
            beginArgument(value < 0 ? length + 1 : length)
            if value < 0 { body.append(UInt8(ascii: "-")) }
            Decimal.write(value.magnitude) { body.append(contentsOf: $0) }
            endArgument()
        } else {
            append(String(argument))
        }
    }

    private mutating func beginArgument(_ length: Int) {
        argumentCount += 1
        body.append(UInt8(ascii: "$"))
        Decimal.write(UInt64(length)) { body.append(contentsOf: $0) }
        endArgument()
    }

    private mutating func endArgument() {
        body.append(UInt8(ascii: "\r"))
        body.append(UInt8(ascii: "\n"))
    }
}

extension RedisCommand: CustomStringConvertible, CustomDebugStringConvertible {
    /// Sizes only: arguments can be passwords and payloads.
    public var description: String { "RedisCommand(\(argumentCount) arguments, \(byteCount) bytes)" }
    public var debugDescription: String { description }
}

/// Decimal digits without a `String`.
enum Decimal {
    static func length(_ value: UInt64) -> Int {
        var length = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            length += 1
        }
        return length
    }

    /// Calls `body` once with the digits of `value`.
    static func write(_ value: UInt64, _ body: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var start = 20
            var rest = value
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            body(UnsafeRawBufferPointer(rebasing: digits[start..<20]))
        }
    }
}
