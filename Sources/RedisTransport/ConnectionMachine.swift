import DequeModule
package import NIOCore

/// The state of one connection: what waits to be sent, what waits for its reply, and when that is too late.
///
/// It does no I/O and has no clock. Each method says what happened and returns what is to be done; the caller holds a
/// lock around the call and acts after it. `Waiter` is where replies go.
package struct ConnectionMachine<Waiter: Sendable>: ~Copyable {
    private struct Unsent {
        var waiter: Waiter
        var replies: Int
        var timeout: TimeAmount
    }

    private struct InFlight {
        var waiter: Waiter
        /// How many replies it still lacks.
        var replies: Int
        /// When the connection is given up if they are not there. Never earlier than those of the commands before it,
        /// on whose replies it must wait too.
        var deadline: NIODeadline
    }

    /// Why it is closed, which is the end; nil while it is open. Closing empties everything below.
    package private(set) var closeReason: RedisError?

    /// Commands that are encoded and not yet handed to the channel.
    private var unsent: Deque<Unsent> = []
    private var output = ByteBuffer()
    /// The buffer that was written last: its memory is used again when the channel is done with it.
    private var spare = ByteBuffer()
    private var inFlight: Deque<InFlight> = []
    /// Replies that are outstanding, of unsent commands and those in flight.
    private var pendingReplies = 0
    /// Whether the owner has been told to flush and has not done so yet.
    private var flushIsDue = false
    /// When the owner's earliest timer fires.
    private var timer: NIODeadline?

    private let maxPendingReplies: Int
    private let maxUnsentBytes: Int

    package init(maxPendingReplies: Int, maxUnsentBytes: Int) {
        self.maxPendingReplies = maxPendingReplies
        self.maxUnsentBytes = maxUnsentBytes
    }

    package enum SubmitAction {
        case none
        /// Call ``flush(isWritable:now:)`` on the event loop, soon: what is submitted until then goes out together.
        case scheduleFlush
        case refuse(RedisError)
    }

    /// Commands were submitted, to be sent together; `waiter` gets a reply for each.
    package mutating func submit(
        _ commands: some Collection<RedisCommand>, waiter: Waiter, timeout: TimeAmount
    ) -> SubmitAction {
        if let closeReason { return .refuse(closeReason.with(effect: .notApplied)) }
        let replies = commands.count
        let bytes = commands.reduce(0) { $0 + $1.byteCount }
        guard pendingReplies + replies <= maxPendingReplies else {
            return .refuse(.backlogFull("\(maxPendingReplies) replies are outstanding"))
        }
        guard output.readableBytes + bytes <= maxUnsentBytes else {
            return .refuse(.backlogFull("more than \(maxUnsentBytes) bytes would wait to be sent"))
        }
        for command in commands {
            output.write(command)
        }
        unsent.append(Unsent(waiter: waiter, replies: replies, timeout: timeout))
        pendingReplies += replies
        guard !flushIsDue else { return .none }
        flushIsDue = true
        return .scheduleFlush
    }

    package enum FlushAction {
        case none
        /// Write and flush `output`; if `timer` is given, call ``timerFired(now:)`` then.
        case write(ByteBuffer, timer: NIODeadline?)
    }

    /// It is time to flush, or the channel has become writable.
    ///
    /// While the channel is not writable, commands stay here: they are known not to have been sent.
    package mutating func flush(isWritable: Bool, now: NIODeadline) -> FlushAction {
        guard isWritable, !unsent.isEmpty else {
            // Kept due while not writable: the channel says when it is again.
            flushIsDue = !unsent.isEmpty
            return .none
        }
        flushIsDue = false
        var latest = inFlight.last?.deadline ?? now
        while let next = unsent.popFirst() {
            latest = max(latest, now + next.timeout)
            inFlight.append(InFlight(waiter: next.waiter, replies: next.replies, deadline: latest))
        }
        let output = output
        swap(&self.output, &spare)
        self.output.reuse()
        return .write(output, timer: timerToSet())
    }

    /// Replies arrived, in order: appends the waiter of each. Returns false, and appends fewer, if there are more replies
    /// than commands.
    package mutating func replies(_ count: Int, _ waiters: inout [Waiter]) -> Bool {
        if closeReason != nil { return true }
        var missing = count
        while missing > 0, let oldest = inFlight.first {
            let taken = min(missing, oldest.replies)
            if taken == oldest.replies {
                inFlight.removeFirst()
            } else {
                inFlight[0].replies -= taken
            }
            for _ in 0..<taken {
                waiters.append(oldest.waiter)
            }
            missing -= taken
        }
        pendingReplies -= count - missing
        return missing == 0
    }

    package enum TimerAction {
        case none
        case set(NIODeadline)
        /// The oldest command has waited too long: close.
        case giveUp
    }

    /// A timer fired; it need not be one that still matters.
    package mutating func timerFired(now: NIODeadline) -> TimerAction {
        if let timer, timer <= now { self.timer = nil }
        if let oldest = inFlight.first, oldest.deadline <= now { return .giveUp }
        return timerToSet().map { .set($0) } ?? .none
    }

    /// The deadline of the oldest command, if no timer fires by then; the caller sets one.
    private mutating func timerToSet() -> NIODeadline? {
        guard let oldest = inFlight.first?.deadline else { return nil }
        if let timer, timer <= oldest { return nil }
        timer = oldest
        return oldest
    }

    package struct CloseAction {
        /// Fail these with `notApplied`, in order, then those of `sent`.
        package var unsent: [Waiter] = []
        /// Fail these with `indeterminate`, in order.
        package var sent: [Waiter] = []
    }

    /// The connection is at its end, for `reason`. Nil if it was already.
    package mutating func close(_ reason: RedisError) -> CloseAction? {
        guard closeReason == nil else { return nil }
        closeReason = reason
        let action = CloseAction(unsent: unsent.map(\.waiter), sent: inFlight.map(\.waiter))
        unsent = []
        inFlight = []
        output = ByteBuffer()
        spare = ByteBuffer()
        pendingReplies = 0
        return action
    }
}

extension RedisError {
    fileprivate static func backlogFull(_ message: String) -> RedisError {
        RedisError(code: .backlogFull, message: message, effect: .notApplied)
    }
}

extension ByteBuffer {
    /// Larger buffers are given back after use.
    private static let keptCapacity = 1 << 20

    fileprivate mutating func reuse() {
        if capacity > Self.keptCapacity {
            self = ByteBuffer()
        } else {
            clear()
        }
    }

    package mutating func write(_ command: RedisCommand) {
        writeInteger(UInt8(ascii: "*"))
        Decimal.write(UInt64(command.argumentCount)) { _ = writeBytes($0) }
        writeInteger(UInt8(ascii: "\r"))
        writeInteger(UInt8(ascii: "\n"))
        writeBytes(command.body)
    }
}
