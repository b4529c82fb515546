#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
public import NIOCore
public import NIOPosix

extension RedisConnection {
    /// Connects, authenticates, selects the database, names the connection and makes sure that the server answers.
    ///
    /// A server that is still loading its data, or busy with a script, is no success: `loading`, `busy`.
    public static func connect(
        to endpoint: RedisEndpoint,
        options: ConnectionOptions = ConnectionOptions(),
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws(RedisError) -> RedisConnection {
        let slot = OneShot<Result<RedisConnection, RedisError>>()
        open(endpoint, options: options, on: group.any()) { slot.complete($0) }
        guard let result = await slot.get() else {
            throw RedisError(code: .cancelled, message: "cancelled while connecting", effect: .notApplied)
        }
        return try result.get()
    }

    /// Calls `done` once, on the event loop. If nobody keeps the connection, it closes.
    ///
    /// Of several nodes, this is to the master that the sentinels name, or to any node of a cluster.
    static func open(
        _ endpoint: RedisEndpoint, options: ConnectionOptions, on eventLoop: any EventLoop,
        done: @escaping @Sendable (Result<RedisConnection, RedisError>) -> Void
    ) {
        switch endpoint.address {
        case .tcp, .unix:
            openServer(endpoint, options: options, on: eventLoop, done: done)
        case .sentinel(let sentinels, let master):
            MasterFinder.find(endpoint, options: options, sentinels: sentinels, master: master, on: eventLoop) {
                result in
                switch result {
                case .found(let connection): done(.success(connection))
                case .unchanged: done(.failure(.noConnection))
                case .failed(let error): done(.failure(error))
                }
            }
        case .cluster(let nodes):
            openAny(of: nodes.shuffled()[...], endpoint, options: options, on: eventLoop, done: done)
        }
    }

    /// The first of the nodes that answers.
    private static func openAny(
        of nodes: ArraySlice<RedisNode>, _ endpoint: RedisEndpoint, options: ConnectionOptions,
        on eventLoop: any EventLoop, done: @escaping @Sendable (Result<RedisConnection, RedisError>) -> Void
    ) {
        guard let node = nodes.first else { return done(.failure(.connectFailed("the URL names no node"))) }
        openServer(endpoint.server(node), options: options, on: eventLoop) { result in
            guard case .failure(let error) = result, error.isTransient, nodes.count > 1 else { return done(result) }
            openAny(of: nodes.dropFirst(), endpoint, options: options, on: eventLoop, done: done)
        }
    }

    /// Connects to one server.
    static func openServer(
        _ endpoint: RedisEndpoint, options: ConnectionOptions, on eventLoop: any EventLoop,
        done: @escaping @Sendable (Result<RedisConnection, RedisError>) -> Void
    ) {
        let deadline = eventLoop.now + TimeAmount(bounded: options.connectTimeout)
        TLSLayer.prepare(endpoint, on: eventLoop).flatMap { tls in
            bootstrap(options, tls, on: eventLoop).connect(to: endpoint.address)
        }.flatMapThrowing { channel in
            try channel.pipeline.syncOperations.handler(type: ConnectionHandler.self).core
        }.whenComplete { result in
            switch result {
            case .success(let core):
                let connection = RedisConnection(core: core, options: options, address: endpoint.address)
                connection.shakeHands(endpoint, until: deadline, done: done)
            case .failure(let error):
                let code = (error as? RedisError)?.code ?? .connectFailed
                let message = "no connection to \(endpoint.redacted): \(Self.reason(of: error))"
                done(.failure(RedisError(code: code, message: message, effect: .notApplied)))
            }
        }
    }

    private static func reason(of error: any Error) -> String {
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
        guard let error = error as? NIOConnectionError else { return "\(error)" }
        if let failure = error.connectionErrors.first { return reason(of: failure.error) }
        if let failure = error.dnsAError ?? error.dnsAAAAError { return "the name cannot be resolved: \(failure)" }
        return "\(error)"
    }

    private static func bootstrap(
        _ options: ConnectionOptions, _ tls: TLSLayer?, on eventLoop: any EventLoop
    ) -> ClientBootstrap {
        ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(bounded: options.connectTimeout))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 16_384, maximum: 262_144)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try tls?.protect(channel)
                    _ = try ConnectionCore.attach(to: channel, options: options)
                }
            }
    }

    private func shakeHands(
        _ endpoint: RedisEndpoint, until deadline: NIODeadline,
        done: @escaping @Sendable (Result<RedisConnection, RedisError>) -> Void
    ) {
        let handshake = Handshake(endpoint: endpoint, name: options.name)
        let batch = ReplyBatch(count: handshake.commands.count) { outcomes in
            if let error = handshake.error(in: outcomes) {
                self.core.close(error)
                done(.failure(error))
            } else {
                done(.success(self))
            }
        }
        let left = deadline - core.channel.eventLoop.now
        core.submit(
            handshake.commands, to: .batch(batch), timeout: .nanoseconds(max(left, .milliseconds(1)).nanoseconds))
    }
}

extension ClientBootstrap {
    fileprivate func connect(to address: RedisEndpoint.Address) -> EventLoopFuture<any Channel> {
        switch address {
        case .tcp(let host, let port): connect(host: host, port: port)
        case .unix(let path): connect(unixDomainSocketPath: path)
        case .sentinel, .cluster: preconditionFailure("one server is connected to, not \(address)")
        }
    }
}

extension RedisError {
    static func connectFailed(_ message: String) -> RedisError {
        RedisError(code: .connectFailed, message: message, effect: .notApplied)
    }
}
