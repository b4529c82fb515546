import RedisTransport
import Testing

/// The search for a master as a table: what happened, and what is to be done.
@Suite struct MasterSearchTests {
    private static let (s1, s2, s3) = (node("s", 1), node("s", 2), node("s", 3))
    private static let (a, b) = (node("a", 6), node("b", 6))

    private static func node(_ host: String, _ port: Int) -> RedisNode { RedisNode(host: host, port: port) }

    private static func search(known: RedisNode? = nil) -> MasterSearch {
        MasterSearch(master: "m", sentinels: [s1, s2, s3], known: known)
    }

    private static func error(_ code: RedisError.Code = .connectFailed, _ message: String = "refused") -> RedisError {
        RedisError(code: code, message: message, effect: .notApplied)
    }

    private static func reason(_ action: MasterSearch.Action) -> String {
        if case .fail(let error) = action { error.message } else { "\(action)" }
    }

    @Test func theFirstSentinelThatAnswersIsEnough() {
        var search = Self.search()
        #expect(search.begin() == .ask(Self.s1))
        #expect(search.sentinelFailed(Self.error()) == .ask(Self.s2))
        #expect(search.sentinelNamed(Self.a) == .verify(Self.a))
        #expect(search.serverIs("master") == .found(Self.a))
    }

    @Test func aSentinelThatMissedTheFailoverIsNotBelieved() {
        var search = Self.search()
        _ = search.begin()
        #expect(search.sentinelNamed(Self.a) == .verify(Self.a))
        #expect(search.serverIs("slave") == .ask(Self.s2))
        // It names the same: no need to look again.
        #expect(search.sentinelNamed(Self.a) == .ask(Self.s3))
        #expect(search.sentinelNamed(Self.b) == .verify(Self.b))
        #expect(search.serverIs("master") == .found(Self.b))
    }

    @Test func aMasterThatDoesNotAnswerIsNotTheEnd() {
        var search = Self.search()
        _ = search.begin()
        _ = search.sentinelNamed(Self.a)
        #expect(search.serverFailed(Self.error()) == .ask(Self.s2))
        #expect(search.sentinelNamed(Self.b) == .verify(Self.b))
    }

    @Test func theKnownMasterIsNotConnectedToAgain() {
        var search = Self.search(known: Self.a)
        _ = search.begin()
        #expect(search.sentinelNamed(Self.a) == .unchanged)
    }

    @Test func whyItFailedIsSaidInTheMostTellingWords() {
        var silent = Self.search()
        _ = (silent.begin(), silent.sentinelFailed(Self.error()), silent.sentinelFailed(Self.error()))
        #expect(
            Self.reason(silent.sentinelFailed(Self.error(.timeout, "no reply")))
                == "no sentinel answers (asked s:1,s:2,s:3): no reply")

        var unknown = Self.search()
        _ = (unknown.begin(), unknown.sentinelFailed(Self.error()), unknown.sentinelNamed(nil))
        #expect(
            Self.reason(unknown.sentinelFailed(Self.error()))
                == "the sentinel at s:2 knows no master named 'm': check the name at the URL's end")

        var replica = Self.search()
        _ = (replica.begin(), replica.sentinelNamed(Self.a), replica.serverIs("slave"), replica.sentinelNamed(nil))
        #expect(Self.reason(replica.sentinelFailed(Self.error())).contains("is a slave: a failover is under way"))
    }

    @Test func aWrongPasswordIsSaidAtOnce() {
        var search = Self.search()
        _ = (search.begin(), search.sentinelNamed(Self.a))
        #expect(search.serverFailed(Self.error(.wrongPass, "wrong")) == .fail(Self.error(.wrongPass, "wrong")))

        var sentinels = Self.search()
        _ = (sentinels.begin(), sentinels.sentinelFailed(Self.error(.noAuth, "x")))
        _ = sentinels.sentinelFailed(Self.error(.noAuth, "x"))
        let end = sentinels.sentinelFailed(Self.error(.noAuth, "NOAUTH Authentication required."))
        #expect(Self.reason(end).contains("SKALD_SENTINEL_PASSWORD"))
        if case .fail(let error) = end { #expect(!error.isTransient) }
    }
}
