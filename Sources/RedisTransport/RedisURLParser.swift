/// Takes Redis URLs apart. Error texts never repeat what may contain the password.
enum RedisURLParser {
    static func parse(_ url: String) throws(RedisURLError) -> RedisEndpoint {
        guard let separator = url.firstRange(of: "://") else {
            throw RedisURLError(
                message: "not a Redis URL: expected redis://[user[:password]@]host[:port][/database], unix:///path, "
                    + "redis-sentinel://host:port,…/master or redis-cluster://host:port,…")
        }
        let rest = url[separator.upperBound...]
        switch url[..<separator.lowerBound].lowercased() {
        case "redis":
            return try tcp(rest)
        case "unix", "redis+unix", "redis+socket":
            return try unix(rest)
        case "rediss":
            return try secured(tcp(rest))
        case "redis-sentinel", "redis+sentinel":
            return try sentinel(rest)
        case "rediss-sentinel", "rediss+sentinel":
            return try secured(sentinel(rest))
        case "redis-cluster", "redis+cluster":
            return try cluster(rest)
        case "rediss-cluster", "rediss+cluster":
            return try secured(cluster(rest))
        default:
            throw RedisURLError(
                message: "not a Redis URL: the scheme must be redis, rediss, unix, redis-sentinel or redis-cluster")
        }
    }

    private static func secured(_ endpoint: RedisEndpoint) -> RedisEndpoint {
        var endpoint = endpoint
        endpoint.tls = RedisTLS()
        return endpoint
    }

    private static func tcp(_ text: Substring) throws(RedisURLError) -> RedisEndpoint {
        guard !text.contains("?"), !text.contains("#") else {
            throw RedisURLError(message: "a redis:// URL has no query; percent-encode ? and # in a password")
        }
        // The host cannot contain an @, so that an unencoded one in the password does no harm.
        let (login, location) = split(text)
        var endpoint = RedisEndpoint(address: .tcp(host: "", port: 0))
        try readLogin(login, into: &endpoint)
        let parts = location.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let node = try node(parts[0], port: RedisEndpoint.defaultPort)
        endpoint.address = .tcp(host: node.host, port: node.port)
        if parts.count == 2, !parts[1].isEmpty { endpoint.database = try database(parts[1]) }
        return endpoint
    }

    private static func unix(_ text: Substring) throws(RedisURLError) -> RedisEndpoint {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var endpoint = RedisEndpoint(address: .unix(path: ""))
        // A path can contain an @; a login stands before the path's first slash.
        let slash = parts[0].firstIndex(of: "/") ?? parts[0].endIndex
        let beforePath = parts[0][..<slash]
        if !beforePath.isEmpty {
            let (login, host) = split(beforePath)
            guard host.isEmpty, login != nil else {
                throw RedisURLError(message: "a unix:// URL needs an absolute path: unix:///path/to/redis.sock")
            }
            try readLogin(login, into: &endpoint)
        }
        let path = try decode(parts[0][slash...], "path")
        guard path.utf8.count > 1 else {
            throw RedisURLError(message: "a unix:// URL needs an absolute path: unix:///path/to/redis.sock")
        }
        guard path.utf8.count <= 107, !path.utf8.contains(0) else {
            throw RedisURLError(message: "the path of a Unix socket can have at most 107 bytes, and no NUL")
        }
        endpoint.address = .unix(path: path)
        if parts.count == 2 {
            guard parts[1].hasPrefix("db=") else {
                throw RedisURLError(message: "the only option of a unix:// URL is ?db=NUMBER")
            }
            endpoint.database = try database(parts[1].dropFirst(3))
        }
        return endpoint
    }

    static func split(_ text: Substring) -> (login: Substring?, location: Substring) {
        guard let at = text.lastIndex(of: "@") else { return (nil, text) }
        return (text[..<at], text[text.index(after: at)...])
    }

    static func readLogin(
        _ login: Substring?, into endpoint: inout RedisEndpoint
    ) throws(RedisURLError) {
        guard let login, !login.isEmpty else { return }
        let parts = login.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let username = try decode(parts[0], "user name")
        if !username.isEmpty { endpoint.username = username }
        guard parts.count == 2 else { return }
        endpoint.password = try decode(parts[1], "password")
    }

    static func node(_ text: Substring, port defaultPort: Int) throws(RedisURLError) -> RedisNode {
        var host = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else {
                throw RedisURLError(message: "the IPv6 address lacks its closing bracket")
            }
            host = text[text.index(after: text.startIndex)..<end]
            let behind = text[text.index(after: end)...]
            guard behind.isEmpty || behind.hasPrefix(":") else {
                throw RedisURLError(message: "only a port can follow the IPv6 address")
            }
            port = behind.isEmpty ? nil : behind.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty else { throw RedisURLError(message: "the URL names no host") }
        guard let port else { return RedisNode(host: String(host), port: defaultPort) }
        guard let number = decimal(port), (1...65_535).contains(number) else {
            throw RedisURLError(message: "the port must be a number from 1 to 65535")
        }
        return RedisNode(host: String(host), port: number)
    }

    static func database(_ text: Substring) throws(RedisURLError) -> Int {
        guard let number = decimal(text), number <= Int32.max else {
            throw RedisURLError(message: "the database must be a number from 0")
        }
        return number
    }

    /// Digits only: `Int` would take a sign.
    private static func decimal(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
    }

    static func decode(_ text: Substring, _ what: String) throws(RedisURLError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexadecimal), let low = rest.popFirst().flatMap(hexadecimal) else {
                throw RedisURLError(message: "the \(what) has a % that is not followed by two hexadecimal digits")
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw RedisURLError(message: "the \(what) is not UTF-8")
        }
        return decoded
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
