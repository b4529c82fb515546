import NIOCore
import RedisTransport
import Testing

@Suite struct ConnectionMachineTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private static let ping = RedisCommand("PING")
    private static let reason = RedisError(code: .connectionClosed, message: "gone", effect: .indeterminate)

    private static func machine(replies: Int = 100, bytes: Int = 10_000) -> ConnectionMachine<Int> {
        ConnectionMachine(maxPendingReplies: replies, maxUnsentBytes: bytes)
    }

    /// Submits and returns whether a flush is to be scheduled; nil if it was refused.
    private static func submit(
        _ machine: inout ConnectionMachine<Int>, _ waiter: Int, count: Int = 1, timeout: TimeAmount = .seconds(10)
    ) -> Bool? {
        switch machine.submit(Array(repeating: ping, count: count), waiter: waiter, timeout: timeout) {
        case .none: false
        case .scheduleFlush: true
        case .refuse: nil
        }
    }

    private static func written(_ action: ConnectionMachine<Int>.FlushAction) -> (text: String, timer: NIODeadline?)? {
        guard case .write(let buffer, let timer) = action else { return nil }
        return (String(buffer: buffer), timer)
    }

    private static func waiters(_ machine: inout ConnectionMachine<Int>, _ count: Int) -> (
        waiters: [Int], isExpected: Bool
    ) {
        var waiters: [Int] = []
        let isExpected = machine.replies(count, &waiters)
        return (waiters, isExpected)
    }

    @Test func commandsOfOneTurnGoOutInOneWrite() {
        var machine = Self.machine()
        let scheduled = [Self.submit(&machine, 1), Self.submit(&machine, 2), Self.submit(&machine, 3)]
        #expect(scheduled == [true, false, false])
        let first = Self.written(machine.flush(isWritable: true, now: Self.start))
        #expect(first?.text == String(repeating: "*1\r\n$4\r\nPING\r\n", count: 3))
        let second = Self.written(machine.flush(isWritable: true, now: Self.start))
        #expect(second == nil)
        let again = Self.submit(&machine, 4)
        #expect(again == true)
    }

    @Test func buffersAreNotMixedUpWhenTheyAreUsedAgain() {
        var machine = Self.machine()
        var kept: [ByteBuffer] = []
        for index in 0..<5 {
            _ = machine.submit([RedisCommand("ECHO", "\(index)")], waiter: index, timeout: .seconds(1))
            if case .write(let buffer, _) = machine.flush(isWritable: true, now: Self.start) { kept.append(buffer) }
        }
        #expect(kept.map { String(buffer: $0) } == (0..<5).map { "*2\r\n$4\r\nECHO\r\n$1\r\n\($0)\r\n" })
    }

    @Test func repliesGoToTheirCommandsInOrder() {
        var machine = Self.machine()
        _ = Self.submit(&machine, 1)
        _ = Self.submit(&machine, 2, count: 3)
        _ = Self.submit(&machine, 3)
        _ = machine.flush(isWritable: true, now: Self.start)
        let first = Self.waiters(&machine, 2)
        #expect(first.waiters == [1, 2])
        let rest = Self.waiters(&machine, 3)
        #expect(rest.waiters == [2, 2, 3])
        #expect(first.isExpected && rest.isExpected)
    }

    @Test func aReplyThatNobodyAskedForIsAViolation() {
        var machine = Self.machine()
        _ = Self.submit(&machine, 1)
        _ = machine.flush(isWritable: true, now: Self.start)
        let got = Self.waiters(&machine, 2)
        #expect(got.waiters == [1])
        #expect(!got.isExpected)
    }

    @Test func aReplyToACommandThatWasNotSentIsAViolation() {
        var machine = Self.machine()
        _ = Self.submit(&machine, 1)
        let got = Self.waiters(&machine, 1)
        #expect(got.waiters.isEmpty)
        #expect(!got.isExpected)
    }

    @Test func closingTellsWhatWasSentFromWhatWasNot() {
        var machine = Self.machine()
        _ = Self.submit(&machine, 1)
        _ = Self.submit(&machine, 2, count: 2)
        _ = machine.flush(isWritable: true, now: Self.start)
        _ = Self.waiters(&machine, 2)
        _ = Self.submit(&machine, 3)
        let action = machine.close(Self.reason)
        #expect(action?.sent == [2])
        #expect(action?.unsent == [3])
        let again = machine.close(Self.reason)
        #expect(again == nil)
        let refused = machine.submit([Self.ping], waiter: 4, timeout: .seconds(1))
        guard case .refuse(let error) = refused else {
            Issue.record("a closed connection took a command")
            return
        }
        #expect(error.code == .connectionClosed)
        #expect(error.effect == .notApplied)
        let late = Self.waiters(&machine, 1)
        #expect(late.isExpected, "replies that race with the end are not a second failure")
    }

    @Test func commandsStayUnsentWhileTheChannelIsNotWritable() {
        var machine = Self.machine()
        _ = Self.submit(&machine, 1)
        let held = Self.written(machine.flush(isWritable: false, now: Self.start))
        #expect(held == nil)
        let scheduled = Self.submit(&machine, 2)
        #expect(scheduled == false, "the channel will say when it is writable")
        let written = Self.written(machine.flush(isWritable: true, now: Self.start))
        #expect(written?.text.isEmpty == false)
        _ = Self.submit(&machine, 3)
        _ = machine.flush(isWritable: false, now: Self.start)
        let action = machine.close(Self.reason)
        #expect(action?.sent == [1, 2])
        #expect(action?.unsent == [3])
    }

    @Test func theBacklogIsBoundedInRepliesAndBytes() {
        var machine = Self.machine(replies: 3, bytes: 10_000)
        let taken = [Self.submit(&machine, 1, count: 2), Self.submit(&machine, 2), Self.submit(&machine, 3)]
        #expect(taken == [true, false, nil])
        _ = machine.flush(isWritable: true, now: Self.start)
        _ = Self.waiters(&machine, 1)
        let again = Self.submit(&machine, 4)
        #expect(again == true)

        var narrow = Self.machine(replies: 100, bytes: Self.ping.byteCount * 2)
        let fits = [Self.submit(&narrow, 1), Self.submit(&narrow, 2), Self.submit(&narrow, 3)]
        #expect(fits == [true, false, nil])
        _ = narrow.flush(isWritable: true, now: Self.start)
        let afterwards = Self.submit(&narrow, 3)
        #expect(afterwards == true)
    }

    @Test func theTimerFollowsTheOldestCommand() {
        var machine = Self.machine()
        _ = Self.submit(&machine, 1, timeout: .seconds(10))
        let first = Self.written(machine.flush(isWritable: true, now: Self.start))
        #expect(first?.timer == Self.start + .seconds(10))
        _ = Self.waiters(&machine, 1)
        // A later deadline needs no new timer: the one that is set asks again.
        _ = Self.submit(&machine, 2, timeout: .seconds(10))
        let second = Self.written(machine.flush(isWritable: true, now: Self.start + .seconds(1)))
        #expect(second?.timer == nil)
        let fired = machine.timerFired(now: Self.start + .seconds(10))
        guard case .set(let deadline) = fired else {
            Issue.record("expected a new timer")
            return
        }
        #expect(deadline == Self.start + .seconds(11))
        guard case .giveUp = machine.timerFired(now: Self.start + .seconds(11)) else {
            Issue.record("expected the end")
            return
        }
    }

    @Test func aShorterTimeoutBringsTheTimerForward() {
        var machine = Self.machine()
        _ = Self.submit(&machine, 1, timeout: .seconds(10))
        _ = machine.flush(isWritable: true, now: Self.start)
        _ = Self.waiters(&machine, 1)
        _ = Self.submit(&machine, 2, timeout: .seconds(1))
        let written = Self.written(machine.flush(isWritable: true, now: Self.start))
        #expect(written?.timer == Self.start + .seconds(1))
    }

    @Test func aCommandHasAsLongAsThoseBeforeIt() {
        var machine = Self.machine()
        _ = Self.submit(&machine, 1, timeout: .seconds(5))
        _ = Self.submit(&machine, 2, timeout: .seconds(1))
        _ = machine.flush(isWritable: true, now: Self.start)
        _ = Self.waiters(&machine, 1)
        guard case .none = machine.timerFired(now: Self.start + .seconds(4)) else {
            Issue.record("the second command's own time is up, but not that of the one it waited for")
            return
        }
        guard case .giveUp = machine.timerFired(now: Self.start + .seconds(5)) else {
            Issue.record("expected the end")
            return
        }
    }

    @Test func anIdleConnectionNeverTimesOut() {
        var machine = Self.machine()
        _ = Self.submit(&machine, 1)
        _ = machine.flush(isWritable: true, now: Self.start)
        _ = Self.waiters(&machine, 1)
        guard case .none = machine.timerFired(now: Self.start + .hours(1)) else {
            Issue.record("nothing is pending")
            return
        }
    }
}
