/// A place in a text, as editors count: lines from 1, and in the line Unicode scalars from 1.
public struct TextPosition: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static let start = TextPosition(line: 1, column: 1)

    public var description: String { "\(line):\(column)" }

    public static func < (left: TextPosition, right: TextPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// Turns byte offsets into positions, going forward only, so that a whole file costs one pass.
package struct TextCursor {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var offset = 0
    private var position = TextPosition.start

    package init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// - Parameter target: not before the offset of the last call.
    package mutating func position(at target: Int) -> TextPosition {
        while offset < min(target, bytes.count) {
            let byte = bytes[offset]
            offset += 1
            if byte == 0x0a || (byte == 0x0d && !(offset < bytes.count && bytes[offset] == 0x0a)) {
                position = TextPosition(line: position.line + 1, column: 1)
            } else if byte & 0xc0 != 0x80 {
                position.column += 1
            }
        }
        return position
    }
}
