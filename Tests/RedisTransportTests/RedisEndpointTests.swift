import Foundation
import RedisTransport
import Testing

@Suite struct RedisEndpointTests {
    private static func tcp(_ host: String, _ port: Int = 6379) -> RedisEndpoint.Address {
        .tcp(host: host, port: port)
    }

    @Test(arguments: [
        ("redis://localhost", RedisEndpoint(address: tcp("localhost"))),
        ("redis://localhost/", RedisEndpoint(address: tcp("localhost"))),
        ("REDIS://example.org:7000/3", RedisEndpoint(address: tcp("example.org", 7000), database: 3)),
        ("redis://:secret@host", RedisEndpoint(address: tcp("host"), password: "secret")),
        ("redis://user:secret@host:1", RedisEndpoint(address: tcp("host", 1), username: "user", password: "secret")),
        ("redis://u%40x:p%2F%3A%25@host", RedisEndpoint(address: tcp("host"), username: "u@x", password: "p/:%")),
        (
            "redis://user:with@sign:and:colons@host",
            .init(address: tcp("host"), username: "user", password: "with@sign:and:colons")
        ),
        ("redis://[::1]:6380/1", RedisEndpoint(address: tcp("::1", 6380), database: 1)),
        ("redis://[fe80::2]", RedisEndpoint(address: tcp("fe80::2"))),
        ("rediss://host", RedisEndpoint(address: tcp("host"), tls: RedisTLS())),
        ("rediss://:secret@[::1]:1/2", .init(address: tcp("::1", 1), password: "secret", database: 2, tls: RedisTLS())),
        ("unix:///run/redis.sock", RedisEndpoint(address: .unix(path: "/run/redis.sock"))),
        ("unix:///run/a%20b@c.sock?db=2", RedisEndpoint(address: .unix(path: "/run/a b@c.sock"), database: 2)),
        ("unix://:secret@/run/redis.sock", .init(address: .unix(path: "/run/redis.sock"), password: "secret")),
        ("unix://me:secret@/r.sock", .init(address: .unix(path: "/r.sock"), username: "me", password: "secret")),
        (
            "redis-sentinel://a/mymaster",
            RedisEndpoint(address: .sentinel([RedisNode(host: "a", port: 26_379)], master: "mymaster"))
        ),
        (
            "redis-sentinel://me:p%40w@a:1,[::1]:2,b,a:1/my.master-1_x/3",
            RedisEndpoint(
                address: .sentinel(
                    [
                        RedisNode(host: "a", port: 1), RedisNode(host: "::1", port: 2),
                        RedisNode(host: "b", port: 26_379),
                    ], master: "my.master-1_x"), username: "me", password: "p@w", database: 3)
        ),
        ("redis-cluster://a", RedisEndpoint(address: .cluster([RedisNode(host: "a", port: 6_379)]))),
        (
            "redis-cluster://:pw@a:7000,b:7001/0",
            RedisEndpoint(
                address: .cluster([RedisNode(host: "a", port: 7_000), RedisNode(host: "b", port: 7_001)]),
                password: "pw")
        ),
    ])
    func urlsAreRead(url: String, endpoint: RedisEndpoint) throws {
        #expect(try RedisEndpoint(url: url) == endpoint)
    }

    @Test(arguments: [
        ("localhost:6379", "expected redis://"),
        ("http://host", "scheme"),
        ("rediss://host?verify=none", "query"),
        ("redis-sentinel://host", "redis-sentinel://host:port,host:port/MASTERNAME"),
        ("redis-sentinel://host/", "names no master"),
        ("redis-sentinel://host/my master", "names no master"),
        ("redis-sentinel:///master", "no host"),
        ("redis-sentinel://a,,b/master", "no host"),
        ("redis-sentinel://a:1,b:0/master", "port"),
        ("redis-sentinel://a/master/one", "database"),
        ("redis-sentinel://a/master/1/2", "only a database"),
        ("redis-sentinel://a/master?password=x", "?sentinel-password="),
        ("redis-sentinel://a/master?sentinel-password=%zz", "hexadecimal"),
        ("redis-sentinel://user@a/master", "password"),
        ("redis-cluster://", "no host"),
        ("redis-cluster://a,", "no host"),
        ("redis-cluster://a/1", "database 0"),
        ("redis-cluster://a?x=1", "query"),
        ("redis://", "no host"),
        ("redis://:6379", "no host"),
        ("redis://host:", "port"),
        ("redis://host:0", "port"),
        ("redis://host:65536", "port"),
        ("redis://host:+1", "port"),
        ("redis://host:99999999999999999999", "port"),
        ("redis://host/x", "database"),
        ("redis://host/-1", "database"),
        ("redis://host/99999999999999999999", "database"),
        ("redis://host?db=1", "query"),
        ("redis://[::1", "bracket"),
        ("redis://[::1]6379", "port"),
        ("redis://user@host", "password"),
        ("redis://:%zz@host", "hexadecimal"),
        ("redis://:%4@host", "hexadecimal"),
        ("redis://:%ff@host", "UTF-8"),
        ("unix://relative/path", "absolute"),
        ("unix:///", "absolute"),
        ("unix:///a?database=1", "?db="),
        ("unix:///a?db=one", "database"),
        ("unix:///a%00b", "NUL"),
    ])
    func whatCannotBeReadIsSaidInOneLine(url: String, reason: String) {
        let error = #expect(throws: RedisURLError.self) { try RedisEndpoint(url: url) }
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("\n") == false)
    }

    @Test func theEnvironmentSaysWhatTheURLDoesNot() throws {
        #expect(try RedisEndpoint(environment: [:]) == RedisEndpoint(address: Self.tcp("127.0.0.1")))
        var environment = ["SKALD_REDIS_URL": "redis://me@h", "SKALD_REDIS_PASSWORD": "secret", "SKALD_TLS_CA": ""]
        let me = RedisEndpoint(address: Self.tcp("h"), username: "me", password: "secret")
        #expect(try RedisEndpoint(environment: environment) == me)
        #expect(try RedisEndpoint(url: "redis://:own@h", environment: environment).password == "own")
        environment["SKALD_TLS_CA"] = "/ca.pem"
        environment["SKALD_TLS_SERVER_NAME"] = "redis"
        let error = #expect(throws: RedisURLError.self) { try RedisEndpoint(environment: environment) }
        #expect(error?.message.contains("redis://me:***@h:6379 has no TLS: use rediss://") == true)
        let secure = try RedisEndpoint(url: "rediss://h", environment: environment)
        #expect(secure.tls == RedisTLS(authorityFile: "/ca.pem", serverName: "redis"))
        #expect(try RedisEndpoint(url: "unix:///r.sock", environment: environment).tls == nil)
    }

    @Test func aPasswordIsTheFirstLineOfItsFile() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "skald-\(UUID().uuidString)").path
        // What cannot be removed stays in the system's temporary directory, and harms nobody.
        defer { try? FileManager.default.removeItem(atPath: file) }
        let environment = ["SKALD_REDIS_PASSWORD_FILE": file]
        func reason() -> String? {
            #expect(throws: RedisURLError.self) { try RedisEndpoint(environment: environment) }?.message
        }
        #expect(reason()?.contains("SKALD_REDIS_PASSWORD_FILE: the file \(file) cannot be read: No such file") == true)
        try Data("pass word\r\nmore".utf8).write(to: URL(filePath: file))
        #expect(try RedisEndpoint(environment: environment).password == "pass word")
        try Data("\n".utf8).write(to: URL(filePath: file))
        #expect(reason()?.contains("holds no password") == true)
    }

    @Test func sentinelsHaveAPasswordOfTheirOwn() throws {
        let endpoint = try RedisEndpoint(url: "redis-sentinel://:one@a/m/2?sentinel-password=tw%3Fo")
        #expect(endpoint.password == "one")
        #expect(endpoint.sentinelPassword == "tw?o")
        #expect(endpoint.redacted == "redis-sentinel://:***@a:26379/m/2")
        let secure = try RedisEndpoint(url: "rediss-sentinel://a/m")
        #expect(secure.tls == RedisTLS())
        #expect(secure.redacted == "rediss-sentinel://a:26379/m")
        #expect(try RedisEndpoint(url: "rediss-cluster://a,b").redacted == "rediss-cluster://a:6379,b:6379")
        let given = try RedisEndpoint(url: "redis-sentinel://a/m", environment: ["SKALD_SENTINEL_PASSWORD": "x"])
        #expect(given.sentinelPassword == "x")
    }

    @Test func longSocketPathsAreRefused() {
        #expect(throws: RedisURLError.self) {
            try RedisEndpoint(url: "unix:///" + String(repeating: "x", count: 107))
        }
    }

    @Test func errorsDoNotRepeatThePassword() {
        for url in [
            "redis://:hunter2@", "redis://:hunter2@h:port", "rediss://:hunter2@h:port", "redis://:hunter2%@h",
            "redis-sentinel://:hunter2@h", "redis-sentinel://h/m?sentinel-password=hunter2%",
            "redis-cluster://:hunter2@h/9",
        ] {
            let error = #expect(throws: RedisURLError.self) { try RedisEndpoint(url: url) }
            #expect(error?.message.contains("hunter2") == false)
        }
    }

    @Test func nothingPrintedShowsThePassword() throws {
        let endpoint = try RedisEndpoint(url: "redis://me:hunter2@host:1/2")
        #expect(endpoint.redacted == "redis://me:***@host:1/2")
        var dumped = ""
        dump(endpoint, to: &dumped)
        #expect(!("\(endpoint)" + String(reflecting: endpoint) + dumped).contains("hunter2"))
        #expect(try RedisEndpoint(url: "unix://:x@/a/b?db=1").redacted == "unix://:***@/a/b?db=1")
        #expect(try RedisEndpoint(url: "rediss://:x@host").redacted == "rediss://:***@host:6379")
        #expect(try RedisEndpoint(url: "redis://[::1]").redacted == "redis://[::1]:6379")
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func randomTextNeverTraps(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let parts = [
                "redis://", "unix://", "redis-sentinel://", "redis-cluster://", ",", "?sentinel-password=", "@", ":",
                "/", "?", "db=", "%", "[", "]", "a", "1", "é", "%41", "#",
            ]
            let url = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                parts.randomElement(using: &random) ?? ""
            }.joined()
            _ = try? RedisEndpoint(url: url)  // whether it throws is not the question
        }
    }
}
