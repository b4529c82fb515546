import Logging
import RedisTransport
import SagaCore
import SagaRedis
import SagaWire
import Synchronization

/// What all sessions of a participant share.
final class ParticipantCore<Store: Barrier>: Sendable {
    /// The service's name, which is its consumer group's as well.
    let service: String
    let namespace: String
    let consumer: String
    let options: ParticipantOptions
    let handlers: Handlers<Store>
    let barrier: Store
    let hooks: ParticipantHooks
    let logger: Logger
    let clock = RedisClock()
    let calls: ExternalCalls
    let counts = Mutex(ParticipantCounts())
    private let notices = Mutex(Notices())

    private struct Notices {
        var unknownOperations: Set<String> = []
        var isSealedNoticed = false
        var isBarrierDown = false
        var isUncorrectedNoticed = false
        /// How often entries that are not known to be answered had been delivered when this process came to them:
        /// whatever it reads again did not kill it. None of those counts that it has performed.
        var deliveries: [EntryID: Int] = [:]
    }

    init(
        service: String, namespace: String, options: ParticipantOptions, handlers: Handlers<Store>, barrier: Store,
        hooks: ParticipantHooks, logger: Logger
    ) {
        self.service = service
        self.namespace = namespace
        consumer = options.consumer ?? "\(service)-1"
        self.options = options
        self.handlers = handlers
        self.barrier = barrier
        self.hooks = hooks
        self.logger = logger
        calls = ExternalCalls(concurrency: options.concurrency)
    }

    /// How long a command is left to another consumer. Nobody may take a call for abandoned that is still allowed to
    /// take its time.
    var claimAfter: Duration {
        guard handlers.longestCall > .zero else { return options.claimAfter }
        return max(options.claimAfter, handlers.longestCall + .milliseconds(2 * ExternalCall.grace))
    }

    /// Performs local commands, and gives one answer for each, in order.
    ///
    /// Where the barrier itself is out of order, the answer is `retry`: nothing is known of what it committed, and the
    /// coordinator knows that a `retry` proves nothing.
    func perform(_ commands: [Command], now: Milliseconds) async throws -> [BarrierAnswer] {
        let batch = CommandBatch(namespace: namespace, now: now, commands: commands)
        return try await settle(batch) { [handlers] command, transaction in
            handlers.run(command, transaction, now: now)
        }
    }

    /// Performs a batch with a handler of the caller's.
    func settle(
        _ batch: CommandBatch, _ handler: @escaping @Sendable (Command, Store.Transaction) -> HandlerOutcome
    ) async throws -> [BarrierAnswer] {
        guard !batch.commands.isEmpty else { return [] }
        do {
            let answers = try await barrier.perform(batch, handler)
            noticeBarrier(down: nil)
            return answers
        } catch {
            try Task.checkCancellation()
            noticeBarrier(down: error)
            return batch.commands.map { command in
                .reply(
                    ReplyMessage(
                        id: command.id, outcome: .retry, error: "the service's database: \(error)".cut(to: 1_024),
                        code: RetryCode.unavailable))
            }
        }
    }

    private func noticeBarrier(down error: (any Error)?) {
        let changed = notices.withLock { notices in
            defer { notices.isBarrierDown = error != nil }
            return notices.isBarrierDown != (error != nil)
        }
        guard changed else { return }
        if let error {
            logger.warning("the barrier failed; commands are answered retry", metadata: ["reason": "\(error)"])
        } else {
            logger.info("the barrier works again")
        }
    }

    /// Says once that an operation is asked for which nobody handles.
    func noticeUnknown(_ operation: String) {
        guard handlers[operation] == nil else { return }
        guard notices.withLock({ $0.unknownOperations.insert(operation).inserted }) else { return }
        logger.warning(
            "no handler for an operation; its commands are answered retry until a build that has one is deployed",
            metadata: ["operation": "\(operation)"])
    }

    /// Says once that payloads cannot be opened.
    func noticeSealed(_ fault: PayloadKeyError) {
        let isNew = notices.withLock { notices in
            defer { notices.isSealedNoticed = true }
            return !notices.isSealedNoticed
        }
        guard isNew else { return }
        logger.warning(
            "payloads cannot be decrypted; their commands are answered retry until the key is given",
            metadata: ["reason": "\(fault)"])
    }

    /// Says once that this user may not correct how often commands were delivered.
    func noticeUncorrected() {
        let isNews = notices.withLock { notices in
            defer { notices.isUncorrectedNoticed = true }
            return !notices.isUncorrectedNoticed
        }
        guard isNews else { return }
        logger.warning(
            "the Redis user lacks XCLAIM: a command that is read again after lost connections may be given up too soon",
            metadata: ["remedy": "renew the user by `skald acl service \(service)`"])
    }

    // MARK: entries that are read again

    /// The most that are remembered; forgetting some only costs an answer of `retry`, after as many lost connections.
    private static var rememberedLimit: Int { 16_384 }

    /// They were performed, and their answers were lost.
    func noteSurvived(_ entries: some Sequence<EntryID>) {
        notices.withLock { notices in
            for entry in entries { notices.deliveries[entry] = 0 }
            if notices.deliveries.count > Self.rememberedLimit { notices.deliveries = [:] }
        }
    }

    func noteAnswered(_ entries: some Sequence<EntryID>) {
        notices.withLock { notices in
            guard !notices.deliveries.isEmpty else { return }
            for entry in entries { notices.deliveries[entry] = nil }
        }
    }

    /// How often an entry was delivered to processes that may have died of it, of `counted` deliveries.
    func deliveries(of entry: EntryID, counted: Int) -> Int {
        notices.withLock { notices in
            if let known = notices.deliveries[entry] { return known }
            if notices.deliveries.count >= Self.rememberedLimit { notices.deliveries = [:] }
            notices.deliveries[entry] = counted
            return counted
        }
    }
}
