/// How connections are made, and their bounds.
public struct ConnectionOptions: Sendable {
    /// For a whole attempt: name lookup, TCP, TLS, and the first commands (AUTH, SELECT, CLIENT SETNAME, PING).
    public var connectTimeout: Duration = .seconds(5)
    /// How long a command may wait for its reply before the connection is given up.
    public var replyTimeout: Duration = .seconds(10)
    /// What a blocking command may take beyond the time that it asked to block.
    public var blockingMargin: Duration = .seconds(3)
    /// The largest reply, all its elements and headers together.
    public var maxReplyBytes: Int = 64 << 20
    /// The most elements of one reply, those of nested arrays included.
    public var maxReplyElements: Int = 1_000_000
    /// How deep arrays may be nested. hiredis can do 8.
    public var maxDepth: Int = 7
    /// The most replies that may be outstanding; a command beyond is refused with `backlogFull`.
    public var maxPendingReplies: Int = 1_000_000
    /// The most bytes that may wait to be sent; a command beyond is refused with `backlogFull`.
    public var maxUnsentBytes: Int = 256 << 20
    /// The connection's name at the server (CLIENT SETNAME), without spaces. A server that forbids naming is no error.
    public var name: String?

    public init(
        connectTimeout: Duration = .seconds(5),
        replyTimeout: Duration = .seconds(10),
        name: String? = nil
    ) {
        self.connectTimeout = connectTimeout
        self.replyTimeout = replyTimeout
        self.name = name
    }
}
