import CHiredis

/// A value within a reply; it keeps the reply alive and is read in place.
///
/// No accessor traps, whatever the server sent: what is not of the kind that was asked for is nil, and an element
/// beyond an array's end is a null.
///
/// Sendable for the same reason as ``RedisReply``, which it holds and into whose immutable tree it points.
public struct RedisValue: @unchecked Sendable {
    public enum Kind: Sendable, Hashable {
        case string, status, integer, null, array, error
    }

    let reply: RedisReply
    let node: UnsafeMutablePointer<redisReply>?

    init(reply: RedisReply, node: UnsafeMutablePointer<redisReply>?) {
        self.reply = reply
        self.node = node
    }

    public var kind: Kind {
        switch node?.pointee.type {
        case REDIS_REPLY_STRING: .string
        case REDIS_REPLY_STATUS: .status
        case REDIS_REPLY_INTEGER: .integer
        case REDIS_REPLY_ARRAY: .array
        case REDIS_REPLY_ERROR: .error
        default: .null
        }
    }

    public var isNull: Bool { kind == .null }

    /// The number of an integer reply. Text that looks like a number is not converted.
    public var integer: Int64? {
        guard let node, node.pointee.type == REDIS_REPLY_INTEGER else { return nil }
        return node.pointee.integer
    }

    /// A copy of a string or status, with what is not UTF-8 in it repaired.
    public var string: String? {
        guard kind == .string || kind == .status, let bytes = unsafeBytes else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A copy of a string or status.
    public var bytes: [UInt8]? {
        guard kind == .string || kind == .status, let bytes = unsafeBytes else { return nil }
        return [UInt8](bytes)
    }

    /// Calls `body` with the bytes of a string, status or error, without a copy; nil for other kinds.
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R? {
        guard let bytes = unsafeBytes else { return nil }
        return try withExtendedLifetime(reply) { try body(bytes) }
    }

    /// The bytes of a string, status or error, in place.
    ///
    /// - Important: Valid only as long as the ``RedisReply`` lives. Hold it with `withExtendedLifetime`, a value alone
    ///   may be released after its last use.
    public var unsafeBytes: UnsafeRawBufferPointer? {
        guard let node, let text = node.pointee.str else { return nil }
        switch node.pointee.type {
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS, REDIS_REPLY_ERROR:
            return UnsafeRawBufferPointer(start: text, count: node.pointee.len)
        default:
            return nil
        }
    }

    /// The number of elements of an array, 0 for other kinds.
    public var count: Int {
        guard let node, node.pointee.type == REDIS_REPLY_ARRAY else { return 0 }
        return node.pointee.elements
    }

    /// An element of an array; a null where there is none.
    public subscript(_ index: Int) -> RedisValue {
        guard let node, index >= 0, index < count, let elements = node.pointee.element else {
            return RedisValue(reply: reply, node: nil)
        }
        return RedisValue(reply: reply, node: elements[index])
    }

    /// The server's error, where this is one: the whole reply, or an element of EXEC's array.
    public var error: RedisError? {
        guard let node, node.pointee.type == REDIS_REPLY_ERROR, let bytes = unsafeBytes else { return nil }
        return withExtendedLifetime(reply) { RedisError(serverText: bytes) }
    }
}
