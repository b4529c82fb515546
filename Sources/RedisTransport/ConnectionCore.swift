import NIOCore
import Synchronization

/// The shell of ``ConnectionMachine``: its lock, its channel, its timers.
final class ConnectionCore: Sendable {
    let channel: any Channel
    private let replyTimeout: TimeAmount
    private let machine: Mutex<ConnectionMachine<ReplySink>>
    /// Whether the connection ends with the first reply by which the server shows that it is no master any more.
    private let endsWithDemotion = Atomic(false)

    private init(channel: any Channel, options: ConnectionOptions) {
        self.channel = channel
        replyTimeout = TimeAmount(bounded: options.replyTimeout)
        machine = Mutex(
            ConnectionMachine(
                maxPendingReplies: options.maxPendingReplies, maxUnsentBytes: options.maxUnsentBytes))
    }

    /// Becomes the end of the pipeline of a new channel: call on its event loop. What stands between it and the
    /// socket is the caller's (TLS, say).
    static func attach(to channel: any Channel, options: ConnectionOptions) throws -> ConnectionCore {
        guard let parser = ReplyParser(options: options) else {
            throw RedisError.connectFailed("no memory for a reply reader")
        }
        let core = ConnectionCore(channel: channel, options: options)
        try channel.pipeline.syncOperations.addHandler(ConnectionHandler(core: core, parser: parser))
        return core
    }

    /// From now on, a reply by which the server shows that it is no master any more closes the connection.
    func endWithDemotion() { endsWithDemotion.store(true, ordering: .relaxed) }

    /// Why it is closed, if it is.
    var closeReason: RedisError? { machine.withLock { $0.closeReason } }

    // Any thread.

    func submit(_ commands: some Collection<RedisCommand>, to sink: ReplySink, timeout: Duration?) {
        let timeout = timeout.map(TimeAmount.init(bounded:)) ?? replyTimeout
        let action = machine.withLock { $0.submit(commands, waiter: sink, timeout: timeout) }
        switch action {
        case .none: break
        case .scheduleFlush: channel.eventLoop.execute { self.flush() }
        case .refuse(let error): sink.fail(error)
        }
    }

    func close(_ reason: RedisError) {
        guard let action = machine.withLock({ $0.close(reason) }) else { return }
        for sink in action.unsent {
            sink.fail(reason.with(effect: .notApplied))
        }
        for sink in action.sent {
            sink.fail(reason.with(effect: .indeterminate))
        }
        channel.close(mode: .all, promise: nil)
    }

    // The channel's event loop.

    func flush() {
        let now = channel.eventLoop.now
        let isWritable = channel.isWritable
        let action = machine.withLock { $0.flush(isWritable: isWritable, now: now) }
        guard case .write(let output, let timer) = action else { return }
        channel.writeAndFlush(output, promise: nil)
        if let timer { set(timer) }
    }

    /// `sinks` is scratch space that the caller keeps, so that it need not be allocated for each read.
    func received(_ replies: [RedisReply], _ sinks: inout [ReplySink]) {
        sinks.removeAll(keepingCapacity: true)
        let areExpected = machine.withLock { $0.replies(replies.count, &sinks) }
        // First: whoever hears that the server is no master must not find its connection open, and try there again.
        if endsWithDemotion.load(ordering: .relaxed), let error = demotion(in: replies) { close(error) }
        for (sink, reply) in zip(sinks, replies) {
            sink.receive(reply)
        }
        sinks.removeAll(keepingCapacity: true)
        if !areExpected {
            close(
                RedisError(
                    code: .protocolViolation, message: "a reply that nobody asked for", effect: .indeterminate))
        }
    }

    private func demotion(in replies: [RedisReply]) -> RedisError? {
        for reply in replies where reply.isError {
            guard let error = reply.value.error else { continue }
            switch error.code {
            case .readOnly, .unblocked, .masterDown: return error
            default: continue
            }
        }
        return nil
    }

    private func set(_ timer: NIODeadline) {
        channel.eventLoop.scheduleTask(deadline: timer) { [weak self] in self?.timerFired() }
    }

    private func timerFired() {
        let now = channel.eventLoop.now
        let action = machine.withLock { $0.timerFired(now: now) }
        switch action {
        case .none: break
        case .set(let timer): set(timer)
        case .giveUp:
            close(RedisError(code: .timeout, message: "no reply within the time allowed", effect: .indeterminate))
        }
    }
}

extension TimeAmount {
    /// Times beyond a year are a year: adding them to a clock must not overflow.
    init(bounded duration: Duration) {
        self = min(max(TimeAmount(duration), .zero), .hours(24 * 365))
    }
}
