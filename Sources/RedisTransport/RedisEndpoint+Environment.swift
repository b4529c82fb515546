#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension RedisEndpoint {
    /// Reads a URL, and what the environment says besides it, so that neither secrets nor places of files have to stand
    /// on a command line. Names begin with `prefix`:
    ///
    /// - `REDIS_URL`, where `url` is nil; without either it is `redis://127.0.0.1:6379`;
    /// - `REDIS_PASSWORD`, or `REDIS_PASSWORD_FILE` with the password as its first line: where the URL has no password;
    /// - `SENTINEL_PASSWORD`, for the sentinels themselves, where the URL has none;
    /// - `TLS_CA`, `TLS_CERT`, `TLS_KEY` (PEM files) and `TLS_SERVER_NAME`: see ``RedisTLS``. With one of them a URL
    ///   without TLS is refused; a Unix socket needs none.
    public init(
        url: String? = nil, environment: [String: String], prefix: String = "SKALD_"
    ) throws(RedisURLError) {
        func value(_ name: String) -> String? {
            // A variable that is set to nothing is how some environments leave one out.
            environment[prefix + name].flatMap { $0.isEmpty ? nil : $0 }
        }
        self = try RedisURLParser.parse(url ?? value("REDIS_URL") ?? "redis://127.0.0.1:\(Self.defaultPort)")
        if password == nil {
            if let secret = value("REDIS_PASSWORD") {
                password = secret
            } else if let file = value("REDIS_PASSWORD_FILE") {
                password = try Self.firstLine(of: file, named: prefix + "REDIS_PASSWORD_FILE")
            }
        }
        try checkLogin()
        if case .sentinel = address, sentinelPassword == nil { sentinelPassword = value("SENTINEL_PASSWORD") }
        let settings = RedisTLS(
            authorityFile: value("TLS_CA"), certificateFile: value("TLS_CERT"), keyFile: value("TLS_KEY"),
            serverName: value("TLS_SERVER_NAME"))
        guard settings != RedisTLS() else { return }
        if case .unix = address { return }
        guard tls != nil else {
            throw RedisURLError(
                message: "certificates are given (\(prefix)TLS_…), but \(redacted) has no TLS: use rediss://")
        }
        tls = settings
    }

    /// A user without a password can log in nowhere.
    func checkLogin() throws(RedisURLError) {
        guard username == nil || password != nil else {
            throw RedisURLError(message: "the URL has a user name but no password: use user:password@ or :password@")
        }
    }

    private static func firstLine(of path: String, named variable: String) throws(RedisURLError) -> String {
        guard let file = fopen(path, "r") else {
            throw RedisURLError(
                message: "\(variable): the file \(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        // Longer than any password that is one; what follows is not looked at.
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        let line = bytes[..<count].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard !line.isEmpty, let password = String(validating: line, as: UTF8.self) else {
            throw RedisURLError(message: "\(variable): the first line of \(path) holds no password")
        }
        return password
    }
}
