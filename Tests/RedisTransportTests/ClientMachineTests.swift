import NIOCore
import RedisTransport
import Testing

@Suite struct ClientMachineTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private static let refused = RedisError(code: .connectFailed, message: "refused", effect: .notApplied)

    /// Actions as text, so that a test reads like a transcript.
    private static func text(_ actions: [ClientMachine<String, String>.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .connect(let attempt): "connect \(attempt)"
            case .wake(let deadline, let attempt): "wake \(attempt) in \((deadline - start).nanoseconds / 1_000_000) ms"
            case .succeed(let waiter, let connection): "\(waiter) gets \(connection)"
            case .fail(let waiter, let error): "\(waiter) fails: \(error.message)"
            case .close(let connection): "close \(connection)"
            case .logLost(let error): "log lost: \(error.message)"
            case .logBack: "log back"
            }
        }
    }

    @Test func anAttemptIsSharedByAllWhoWait() {
        var machine = ClientMachine<String, String>()
        let first = Self.text(machine.ask("a", now: Self.start).actions)
        let second = Self.text(machine.ask("b", now: Self.start).actions)
        #expect(first == ["connect 1"])
        #expect(second == [])
        let ended = Self.text(machine.attemptSucceeded("C", attempt: 1, now: Self.start))
        #expect(ended == ["a gets C", "b gets C"])
        let third = Self.text(machine.ask("c", now: Self.start).actions)
        #expect(third == ["c gets C"])
    }

    @Test func failedAttemptsAreSpacedAndWaitersKept() {
        var machine = ClientMachine<String, String>()
        _ = machine.ask("a", now: Self.start)
        let failed = Self.text(machine.attemptFailed(Self.refused, attempt: 1, now: Self.start, jitter: 0))
        #expect(failed == ["log lost: refused", "wake 2 in 50 ms"])
        let joined = Self.text(machine.ask("b", now: Self.start).actions)
        #expect(joined == [])
        let woken = Self.text(machine.backoffEnded(attempt: 2))
        #expect(woken == ["connect 3"])
        let again = Self.text(machine.attemptFailed(Self.refused, attempt: 3, now: Self.start, jitter: 0))
        #expect(again == ["wake 4 in 100 ms"], "the loss is logged once")
        _ = machine.backoffEnded(attempt: 4)
        let back = Self.text(machine.attemptSucceeded("C", attempt: 5, now: Self.start))
        #expect(back == ["log back", "a gets C", "b gets C"])
    }

    @Test func newsOfEarlierAttemptsIsIgnored() {
        var machine = ClientMachine<String, String>()
        _ = machine.ask("a", now: Self.start)
        let stale = [
            Self.text(machine.attemptFailed(Self.refused, attempt: 0, now: Self.start, jitter: 0)),
            Self.text(machine.attemptSucceeded("old", attempt: 0, now: Self.start)),
            Self.text(machine.backoffEnded(attempt: 0)),
        ]
        #expect(stale == [[], ["close old"], []])
        _ = machine.attemptSucceeded("C", attempt: 1, now: Self.start)
        let lost = Self.text(machine.connectionLost(Self.refused, attempt: 0, now: Self.start, jitter: 0))
        #expect(lost == [])
        let current = machine.connected?.connection
        #expect(current == "C")
    }

    @Test func aRefusedLoginFailsAllWaitersAtOnce() {
        var machine = ClientMachine<String, String>()
        _ = machine.ask("a", now: Self.start)
        let wrong = RedisError(code: .wrongPass, message: "wrong", effect: .notApplied)
        let failed = Self.text(machine.attemptFailed(wrong, attempt: 1, now: Self.start, jitter: 0))
        #expect(failed == ["log lost: wrong", "a fails: wrong"])
        let next = Self.text(machine.ask("b", now: Self.start).actions)
        #expect(next == ["wake 2 in 50 ms"], "whoever asks again is held by the backoff")
    }

    @Test func patienceEnds() {
        var machine = ClientMachine<String, String>()
        let a = machine.ask("a", now: Self.start).id
        let b = machine.ask("b", now: Self.start).id
        _ = machine.attemptFailed(Self.refused, attempt: 1, now: Self.start, jitter: 0)
        let gaveUp = Self.text(machine.waiterTimedOut(a)) + Self.text(machine.waiterTimedOut(a))
        #expect(gaveUp == ["a fails: refused"])
        _ = machine.waiterTimedOut(b)
        let woken = Self.text(machine.backoffEnded(attempt: 2))
        #expect(woken == [], "nobody waits any more")
        let next = Self.text(machine.ask("c", now: Self.start + .seconds(1)).actions)
        #expect(next == ["connect 3"])
    }

    @Test func aLostConnectionIsReplacedAtOnceIfItHadLived() {
        var machine = ClientMachine<String, String>()
        _ = machine.ask("a", now: Self.start)
        _ = machine.attemptSucceeded("C", attempt: 1, now: Self.start)
        let later = Self.start + .seconds(60)
        let lost = Self.text(machine.connectionLost(Self.refused, attempt: 1, now: later, jitter: 0))
        #expect(lost == ["log lost: refused"])
        let next = Self.text(machine.ask("b", now: later).actions)
        #expect(next == ["connect 2"])
        let back = Self.text(machine.attemptSucceeded("D", attempt: 2, now: later))
        #expect(back == ["log back", "b gets D"])
    }

    @Test func aConnectionThatIsLostSoonCountsAsAFailure() {
        var machine = ClientMachine<String, String>()
        var now = Self.start
        var waits: [Int64] = []
        var attempt = 0
        for _ in 0..<8 {
            for action in machine.ask("a", now: now).actions {
                if case .wake(let deadline, let number) = action {
                    waits.append((deadline - now).nanoseconds / 1_000_000)
                    now = deadline
                    _ = machine.backoffEnded(attempt: number)
                    attempt = number + 1
                } else if case .connect(let number) = action {
                    attempt = number
                }
            }
            _ = machine.attemptSucceeded("C", attempt: attempt, now: now)
            _ = machine.connectionLost(Self.refused, attempt: attempt, now: now, jitter: 0)
        }
        #expect(waits == [50, 100, 200, 400, 800, 1000, 1000])
    }

    @Test func wishesStartAnAttemptButNeverHurryOne() {
        var machine = ClientMachine<String, String>()
        let wishes = [Self.text(machine.wish(now: Self.start)), Self.text(machine.wish(now: Self.start))]
        #expect(wishes == [["connect 1"], []])
        _ = machine.attemptFailed(Self.refused, attempt: 1, now: Self.start, jitter: 0)
        let early = Self.text(machine.wish(now: Self.start))
        #expect(early == [])
        let due = Self.text(machine.wish(now: Self.start + .milliseconds(50)))
        #expect(due == ["connect 2"])
    }

    @Test func closingIsTheEnd() {
        var waiting = ClientMachine<String, String>()
        _ = waiting.ask("a", now: Self.start)
        let failed = Self.text(waiting.close())
        #expect(failed == ["a fails: the Redis client has been closed"])
        let late = Self.text(waiting.attemptSucceeded("C", attempt: 1, now: Self.start))
        #expect(late == ["close C"])
        let refused = Self.text(waiting.ask("b", now: Self.start).actions)
        #expect(refused == ["b fails: the Redis client has been closed"])

        var connected = ClientMachine<String, String>()
        _ = connected.ask("a", now: Self.start)
        _ = connected.attemptSucceeded("C", attempt: 1, now: Self.start)
        let closed = Self.text(connected.close())
        #expect(closed == ["close C"])
        let lost = Self.text(connected.connectionLost(Self.refused, attempt: 1, now: Self.start, jitter: 0))
        #expect(lost == [], "a connection that was given up is not reported lost")
    }

    @Test func backoffStaysWithinItsBounds() {
        for failures in [Int.min, 0, 1, 2, 5, 10, 100, Int.max] {
            for jitter in [0, 0.5, 0.999_999] {
                let delay = Backoff.delay(failures: failures, jitter: jitter)
                #expect(delay >= .milliseconds(50) && delay <= .seconds(2))
            }
        }
        #expect(Backoff.delay(failures: 1, jitter: 0.999_999) > Backoff.delay(failures: 1, jitter: 0))
    }
}
