import CHiredis

/// One reply of the server: the tree that hiredis parsed, owned, read in place, freed with the last reference.
///
/// Sendable although it holds a pointer to C memory: the tree is complete when this object is made, nobody writes to it
/// afterwards (neither hiredis, whose reader has given it away, nor any method here), and it is freed in `deinit`,
/// when no reference is left. Immutable memory can be read from any thread.
public final class RedisReply: @unchecked Sendable {
    let root: UnsafeMutablePointer<redisReply>

    /// Takes over a reply that `redisReaderGetReply` has handed out.
    init(owning root: UnsafeMutablePointer<redisReply>) {
        self.root = root
    }

    deinit {
        freeReplyObject(root)
    }

    /// The reply's outermost value.
    public var value: RedisValue { RedisValue(reply: self, node: root) }

    var isError: Bool { root.pointee.type == REDIS_REPLY_ERROR }
}

extension RedisReply: CustomStringConvertible {
    /// Kind and size only: replies carry payloads.
    public var description: String { "RedisReply(\(value.kind), \(value.count) elements)" }
}
