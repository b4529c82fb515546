import NIOCore

/// The end of the channel's pipeline: bytes in, replies out to the core.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    let core: ConnectionCore
    private var parser: ReplyParser
    private var replies: [RedisReply] = []
    private var sinks: [ReplySink] = []

    init(core: ConnectionCore, parser: consuming ReplyParser) {
        self.core = core
        self.parser = parser
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        let failure = buffer.withUnsafeReadableBytes { parser.parse($0, into: &replies) }
        core.received(replies, &sinks)
        replies.removeAll(keepingCapacity: true)
        if let failure { core.close(failure) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { core.flush() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Those of TLS are in plain words already.
        let reason =
            error as? RedisError
            ?? RedisError(code: .connectionClosed, message: "the connection failed: \(error)", effect: .indeterminate)
        core.close(reason)
    }

    func channelInactive(context: ChannelHandlerContext) {
        core.close(
            RedisError(code: .connectionClosed, message: "the server closed the connection", effect: .indeterminate))
        context.fireChannelInactive()
    }
}
