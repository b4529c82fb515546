import Logging
import SagaCore
import SagaStore
import Synchronization

/// What the orchestrator knows of its server's ability to confirm, and what follows for sagas.
///
/// Shared by the lanes. Each look at the server is news for all of them.
final class Confirmations: Sendable {
    private struct State {
        var means = ConfirmationMeans.none("it has not been looked at")
        var lastLook: Milliseconds?
        /// When replicas were seen last.
        var lastReplicas: Milliseconds?
        /// When a new era was waited for in vain.
        var lastLateRaise: Milliseconds?
    }

    let durability: Durability
    let replicas: Int
    /// Whether nothing is let out unconfirmed, also where the server cannot confirm.
    let isStrict: Bool
    private let patience: Milliseconds
    private let interval: Milliseconds
    private let state = Mutex(State())

    init(_ options: OrchestratorOptions) {
        durability = options.durability
        replicas = options.replicas
        isStrict = options.requiresConfirmation
        patience = options.confirmationPatience
        interval = options.confirmationCheckInterval
    }

    /// How writes are confirmed now.
    var means: ConfirmationMeans { state.withLock { $0.means } }

    /// Whether the server has to be looked at before anything is made of ``means``.
    func isStale(at now: Milliseconds) -> Bool {
        state.withLock { state in state.lastLook.map { now - $0 >= interval } ?? true }
    }

    /// The server may be another one than before.
    func expire() { state.withLock { $0.lastLook = nil } }

    /// A confirmation failed for some time: the server is looked at again, but not each time.
    func expireSoon(at now: Milliseconds) {
        state.withLock { state in
            if let last = state.lastLook, now - last >= min(interval, 1_000) { state.lastLook = nil }
        }
    }

    /// Whether to wait for a new era's confirmation: not for each of many partitions in turn where one waited in vain.
    func mayAwaitRaise(at now: Milliseconds) -> Bool {
        state.withLock { state in state.lastLateRaise.map { now - $0 >= 5_000 } ?? true }
    }

    func noteLateRaise(at now: Milliseconds) { state.withLock { $0.lastLateRaise = now } }

    /// Takes over what a look at the server showed.
    ///
    /// A server that had replicas is taken to have them for a while: they come back after a restart or a failover, and in
    /// just that time it matters that nothing is let out unconfirmed.
    ///
    /// - Returns: What is to be told, where it is news.
    func note(_ seen: ConfirmationMeans, at now: Milliseconds) -> ConfirmationMeans? {
        state.withLock { state in
            state.lastLook = now
            var means = seen
            if case .replicas = seen {
                state.lastReplicas = now
            } else if let last = state.lastReplicas, now - last < patience {
                means = .replicas(replicas)
            }
            defer { state.means = means }
            return means == state.means ? nil : means
        }
    }

    /// Says once what has changed.
    func tell(_ news: ConfirmationMeans, asking: [Definition], _ logger: Logger) {
        switch news {
        case .replicas(let count):
            logger.info("writes are confirmed by replicas", metadata: ["replicas": "\(count)"])
        case .disk: logger.info("writes are confirmed by the disk")
        case .none(let reason):
            let names: Logger.Metadata = [
                "definitions": "\(asking.map(\.id).joined(separator: " "))", "reason": "\(reason)",
            ]
            if isStrict {
                logger.warning(
                    "the Redis server cannot confirm writes: sagas under durability replicated wait until it can",
                    metadata: names)
            } else {
                logger.warning(
                    "the Redis server cannot confirm writes: durability replicated is treated as async",
                    metadata: names)
            }
        }
    }

    /// Whether sagas of a definition ask for confirmations.
    func isWanted(by definition: Definition) -> Bool {
        definition.durability == .replicated || durability == .replicated && definition.pivot == nil
    }

    /// Whether a saga that begins now waits for confirmations.
    func hold(_ definition: Definition) -> Bool { isWanted(by: definition) && isPossible }

    /// Whether to wait for confirmations makes sense.
    var isPossible: Bool {
        if isStrict { return true }
        if case .none = means { return false }
        return true
    }

    /// Why the server cannot confirm; nil where it can.
    var impediment: String? {
        if case .none(let reason) = means { reason } else { nil }
    }
}
