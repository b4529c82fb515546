// URLs that name several servers.
extension RedisURLParser {
    private static let sentinelForm = "redis-sentinel://host:port,host:port/MASTERNAME"

    static func sentinel(_ text: Substring) throws(RedisURLError) -> RedisEndpoint {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var (endpoint, nodes, path) = try several(parts[0], port: RedisEndpoint.defaultSentinelPort)
        if parts.count == 2 { endpoint.sentinelPassword = try sentinelPassword(parts[1]) }
        guard let master = path.first, isMasterName(master) else {
            throw RedisURLError(message: "the URL names no master, or not in A-Z a-z 0-9 . _ -: \(sentinelForm)")
        }
        guard path.count <= 2 else {
            throw RedisURLError(message: "only a database can follow the master's name: \(sentinelForm)/DATABASE")
        }
        if path.count == 2, !path[1].isEmpty { endpoint.database = try database(path[1]) }
        endpoint.address = .sentinel(nodes, master: String(master))
        return endpoint
    }

    static func cluster(_ text: Substring) throws(RedisURLError) -> RedisEndpoint {
        guard !text.contains("?"), !text.contains("#") else {
            throw RedisURLError(message: "a redis-cluster:// URL has no query; percent-encode ? and # in a password")
        }
        var (endpoint, nodes, path) = try several(text, port: RedisEndpoint.defaultPort)
        guard path.isEmpty || path == [""] || path == ["0"] else {
            throw RedisURLError(message: "a Redis Cluster has database 0 only: leave out what follows the hosts")
        }
        endpoint.address = .cluster(nodes)
        return endpoint
    }

    /// A login, hosts, and what follows them between slashes.
    private static func several(
        _ text: Substring, port: Int
    ) throws(RedisURLError) -> (endpoint: RedisEndpoint, nodes: [RedisNode], path: [Substring]) {
        let (login, location) = split(text)
        let parts = location.split(separator: "/", omittingEmptySubsequences: false)
        var nodes: [RedisNode] = []
        for host in parts[0].split(separator: ",", omittingEmptySubsequences: false) {
            let node = try node(host, port: port)
            if !nodes.contains(node) { nodes.append(node) }
        }
        var endpoint = RedisEndpoint(address: .cluster(nodes))
        try readLogin(login, into: &endpoint)
        return (endpoint, nodes, Array(parts.dropFirst()))
    }

    private static func sentinelPassword(_ query: Substring) throws(RedisURLError) -> String {
        let name = "sentinel-password="
        guard query.hasPrefix(name), !query.contains("&") else {
            throw RedisURLError(
                message: "the only option of a redis-sentinel:// URL is ?sentinel-password=PASSWORD; percent-encode ? "
                    + "in a password")
        }
        return try decode(query.dropFirst(name.count), "sentinels' password")
    }

    private static func isMasterName(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
