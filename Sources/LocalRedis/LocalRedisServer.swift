public import RedisTransport
import Synchronization

/// A `redis-server` as a child process, on a free loopback port, with its data in a directory of its own.
///
/// It listens on 127.0.0.1 and on a Unix socket. The child dies with this process, also when that crashes, where the
/// `setpriv` tool is installed (util-linux, on every Debian); without it, when this process exits in an orderly way,
/// and when the last reference to the server goes. Temporary directories are removed by ``stop()`` only.
public final class LocalRedisServer: Sendable {
    public struct Options: Sendable {
        public enum AppendOnly: Sendable, Hashable {
            /// Nothing is kept across a restart.
            case no
            case everysec
            case always
        }

        /// Where the data and the log go; nil: a temporary directory, removed when the server is stopped.
        public var directory: String?
        public var appendOnly: AppendOnly
        /// Nil: a free one.
        public var port: Int?
        /// Lines for the configuration file, behind those that are written anyway.
        public var extra: [String]
        /// A path, or a name to be found in `PATH`.
        public var binary: String
        /// Nil: plain text on the port. The Unix socket is plain in any case.
        public var tls: TLSFiles?
        /// What follows the configuration file on the command line.
        package var arguments: [String] = []

        public init(
            directory: String? = nil, appendOnly: AppendOnly = .no, port: Int? = nil, extra: [String] = [],
            binary: String = "redis-server"
        ) {
            self.directory = directory
            self.appendOnly = appendOnly
            self.port = port
            self.extra = extra
            self.binary = binary
        }
    }

    /// PEM files of a server that speaks TLS on its port.
    public struct TLSFiles: Sendable, Hashable {
        /// Of those who sign the certificates of clients.
        public var authority: String
        public var certificate: String
        public var key: String
        /// Whether a client has to show a certificate.
        public var demandsCertificate: Bool

        public init(authority: String, certificate: String, key: String, demandsCertificate: Bool = false) {
            self.authority = authority
            self.certificate = certificate
            self.key = key
            self.demandsCertificate = demandsCertificate
        }
    }

    public let port: Int
    public let directory: String
    let layout: ServerLayout
    private let options: Options
    private let child: Mutex<ChildProcess?>

    private init(options: Options, layout: ServerLayout, port: Int, child: ChildProcess) {
        self.options = options
        self.layout = layout
        self.port = port
        directory = layout.directory
        self.child = Mutex(child)
    }

    deinit {
        kill()
    }

    /// Starts a server and returns when it answers.
    public static func start(_ options: Options = Options()) async throws -> LocalRedisServer {
        let binary = try Executable.find(options.binary)
        let layout = try ServerLayout.make(directory: options.directory)
        do {
            return try await start(options, binary, layout)
        } catch {
            layout.removeTemporaryDirectories()
            throw error
        }
    }

    private static func start(
        _ options: Options, _ binary: String, _ layout: ServerLayout
    ) async throws -> LocalRedisServer {
        var attempts = 0
        while true {
            attempts += 1
            let port = try options.port ?? FreePort.find()
            try layout.writeConfiguration(options, port: port)
            let child = try ChildProcess.spawn(
                binary, [layout.configurationFile] + options.arguments, output: layout.outputFile)
            let server = LocalRedisServer(options: options, layout: layout, port: port, child: child)
            do {
                try await server.waitUntilReady()
                return server
            } catch let error as LocalRedisError where error.isPortTaken && options.port == nil && attempts < 10 {
                // Somebody took the port between our look and the server's.
                continue
            }
        }
    }

    /// `redis://127.0.0.1:PORT`, or `rediss://` where the port has TLS.
    public var url: String { "\(options.tls == nil ? "redis" : "rediss")://127.0.0.1:\(port)" }

    /// `unix://PATH`
    public var unixURL: String { "unix://\(layout.socket)" }

    /// For tests and tools that need no URL.
    public var endpoint: RedisEndpoint {
        let tls = options.tls.map { RedisTLS(authorityFile: $0.authority) }
        return RedisEndpoint(address: .tcp(host: "127.0.0.1", port: port), tls: tls)
    }

    /// The child's process id, of the last one if none is running.
    public var processID: Int32 { child.withLock { $0?.processID ?? 0 } }

    public var isRunning: Bool { child.withLock { $0?.isRunning ?? false } }

    /// Shuts the server down in good order, waits for its end, and removes its temporary directory.
    ///
    /// The server may be started again with ``restart()``, then with empty data if the directory was temporary.
    public func stop() async {
        await end()
        layout.removeTemporaryDirectories()
    }

    /// Ends the server at once (SIGKILL), and waits until it is gone. Its directory stays.
    public func kill() {
        child.withLock { $0?.kill() }
    }

    /// Starts the server again, with the same port, directory and options; stops it first if it runs.
    public func restart() async throws {
        await end()
        let binary = try Executable.find(options.binary)
        try layout.createDirectories()
        try layout.writeConfiguration(options, port: port)
        let started = try ChildProcess.spawn(
            binary, [layout.configurationFile] + options.arguments, output: layout.outputFile)
        child.withLock { $0 = started }
        try await waitUntilReady()
    }

    /// Stops the process where it is (SIGSTOP): its sockets stay open and nothing answers.
    public func freeze() {
        child.withLock { $0?.freeze() }
    }

    /// Lets it go on (SIGCONT).
    public func thaw() {
        child.withLock { $0?.thaw() }
    }

    private static let patience = Duration.seconds(15)

    private func end() async {
        child.withLock { $0?.terminate() }
        let deadline = ContinuousClock.now + Self.patience
        while isRunning {
            if ContinuousClock.now >= deadline {
                kill()
                return
            }
            await Pause.short()
        }
    }

    private func waitUntilReady() async throws {
        let deadline = ContinuousClock.now + Self.patience
        var options = ConnectionOptions()
        options.connectTimeout = .seconds(2)
        // The socket file is this server's alone, while another one may hold the port and ours be about to give up.
        let own = RedisEndpoint(address: .unix(path: layout.socket))
        while true {
            let reason: RedisError
            do {
                await (try RedisConnection.connect(to: own, options: options)).close()
                return
            } catch {
                if error.code == .noAuth, isRunning { return }
                reason = error
            }
            if !isRunning {
                throw LocalRedisError.ended(log: layout.logTail())
            }
            if ContinuousClock.now >= deadline {
                kill()
                throw LocalRedisError(message: "redis-server did not answer within \(Self.patience): \(reason.message)")
            }
            await Pause.short()
        }
    }
}

/// Starts a server, calls `body`, and stops the server, also when `body` throws.
public func withLocalRedis<R>(
    _ options: LocalRedisServer.Options = LocalRedisServer.Options(),
    _ body: (LocalRedisServer) async throws -> R
) async throws -> R {
    let server = try await LocalRedisServer.start(options)
    do {
        let result = try await body(server)
        await server.stop()
        return result
    } catch {
        await server.stop()
        throw error
    }
}
