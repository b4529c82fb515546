import RedisTransport
import Testing

/// What is known of a cluster, and where calls go, without a cluster.
@Suite struct ClusterRoutingTests {
    private static func node(_ port: Int) -> RedisNode { RedisNode(host: "h", port: port) }

    /// Values of CLUSTER KEYSLOT.
    @Test(arguments: [
        ("123456789", 12_739), ("foo", 12_182), ("{foo}bar", 12_182), ("a{foo}", 12_182), ("{}foo", 9_500),
        ("foo{bar}{zap}", 5_061), ("", 0),
    ])
    func theSlotIsThatOfTheHashTag(_ key: String, _ slot: Int) {
        #expect(KeySlot.of(key.utf8) == slot)
    }

    @Test(
        arguments: [
            (RedisCommand("GET", "k"), "k"), (RedisCommand("XADD", "k", "*", "a", "b"), "k"),
            (RedisCommand("EVALSHA", "sha", "2", "k", "l", "argument"), "k"),
            (RedisCommand("EVALSHA", "sha", "0", "x"), nil),
            (RedisCommand("XGROUP", "CREATE", "k", "g", "0"), "k"), (RedisCommand("XINFO", "GROUPS", "k"), "k"),
            (RedisCommand("XREAD", "COUNT", "1", "BLOCK", "5", "STREAMS", "k", "l", "0", "0"), "k"),
            (RedisCommand("XREADGROUP", "GROUP", "g", "c", "STREAMS", "k", ">"), "k"),
            (RedisCommand("XREAD", "COUNT"), nil),
            (RedisCommand("PING"), nil), (RedisCommand("INFO", "everything"), nil),
            (RedisCommand("WAIT", "1", "0"), nil),
            (RedisCommand("GET"), nil), (RedisCommand("GET", ""), ""), (RedisCommand("ZCARD", "é"), "é"),
        ] as [(RedisCommand, String?)])
    func theFirstKeyIsFound(_ command: RedisCommand, _ key: String?) {
        #expect(command.firstKey.map { String(decoding: $0, as: UTF8.self) } == key)
    }

    @Test func aMapKnowsEverySlotThatIsServed() {
        var map = SlotMap([(5_000...16_383, Self.node(2)), (0...99, Self.node(1))])
        #expect(map.nodes == [Self.node(1), Self.node(2)])
        #expect(map.node(of: 99) == Self.node(1) && map.node(of: 100) == nil && map.node(of: 16_383) == Self.node(2))
        map.move(100, to: Self.node(3))
        map.move(99, to: Self.node(2))
        #expect(map.node(of: 100) == Self.node(3) && map.node(of: 99) == Self.node(2))
    }

    @Test func redirectionsMayLeaveOutTheHost() {
        #expect(RedisNode(redirect: "h:7", from: nil) == Self.node(7))
        #expect(RedisNode(redirect: ":8", from: Self.node(7)) == Self.node(8))
        #expect(RedisNode(redirect: "::1:9", from: nil) == RedisNode(host: "::1", port: 9))
        for text in ["", ":", "h", "h:", "h:0", "h:99999", ":8"] {
            #expect(RedisNode(redirect: text, from: nil) == nil)
        }
    }

    // MARK: Routes

    private static func error(
        _ code: RedisError.Code, _ effect: RedisError.Effect = .notApplied
    ) -> RedisError {
        RedisError(code: code, message: "x", effect: effect)
    }

    private static func step(_ route: inout CallRoute, _ error: RedisError, after elapsed: Duration = .zero)
        -> CallRoute.Step
    {
        route.failed(error, from: node(1), elapsed: elapsed, jitter: 0)
    }

    @Test func movesAreFollowedAtOnceButNotInCircles() {
        var route = CallRoute(patience: .seconds(1))
        let moved = Self.error(.moved(slot: 1, address: "h:2"))
        for _ in 0..<3 { #expect(Self.step(&route, moved) == .again(after: .zero)) }
        guard case .again(let pause) = Self.step(&route, moved) else {
            Issue.record("given up too soon")
            return
        }
        #expect(pause > .zero)
        guard case .fail(let error) = Self.step(&route, moved, after: .seconds(1)) else {
            Issue.record("never given up")
            return
        }
        #expect(error.code == .tryAgain && error.effect == .notApplied)
    }

    @Test func aSlotOnItsWayIsAskedFor() {
        var route = CallRoute(patience: .seconds(1))
        #expect(Self.step(&route, Self.error(.ask(slot: 1, address: ":2"))) == .ask(Self.node(2)))
        // The keys are partly here and partly there.
        #expect(Self.step(&route, Self.error(.tryAgain)) == .again(after: .milliseconds(10)))
        #expect(Self.step(&route, Self.error(.tryAgain)) == .again(after: .milliseconds(20)))
        #expect(Self.step(&route, Self.error(.ask(slot: 1, address: ":2"))) == .ask(Self.node(2)))
    }

    @Test func onlyWhatChangedNothingIsSentAgain() {
        for code in [RedisError.Code.connectionClosed, .connectFailed, .clusterDown, .loading, .unblocked] {
            var route = CallRoute(patience: .seconds(1))
            guard case .again = Self.step(&route, Self.error(code)) else {
                Issue.record("\(code) is not borne with")
                continue
            }
            let lost = Self.error(code, .indeterminate)
            #expect(Self.step(&route, lost) == .fail(lost))
        }
        for code in [RedisError.Code.wrongType, .noPermission, .crossSlot, .outOfMemory, .other("ERR"), .cancelled] {
            var route = CallRoute(patience: .seconds(1))
            #expect(Self.step(&route, Self.error(code)) == .fail(Self.error(code)))
        }
    }
}
