public import Logging
import SagaCore
public import SagaStore
public import ServiceLifecycle

/// The coordinator's process: takes partitions, and moves the sagas in them.
///
/// Any number of them can run on one namespace, and share its partitions evenly. A partition belongs to one at a time, and
/// what a former owner still writes is refused by its epoch. On graceful shutdown it hands its partitions over one by one,
/// each when its commits in flight are finished; what is left after two lease times it gives up at once.
public final class Orchestrator: Service {
    private let store: any SagaStore
    private let options: OrchestratorOptions
    private let secret: [UInt8]?
    private let holdings: Holdings
    private let logger: Logger
    private let surroundings: Surroundings
    private let confirmations: Confirmations
    public let registry: DefinitionRegistry

    /// - Parameter secret: Of the reply tokens; nil takes the one that is kept in the store.
    public convenience init(
        store: any SagaStore, options: OrchestratorOptions, secret: [UInt8]? = nil, logger: Logger
    ) {
        self.init(store: store, options: options, secret: secret, logger: logger, surroundings: .real)
    }

    package init(
        store: any SagaStore, options: OrchestratorOptions, secret: [UInt8]? = nil, logger: Logger,
        surroundings: Surroundings
    ) {
        precondition(options.lanes > 0, "an orchestrator has at least one lane, not \(options.lanes)")
        self.store = store
        self.options = options
        self.secret = secret
        self.logger = logger
        self.surroundings = surroundings
        let laneCount = min(options.lanes, options.partitions ?? options.lanes)
        holdings = Holdings(
            laneCount: laneCount, instance: surroundings.randomText(),
            admission: Admission(allowed: options.memoryShare, margin: options.memoryMargin))
        confirmations = Confirmations(options)
        registry = DefinitionRegistry(store: store)
    }

    /// Partitions held at this moment.
    public var heldPartitions: [Int] { holdings.heldPartitions }

    /// What was done so far.
    public var counts: Tally { holdings.tally }

    /// Why no sagas are begun at the moment, which wait in the intake; nil where they are.
    public var overload: Overload? { holdings.admission.overload }

    /// Whether the store did what was asked of it within the last two lease times; the error where it did not. A server
    /// that answers, and refuses to write, is not ready.
    public var readiness: Readiness {
        let health = holdings.health
        guard health.lastContact != nil else { return .starting(health.lastError) }
        let isWell = health.isWell(within: options.lease * 2, now: surroundings.monotonic())
        return isWell ? .ready : .unreachable(health.lastError)
    }

    /// Why durability `replicated` is not what sagas get that ask for it, in one line; nil where they do, or none does.
    public var durabilityImpediment: String? {
        let asking = registry.all.filter(confirmations.isWanted).map(\.id)
        guard let reason = confirmations.impediment, confirmations.isStrict || !asking.isEmpty else { return nil }
        let whose =
            asking.isEmpty ? "durability replicated" : "durability replicated of \(asking.joined(separator: ", "))"
        return
            "\(whose) \(confirmations.isStrict ? "waits" : "is treated as async"): the server cannot confirm, \(reason)"
    }

    public enum Readiness: Sendable, Hashable {
        case starting(String?)
        case ready
        case unreachable(String?)
    }

    /// Runs until graceful shutdown.
    ///
    /// - Throws: `StoreError` with the code `refused` or `corrupt` where the namespace is not one that this version,
    ///   or this configuration, can work on. A store that is out of reach is waited for.
    public func run() async throws {
        try await withTaskCancellationOrGracefulShutdownHandler {
            guard let partitions = try await untilReachable({ () async throws(StoreError) in try await self.open() })
            else { return }
            logger.info(
                "orchestrator started",
                metadata: [
                    "name": "\(options.name)", "partitions": "\(partitions.count)", "lease_ms": "\(options.lease)",
                ])
            // A task of its own, awaited here: cancellation ends the loops through the holdings, in good order, and must
            // not cut off the hand-over.
            await Task(executorPreference: surroundings.executor) {
                await self.work(partitions.count, TokenSigner(secret: partitions.secret))
            }
            .value
            logger.info("orchestrator stopped", metadata: ["name": "\(options.name)"])
        } onCancelOrGracefulShutdown: {
            self.holdings.stop()
        }
    }

    private func open() async throws(StoreError) -> (count: Int, secret: [UInt8]) {
        let count = try await store.open(partitions: options.partitions)
        for unreadable in try await registry.reload() {
            logger.error("a registered definition cannot be read", metadata: ["error": "\(unreadable)"])
        }
        try await checkDurability()
        if let secret { return (count, secret) }
        let proposal = (0..<32).map { _ in UInt8(truncatingIfNeeded: surroundings.random()) }
        return (count, try await store.secret(proposal: proposal))
    }

    /// Looks whether the server can confirm writes, where somebody wants that.
    private func checkDurability() async throws(StoreError) {
        let asking = registry.all.filter(confirmations.isWanted)
        guard confirmations.isStrict || !asking.isEmpty else { return }
        let session = store.session()
        let means: Result<ConfirmationMeans, StoreError>
        do throws(StoreError) {
            means = .success(try await session.confirmationMeans(replicas: confirmations.replicas))
        } catch {
            means = .failure(error)
        }
        await session.close()
        guard let news = confirmations.note(try means.get(), at: surroundings.monotonic()) else { return }
        if confirmations.isStrict, case .none(let reason) = news {
            throw StoreError(
                .refused, .notApplied,
                "durability replicated is asked for, and the Redis server cannot confirm writes: \(reason)")
        }
        confirmations.tell(news, asking: asking, logger)
    }

    /// Tries until the store answers; says once that it doesn't. Nil where the orchestrator is to stop before that.
    private func untilReachable<Result>(
        _ body: () async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result? {
        var failures = 0
        while !holdings.isStopping {
            do throws(StoreError) {
                let result = try await body()
                holdings.noteContact(.opening, at: surroundings.monotonic())
                return result
            } catch {
                guard error.code == .unavailable || error.code == .full else { throw error }
                failures += 1
                if holdings.noteFailure(.opening, error.message, at: surroundings.monotonic()) {
                    logger.warning("store out of reach: trying until it answers", metadata: ["error": "\(error)"])
                }
                // Cancellation is looked at above.
                await surroundings.sleep(surroundings.backoff(after: failures, within: options.backoff))
                if Task.isCancelled { holdings.stop() }
            }
        }
        return nil
    }

    private func work(_ partitionCount: Int, _ signer: TokenSigner) async {
        await withTaskGroup(of: Void.self) { group in
            let rollCall = RollCall(
                store: store, holdings: holdings, options: options, logger: logger, surroundings: surroundings)
            group.addTask { await rollCall.run() }
            let session = store.session()
            group.addTask { [registry, options, holdings, confirmations, logger, surroundings] in
                await LeaseKeeper(
                    session: session, registry: registry, partitionCount: partitionCount, options: options,
                    holdings: holdings, confirmations: confirmations, logger: logger, surroundings: surroundings
                ).run()
            }
            for index in 0..<holdings.laneCount {
                let session = store.session()
                group.addTask { [registry, options, holdings, confirmations, logger, surroundings] in
                    await Lane(
                        index: index, session: session, registry: registry, signer: signer, options: options,
                        holdings: holdings, confirmations: confirmations, logger: logger, surroundings: surroundings
                    ).run()
                }
            }
        }
    }
}
