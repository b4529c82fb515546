import NIOCore
import NIOPosix
import RedisTransport
import Synchronization

/// A server that says what a test wants, on a free port.
final class FakeServer: Sendable {
    enum Answer: Sendable {
        case reply(String)
        case replyAndClose(String)
        case silence
        case close
        /// Reads nothing more from this connection.
        case stopReading
    }

    /// Decides on what has arrived on the connection of that number, from 0.
    typealias Script = @Sendable (_ connection: Int, _ received: String) -> Answer

    private let channel: any Channel
    private let accepted: Counter

    final class Counter: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }
        func next() -> Int {
            count.withLock {
                $0 += 1; return $0 - 1
            }
        }
    }

    private init(channel: any Channel, accepted: Counter) {
        self.channel = channel
        self.accepted = accepted
    }

    static func run<R: Sendable>(_ script: @escaping Script, _ body: (FakeServer) async throws -> R) async throws -> R {
        let accepted = Counter()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(number: accepted.next(), script: script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = FakeServer(channel: channel, accepted: accepted)
        do {
            let result = try await body(server)
            try await channel.close()
            return result
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    var endpoint: RedisEndpoint {
        RedisEndpoint(address: .tcp(host: "127.0.0.1", port: channel.localAddress?.port ?? 0))
    }

    var connections: Int { accepted.value }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let number: Int
        private let script: Script

        init(number: Int, script: @escaping Script) {
            self.number = number
            self.script = script
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch script(number, String(buffer: unwrapInboundIn(data))) {
            case .reply(let text):
                context.channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
            case .replyAndClose(let text):
                context.channel.writeAndFlush(ByteBuffer(string: text)).assumeIsolated().whenComplete { _ in
                    context.close(promise: nil)
                }
            case .silence:
                break
            case .close:
                context.close(promise: nil)
            case .stopReading:
                context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
