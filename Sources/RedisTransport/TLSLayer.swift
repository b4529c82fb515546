#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import NIOCore
import NIOPosix
import NIOSSL

/// TLS for one attempt to connect: what the files say, and the server that has to prove that it is this host.
struct TLSLayer: Sendable {
    let settings: RedisTLS
    let host: String
    private let context: NIOSSLContext

    /// Reads the files, off the event loop; nil where the endpoint asks for no TLS.
    static func prepare(_ endpoint: RedisEndpoint, on eventLoop: any EventLoop) -> EventLoopFuture<TLSLayer?> {
        guard let settings = endpoint.tls else { return eventLoop.makeSucceededFuture(nil) }
        return NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
            try TLSLayer(settings, endpoint.address)
        }
    }

    private init(_ settings: RedisTLS, _ address: RedisEndpoint.Address) throws(RedisError) {
        guard case .tcp(let host, _) = address else { throw .tlsFailed("a Unix socket has no TLS") }
        if let name = settings.serverName, name.isEmpty || name.isIPAddress {
            throw .tlsFailed("the server name must be a DNS name; an IP address is the host of the URL")
        }
        self.settings = settings
        self.host = settings.serverName ?? host
        context = try Self.context(settings)
    }

    /// Puts TLS between the socket and what is added to the channel later: call on its event loop.
    func protect(_ channel: any Channel) throws {
        // NIOSSL takes no IP address for a name; without a name it compares the peer's address.
        let handler = try NIOSSLClientHandler(context: context, serverHostname: host.isIPAddress ? nil : host)
        try channel.pipeline.syncOperations.addHandlers([handler, TLSFailureHandler(of: handler, layer: self)])
    }

    private static func context(_ settings: RedisTLS) throws(RedisError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        // How long a server that does not answer may keep the socket of a closed connection.
        configuration.shutdownTimeout = .seconds(1)
        if let file = settings.authorityFile {
            let what = "the CA file \(file)"
            configuration.trustRoots = .certificates(try read(file, what) { try NIOSSLCertificate.fromPEMFile($0) })
        }
        switch (settings.certificateFile, settings.keyFile) {
        case (nil, nil): break
        case (let certificate?, let key?):
            let chain = try read(certificate, "the certificate file \(certificate)") {
                try NIOSSLCertificate.fromPEMFile($0)
            }
            configuration.certificateChain = chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(
                try read(key, "the key file \(key)") { try NIOSSLPrivateKey(file: $0, format: .pem) })
        case (_?, nil): throw .tlsFailed("a client certificate is given without its key")
        case (nil, _?): throw .tlsFailed("a client's key is given without its certificate")
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            guard settings.keyFile != nil else { throw .tlsFailed("TLS cannot be set up: \(error)") }
            throw .tlsFailed("the client's key does not belong to its certificate, or one of the two is unfit for TLS")
        }
    }

    private static func read<Content>(
        _ path: String, _ what: String, _ body: (String) throws -> Content
    ) throws(RedisError) -> Content {
        guard access(path, R_OK) == 0 else {
            throw .tlsFailed("\(what) cannot be read: \(String(cString: strerror(errno)))")
        }
        do {
            return try body(path)
        } catch {
            throw .tlsFailed("\(what) holds no PEM of that kind, or one with a passphrase")
        }
    }
}

extension String {
    fileprivate var isIPAddress: Bool {
        var four = in_addr()
        var six = in6_addr()
        return inet_pton(AF_INET, self, &four) == 1 || inet_pton(AF_INET6, self, &six) == 1
    }
}

extension RedisError {
    static func tlsFailed(_ message: String) -> RedisError {
        RedisError(code: .tlsFailed, message: message, effect: .notApplied)
    }
}
