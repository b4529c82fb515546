/// Where Redis is and how to log in.
///
/// An address of several nodes stands for what they form together: the login, the database and whatever else an endpoint
/// holds is for each server that is found through them.
public struct RedisEndpoint: Sendable, Hashable {
    public enum Address: Sendable, Hashable {
        case tcp(host: String, port: Int)
        /// The path of a Unix domain socket.
        case unix(path: String)
        /// Whichever server these sentinels name as the master of that name.
        case sentinel([RedisNode], master: String)
        /// The Redis Cluster that these nodes belong to.
        case cluster([RedisNode])
    }

    public static let defaultPort = 6379
    public static let defaultSentinelPort = 26_379

    public var address: Address
    /// For ACL users; without it the password is the default user's.
    public var username: String?
    public var password: String?
    public var database: Int
    /// Nil: plain text. Not for Unix sockets.
    public var tls: RedisTLS?
    /// The sentinels' own, where they ask for one.
    public var sentinelPassword: String?

    public init(
        address: Address, username: String? = nil, password: String? = nil, database: Int = 0, tls: RedisTLS? = nil
    ) {
        self.address = address
        self.username = username
        self.password = password
        self.database = database
        self.tls = tls
    }

    /// Reads `redis://[user[:password]@]host[:port][/database]`, `redis://:password@host`,
    /// `unix://[user[:password]@]/path[?db=database]`,
    /// `redis-sentinel://[user:password@]host[:port][,host[:port]…]/master[/database][?sentinel-password=password]` or
    /// `redis-cluster://[user:password@]host[:port][,host[:port]…]`. User, passwords and path may be percent-encoded.
    /// `rediss` in place of `redis` is TLS, with the authorities that the system trusts; ``tls`` says more.
    public init(url: String) throws(RedisURLError) {
        self = try RedisURLParser.parse(url)
        try checkLogin()
    }

    /// The URL without the password, for logs and messages.
    public var redacted: String {
        let login = password == nil ? username.map { "\($0)@" } ?? "" : "\(username ?? ""):***@"
        let number = database == 0 ? "" : "/\(database)"
        switch address {
        case .tcp(let host, let port):
            return "\(scheme)://\(login)\(RedisNode(host: host, port: port))" + number
        case .unix(let path):
            return "unix://\(login)\(path)" + (database == 0 ? "" : "?db=\(database)")
        case .sentinel(let nodes, let master):
            return "\(scheme)-sentinel://\(login)\(nodes.text)/\(master)" + number
        case .cluster(let nodes):
            return "\(scheme)-cluster://\(login)\(nodes.text)"
        }
    }

    private var scheme: String { tls == nil ? "redis" : "rediss" }

    /// A server that was found through this endpoint: everything but the address is the same.
    package func server(_ node: RedisNode) -> RedisEndpoint {
        var endpoint = self
        endpoint.address = .tcp(host: node.host, port: node.port)
        endpoint.sentinelPassword = nil
        return endpoint
    }

    /// One of the sentinels, which have logins of their own and no databases.
    func sentinel(_ node: RedisNode) -> RedisEndpoint {
        var endpoint = server(node)
        (endpoint.username, endpoint.password, endpoint.database) = (nil, sentinelPassword, 0)
        return endpoint
    }
}

extension RedisEndpoint.Address: CustomStringConvertible {
    public var description: String { RedisEndpoint(address: self).redacted }
}

/// Host and port of one server among several.
public struct RedisNode: Sendable, Hashable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension [RedisNode] {
    /// As in a URL.
    var text: String { map(\.description).joined(separator: ",") }
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
