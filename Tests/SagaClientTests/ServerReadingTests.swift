import RedisTransport
import SagaClient
import SagaCore
import Testing

/// What doctor says of a server, by what was read of it.
@Suite struct ServerReadingTests {
    /// A server as `deploy/redis.conf` makes it.
    private static let good = """
        redis_version:7.0.15\r\nredis_mode:standalone\r\nrole:master\r\naof_enabled:1\r\naof_last_write_status:ok\r
        aof_last_bgrewrite_status:ok\r\nrdb_last_bgsave_status:ok\r\nused_memory:1000\r\nmaxmemory:2000000\r
        maxmemory_policy:noeviction\r\nevicted_keys:0\r\nconnected_slaves:0\r\n
        """
    private static let settings = [
        "appendfsync": "always", "save": "", "stop-writes-on-bgsave-error": "yes", "no-appendfsync-on-rewrite": "no",
        "min-replicas-to-write": "0", "bind": "127.0.0.1 -::1", "port": "6379", "protected-mode": "yes",
        "timeout": "0", "tcp-keepalive": "60", "slowlog-log-slower-than": "10000",
    ]

    private static func reading() -> ServerReading {
        var reading = ServerReading()
        reading.info = ServerInfo(text: good)
        reading.settings = settings
        reading.servesStrangers = false
        reading.clock = .init(now: 10_000_000, offset: 3, uncertainty: 1, wentBack: false)
        reading.slowCalls = []
        return reading
    }

    /// Findings that are more than information.
    private func complaints(_ change: (inout ServerReading) -> Void) -> [String: Finding.Severity] {
        var reading = Self.reading()
        change(&reading)
        return reading.complaints
    }

    private func complaints(info: (String, String)...) -> [String: Finding.Severity] {
        complaints { reading in
            var text = Self.good
            for (line, other) in info {
                #expect(text.contains(line))
                text = text.replacing(line, with: other)
            }
            reading.info = ServerInfo(text: text)
        }
    }

    @Test func aServerAsDeployedIsInOrder() {
        #expect(complaints { _ in } == [:])
    }

    @Test func whatTheServerTellsOfItself() {
        let cases: [(String, String, [String: Finding.Severity])] = [
            ("redis_version:7.0.15", "redis_version:6.2.14", ["version": .danger]),
            ("redis_mode:standalone", "redis_mode:cluster", ["mode": .danger]),
            ("redis_mode:standalone", "redis_mode:sentinel", ["mode": .danger]),
            ("role:master", "role:slave", ["mode": .danger]),
            ("aof_enabled:1", "aof_enabled:0", ["persistence": .danger]),
            ("aof_last_write_status:ok", "aof_last_write_status:err", ["aof-write": .danger]),
            ("aof_last_bgrewrite_status:ok", "aof_last_bgrewrite_status:err", ["aof-rewrite": .warning]),
            ("rdb_last_bgsave_status:ok", "rdb_last_bgsave_status:err", ["snapshot": .warning]),
            ("maxmemory_policy:noeviction", "maxmemory_policy:volatile-lru", ["eviction": .danger]),
            ("evicted_keys:0", "evicted_keys:7", ["evicted": .warning]),
            ("maxmemory:2000000", "maxmemory:0", ["memory": .warning]),
            ("maxmemory:2000000", "maxmemory:1100", ["memory": .warning]),
            ("maxmemory:2000000", "maxmemory:1000", ["memory": .danger]),
            (
                "connected_slaves:0", "connected_slaves:1\r\nslave0:ip=h,port=1,state=online,offset=1,lag=0",
                ["min-replicas": .warning]
            ),
            (
                "connected_slaves:0", "connected_slaves:1\r\nslave0:ip=h,port=1,state=wait_bgsave,offset=0,lag=0",
                ["replicas": .warning, "min-replicas": .warning]
            ),
        ]
        for (line, other, expected) in cases {
            #expect(complaints(info: (line, other)) == expected, "\(other)")
        }
    }

    @Test func settings() {
        let cases: [(String, String, [String: Finding.Severity])] = [
            ("appendfsync", "no", ["persistence": .warning]),
            ("appendfsync", "everysec", [:]),
            ("no-appendfsync-on-rewrite", "yes", ["fsync-on-rewrite": .warning]),
            ("timeout", "300", ["timeout": .warning]),
            ("tcp-keepalive", "0", ["keepalive": .warning]),
        ]
        for (setting, value, expected) in cases {
            #expect(complaints { $0.settings?[setting] = value } == expected, "\(setting) \(value)")
        }
        // A failed snapshot stops writes where there are save points, and Redis is not told to go on.
        let failed = Self.good.replacing("rdb_last_bgsave_status:ok", with: "rdb_last_bgsave_status:err")
        for (stops, expected) in [("yes", Finding.Severity.danger), ("no", .warning)] {
            let found = complaints { reading in
                reading.info = ServerInfo(text: failed)
                reading.settings?["save"] = "3600 1"
                reading.settings?["stop-writes-on-bgsave-error"] = stops
            }
            #expect(found == ["snapshot": expected])
        }
        // Snapshots alone are something.
        let snapshots = complaints { reading in
            reading.info = ServerInfo(text: Self.good.replacing("aof_enabled:1", with: "aof_enabled:0"))
            reading.settings?["save"] = "3600 1"
        }
        #expect(snapshots == ["persistence": .warning])
        // With too few replicas in touch, the server refuses writes.
        let alone = complaints { reading in
            reading.info = ServerInfo(text: Self.good + "min_slaves_good_slaves:0\r\n")
            reading.settings?["min-replicas-to-write"] = "1"
        }
        #expect(alone == ["replicas": .danger])
        #expect(complaints { $0.refusal = "MISCONF Errors writing to the AOF file" } == ["writes": .danger])
    }

    @Test func anOpenServerIsAWarningWhereOthersReachIt() {
        let cases: [(bind: String, mode: String, port: String, Finding.Severity)] = [
            ("127.0.0.1 -::1", "no", "6379", .info), ("* -::*", "yes", "6379", .info), ("", "no", "6379", .info),
            ("* -::*", "no", "6379", .warning), ("0.0.0.0", "no", "6379", .warning),
            ("127.0.0.1 10.0.0.7", "no", "6379", .warning), ("127.0.0.1 -::*", "no", "6379", .warning),
            ("0.0.0.0", "no", "0", .info),
        ]
        for (bind, mode, port, expected) in cases {
            var reading = Self.reading()
            reading.servesStrangers = true
            reading.settings?["bind"] = bind
            reading.settings?["protected-mode"] = mode
            reading.settings?["port"] = port
            #expect(reading.findings.first { $0.check == "access" }?.severity == expected, "\(bind) \(mode) \(port)")
        }
        let unknown = complaints { reading in
            reading.servesStrangers = true
            reading.settings = nil
        }
        #expect(unknown == ["access": .warning])
    }

    @Test func clocks() {
        for (offset, uncertainty, isFar): (Milliseconds, Milliseconds, Bool) in [
            (5_000, 0, false), (5_001, 0, true), (-5_001, 0, true), (-5_000, 0, false), (6_000, 1_000, false),
            (-3_600_000, 1_000, true),
        ] {
            let found = complaints {
                $0.clock?.offset = offset; $0.clock?.uncertainty = uncertainty
            }
            #expect(found == (isFar ? ["clock": .warning] : [:]), "\(offset)")
        }
        #expect(complaints { $0.clock?.wentBack = true } == ["clock": .warning])
    }

    @Test func slowCallsThatAreOursAndOfLate() {
        for (command, at, microseconds, isTold): (String, Milliseconds, Int64, Bool) in [
            ("EVALSHA", 9_999_000, 10_000, true), ("evalsha", 9_999_000, 10_000, true),
            ("XREADGROUP", 6_400_000, 90_000, true), ("XREAD", 6_399_999, 90_000, false),
            ("EVALSHA", 9_999_000, 9_999, false), ("KEYS", 9_999_000, 900_000, false),
        ] {
            let call = ServerReading.SlowCall(command: command, at: at, microseconds: microseconds)
            #expect(complaints { $0.slowCalls = [call] } == (isTold ? ["slow-log": .warning] : [:]), "\(call)")
        }
        var reading = Self.reading()
        for (bound, severity) in [("10000", Finding.Severity.ok), ("50000", .info), ("-1", .info), ("0", .ok)] {
            reading.settings?["slowlog-log-slower-than"] = bound
            #expect(reading.findings.first { $0.check == "slow-log" }?.severity == severity, "\(bound)")
        }
    }

    @Test func whatCouldNotBeReadIsToldAndNoMore() {
        var reading = ServerReading()
        reading.missingRights = [.init(right: "+info", purpose: "memory is not known")]
        #expect(reading.findings.map(\.severity) == [.info])
        #expect(reading.findings.first?.what == "this user lacks the right '+info': memory is not known")
        // Nothing that a server can tell makes it trap.
        reading.info = ServerInfo(text: "redis_version:x\r\nmaxmemory:inf\r\nused_memory:nan\r\nconnected_slaves:1e300")
        #expect(!reading.findings.isEmpty)
    }

    @Test func everyComplaintHasARemedyAndOneLine() {
        var reading = ServerReading()
        reading.info = ServerInfo(text: "redis_version:6.0.0\nredis_mode:cluster\nmaxmemory_policy:allkeys-lru")
        reading.settings = ["save": "", "timeout": "5", "tcp-keepalive": "0", "bind": "0.0.0.0"]
        reading.servesStrangers = true
        let findings = reading.findings
        #expect(findings.filter { $0.severity > .info }.count >= 6)
        for finding in findings {
            #expect(finding.severity < .warning || finding.remedy != nil, "\(finding.what)")
            #expect(!finding.what.contains("\n") && finding.remedy?.contains("\n") != true)
        }
    }
}

extension ServerReading {
    var complaints: [String: Finding.Severity] {
        Dictionary(
            findings.filter { $0.severity > .info }.map { ($0.check, $0.severity) }, uniquingKeysWith: { max($0, $1) })
    }
}
