/// Where a Redis server is and how to log in.
public struct RedisEndpoint: Sendable, Hashable {
    public enum Address: Sendable, Hashable {
        case tcp(host: String, port: Int)
        /// The path of a Unix domain socket.
        case unix(path: String)
    }

    public static let defaultPort = 6379

    public var address: Address
    /// For ACL users; without it the password is the default user's.
    public var username: String?
    public var password: String?
    public var database: Int
    /// Nil: plain text. Not for Unix sockets.
    public var tls: RedisTLS?

    public init(
        address: Address, username: String? = nil, password: String? = nil, database: Int = 0, tls: RedisTLS? = nil
    ) {
        self.address = address
        self.username = username
        self.password = password
        self.database = database
        self.tls = tls
    }

    /// Reads `redis://[user[:password]@]host[:port][/database]`, `redis://:password@host` or
    /// `unix://[user[:password]@]/path[?db=database]`. User, password and path may be percent-encoded. `rediss://` is
    /// `redis://` over TLS, with the authorities that the system trusts; ``tls`` says more.
    public init(url: String) throws(RedisURLError) {
        self = try RedisURLParser.parse(url)
        try checkLogin()
    }

    /// The URL without the password, for logs and messages.
    public var redacted: String {
        let login = password == nil ? username.map { "\($0)@" } ?? "" : "\(username ?? ""):***@"
        switch address {
        case .tcp(let host, let port):
            let name = host.contains(":") ? "[\(host)]" : host
            return "\(tls == nil ? "redis" : "rediss")://\(login)\(name):\(port)"
                + (database == 0 ? "" : "/\(database)")
        case .unix(let path):
            return "unix://\(login)\(path)" + (database == 0 ? "" : "?db=\(database)")
        }
    }
}

extension RedisEndpoint: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { redacted }
    public var debugDescription: String { redacted }
    /// Without the password, so that `dump` does not print it.
    public var customMirror: Mirror { Mirror(self, children: ["url": redacted]) }
}

/// A Redis URL that cannot be used, with the reason.
public struct RedisURLError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One line; never contains the URL's password.
    public let message: String

    public var description: String { message }
}
