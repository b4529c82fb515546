import NIOCore
import NIOPosix
import Synchronization

/// A network between a client and a server on this machine, with faults on demand.
///
/// It listens on a free port of 127.0.0.1 and passes bytes to and from its target. Faults come at any time, and hold for
/// connections that are there and for those that are made later.
public final class TCPProxy: Sendable {
    public enum Mode: Sendable, Hashable {
        /// Bytes go both ways.
        case pass
        /// Bytes go both ways, in their order, this much later.
        case delay(Duration)
        /// Connections stay open, and nothing comes through, not even that one end is gone: a partition. A connection that
        /// lost bytes so is never whole again and passes nothing more, also when the mode changes; those made afterwards do.
        case drop
        /// Connections are closed, and new ones as soon as they are made.
        case cut
        /// Of what the server says, this many more bytes come through on each connection; then both ends are closed. What
        /// was asked is done, and the answer is lost, or breaks off.
        case cutReplies(after: Int)
    }

    private let listener: any Channel
    private let network: Network

    private init(listener: any Channel, network: Network) {
        self.listener = listener
        self.network = network
    }

    /// Starts a proxy, and returns when it listens. The target need not be there yet.
    public static func start(to port: Int, host: String = "127.0.0.1") async throws -> TCPProxy {
        let network = Network(host: host, port: port)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NearEnd(network))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TCPProxy(listener: listener, network: network)
    }

    /// Where clients connect.
    public var port: Int { listener.localAddress?.port ?? 0 }

    public var mode: Mode { network.mode }

    public func setMode(_ mode: Mode) { network.setMode(mode) }

    /// Lets connections that are made from now on lead to another port; those that are open stay where they are.
    public func setTarget(_ port: Int) { network.setTarget(port) }

    /// Closes what is open now; connections made afterwards go by the mode.
    public func closeConnections() { network.closeAll() }

    /// Connections of clients that are open now.
    public var connectionCount: Int { network.connectionCount }

    /// Connections that clients have made so far, whatever became of them.
    public var acceptedCount: Int { network.acceptedCount }

    /// Closes everything.
    public func stop() async {
        // Closed already: nothing is left to do.
        try? await listener.close()
        network.setMode(.cut)
    }
}

/// What all connections of a proxy share.
private final class Network: Sendable {
    private struct State {
        var mode = TCPProxy.Mode.pass
        var accepted = 0
        var port: Int
        var near: [ObjectIdentifier: any Channel] = [:]
        var far: [ObjectIdentifier: any Channel] = [:]
    }

    let host: String
    private let state: Mutex<State>

    init(host: String, port: Int) {
        self.host = host
        state = Mutex(State(port: port))
    }

    var port: Int { state.withLock { $0.port } }

    func setTarget(_ port: Int) { state.withLock { $0.port = port } }

    var mode: TCPProxy.Mode { state.withLock { $0.mode } }

    var connectionCount: Int { state.withLock { $0.near.count } }

    var acceptedCount: Int { state.withLock { $0.accepted } }

    func setMode(_ mode: TCPProxy.Mode) {
        state.withLock { $0.mode = mode }
        if mode == .cut { closeAll() }
    }

    func closeAll() {
        let open = state.withLock { Array($0.near.values) + Array($0.far.values) }
        for channel in open { channel.close(promise: nil) }
    }

    func add(near channel: any Channel) {
        state.withLock { state in
            state.accepted += 1
            state.near[ObjectIdentifier(channel)] = channel
        }
        channel.closeFuture.whenComplete { _ in
            _ = self.state.withLock { $0.near.removeValue(forKey: ObjectIdentifier(channel)) }
        }
    }

    func add(far channel: any Channel) {
        state.withLock { $0.far[ObjectIdentifier(channel)] = channel }
        channel.closeFuture.whenComplete { _ in
            _ = self.state.withLock { $0.far.removeValue(forKey: ObjectIdentifier(channel)) }
        }
    }
}

/// A connection: its two ends, on one event loop.
private final class Link: Sendable {
    let network: Network
    private let hasLost = Mutex(false)
    /// Bytes of answers that came through since they are counted.
    private let answered = Mutex(0)

    init(_ network: Network) {
        self.network = network
    }

    /// How many of these bytes of the server still come through; nil where that isn't limited.
    func allowance(of count: Int) -> Int? {
        guard case .cutReplies(let limit) = network.mode else { return nil }
        return answered.withLock { answered in
            let allowed = min(count, max(0, limit - answered))
            answered += count
            return allowed == count && answered < limit ? nil : allowed
        }
    }

    /// Whether bytes were lost: then no more may come.
    var isBroken: Bool { hasLost.withLock { $0 } }

    func lose() { hasLost.withLock { $0 = true } }
}

/// One direction of a link: takes what one end says to the other.
private final class Direction {
    private let link: Link
    private let target: any Channel
    /// When the last chunk arrives: none may overtake it.
    private var last = NIODeadline.uptimeNanoseconds(0)

    init(_ link: Link, to target: any Channel) {
        self.link = link
        self.target = target
    }

    func carry(_ bytes: ByteBuffer) {
        if link.network.mode == .drop { link.lose() }
        guard !link.isBroken else { return }
        deliver { target in target.writeAndFlush(bytes, promise: nil) }
    }

    func close() {
        guard link.network.mode != .drop, !link.isBroken else { return }
        deliver { target in target.close(promise: nil) }
    }

    private func deliver(_ body: @escaping @Sendable (any Channel) -> Void) {
        var arrival = NIODeadline.now()
        if case .delay(let span) = link.network.mode {
            arrival =
                arrival
                + .nanoseconds(span.components.seconds * 1_000_000_000 + span.components.attoseconds / 1_000_000_000)
        }
        arrival = max(arrival, last)
        let target = target
        guard arrival > .now() else { return body(target) }
        last = arrival
        target.eventLoop.scheduleTask(deadline: arrival) { body(target) }
    }
}

/// The client's end: makes the other one.
private final class NearEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let link: Link
    private var outward: Direction?

    init(_ network: Network) {
        link = Link(network)
    }

    func channelActive(context: ChannelHandlerContext) {
        let (near, link) = (context.channel, link)
        link.network.add(near: near)
        switch link.network.mode {
        case .cut: near.close(promise: nil)
        case .drop:
            link.lose()
            read(near)
        case .pass, .delay, .cutReplies:
            ClientBootstrap(group: context.eventLoop)
                .channelInitializer { far in
                    far.eventLoop.makeCompletedFuture {
                        try far.pipeline.syncOperations.addHandler(FarEnd(link, near: near))
                    }
                }
                .connect(host: link.network.host, port: link.network.port)
                .assumeIsolated()
                .whenComplete { result in
                    guard case .success(let far) = result else { return near.close(promise: nil) }
                    link.network.add(far: far)
                    self.outward = Direction(link, to: far)
                    self.read(near)
                }
        }
    }

    private func read(_ channel: any Channel) {
        // Fails where the channel is closed, and then there is nothing to read.
        channel.setOption(.autoRead, value: true).whenFailure { _ in }
        channel.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { outward?.carry(unwrapInboundIn(data)) }

    func channelInactive(context: ChannelHandlerContext) { outward?.close() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// The server's end.
private final class FarEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let link: Link
    private let inward: Direction

    init(_ link: Link, near: any Channel) {
        self.link = link
        inward = Direction(link, to: near)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard let allowed = link.allowance(of: bytes.readableBytes) else { return inward.carry(bytes) }
        inward.carry(bytes.getSlice(at: bytes.readerIndex, length: allowed) ?? ByteBuffer())
        inward.close()
        link.lose()
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { inward.close() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
