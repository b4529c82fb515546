public import Logging
public import NIOCore
public import NIOPosix
public import RedisTransport
import SagaCore
public import ServiceLifecycle
import Synchronization

/// A service's part in sagas: reads its commands, lets its handlers execute them behind a barrier, and answers.
///
/// ```swift
/// let barrier = try SQLiteBarrier(path: "inventory.db")
/// let inventory = Participant(service: "inventory", redis: redis, barrier: barrier, logger: logger) { service in
///     service.on("reserve") { (order: Order, step, db) in
///         …
///         throw Refusal("out-of-stock", "only 3 left")
///     }
///     service.on("release") { (order: Order, step, db) in … }
/// }
/// try await ServiceGroup(services: [inventory], gracefulShutdownSignals: [.sigterm], logger: logger).run()
/// ```
///
/// Any number of instances share a service's commands; each needs a consumer's name of its own
/// (``ParticipantOptions/consumer``). Commands are in no order but the one that a saga's definition gives them.
public final class Participant<Store: Barrier>: Service {
    let core: ParticipantCore<Store>
    let reader: RedisRouter
    let writer: RedisRouter

    /// - Parameters:
    ///   - service: The name that definitions know the service by.
    ///   - redis: The server of the namespace, or what stands for it: sentinels, a cluster.
    ///   - namespace: Which one of the server's namespaces.
    ///   - barrier: The memory of what was executed, and what handlers work with.
    ///   - options: How it reads, and its bounds.
    ///   - group: Runs the connections.
    ///   - logger: Is told the service's and the consumer's name with each message.
    ///   - handlers: Registers the handlers.
    /// - Precondition: the names are allowed and the options have no fault.
    public convenience init(
        service: String, redis: RedisEndpoint, namespace: String = "skald", barrier: Store,
        options: ParticipantOptions = ParticipantOptions(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger,
        _ handlers: (inout Handlers<Store>) -> Void
    ) {
        self.init(
            service: service, redis: redis, namespace: namespace, barrier: barrier, options: options, group: group,
            logger: logger, hooks: ParticipantHooks(), handlers)
    }

    package init(
        service: String, redis: RedisEndpoint, namespace: String, barrier: Store, options: ParticipantOptions,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger, hooks: ParticipantHooks,
        _ register: (inout Handlers<Store>) -> Void
    ) {
        precondition(Names.isName(service), "not a service's name: \(service)")
        precondition(Names.isNamespace(namespace), "not a namespace: \(namespace)")
        if let fault = options.fault { preconditionFailure(fault) }
        var handlers = Handlers<Store>()
        register(&handlers)
        var logger = logger
        logger[metadataKey: "service"] = "\(service)"
        logger[metadataKey: "consumer"] = "\(options.consumer ?? "\(service)-1")"
        core = ParticipantCore(
            service: service, namespace: namespace, options: options, handlers: handlers, barrier: barrier,
            hooks: hooks, logger: logger)
        writer = RedisRouter(
            endpoint: redis, options: ConnectionOptions(name: "skald-\(core.consumer)"), group: group, logger: logger)
        reader = writer.sibling(options: ConnectionOptions(name: "skald-\(core.consumer)-read"))
    }

    /// What it has done so far.
    public var counts: ParticipantCounts { core.counts.withLock { $0 } }

    /// Runs until a graceful shutdown or a cancellation; can be called once.
    ///
    /// Redis may come and go. On a graceful shutdown it reads nothing more, answers what it has in hand, and returns.
    /// A cancellation is like a crash: what is committed and not answered is answered by the next process.
    ///
    /// - Throws: ``ParticipantError`` where the namespace is not one that this version can work in.
    public func run() async throws {
        let (core, writer) = (core, writer)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await core.calls.run { await core.call($0, answeringThrough: writer) } }
                group.addTask { await core.purge() }
                // On an error the group cancels what is under way.
                defer { core.calls.finish() }
                try await sessions()
                core.calls.finish()
                try await group.waitForAll()
            }
        } catch {
            await close()
            throw error
        }
        await close()
    }

    private func close() async {
        await reader.close()
        await writer.close()
    }
}
