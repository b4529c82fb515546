import SagaCore
public import SagaWire
import Synchronization

/// What a participant makes of one command.
public struct Behaviour: Sendable, Hashable {
    /// What the business rule says where it is its turn: `succeeded`, `failed` or `retry`.
    public var verdict: ReplyOutcome
    public var result: [UInt8]?
    /// How long the command is held before it is performed, and the reply before it is sent.
    public var holdBefore: Duration
    public var holdAfter: Duration

    public init(
        _ verdict: ReplyOutcome = .succeeded, result: [UInt8]? = nil, holdBefore: Duration = .zero,
        holdAfter: Duration = .zero
    ) {
        self.verdict = verdict
        self.result = result
        self.holdBefore = holdBefore
        self.holdAfter = holdAfter
    }
}

/// Participants with a ``BarrierModel`` each, one for each service, in this process.
///
/// They outlive whatever happens to the server: what they hold when it is killed they perform and answer all the same,
/// when they can.
public final class ModelParticipants: Sendable {
    public typealias Plan = @Sendable (Command) -> Behaviour

    private struct State {
        var barriers: [String: BarrierModel] = [:]
        var plan: Plan = { _ in Behaviour() }
        var held = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// Decides what is made of commands from now on; before that, all succeed at once.
    public func setPlan(_ plan: @escaping Plan) { state.withLock { $0.plan = plan } }

    /// Commands and replies that are being held.
    public var heldCount: Int { state.withLock { $0.held } }

    /// By `SAGA/STEP`: actions that took effect minus those that were undone.
    public var effects: [String: Int] { merged(\.effects) }

    /// By idempotency key: how often it took effect.
    public var executions: [String: Int] { merged(\.executions) }

    /// What was asked of all services about a saga, and what they answered, each in its order.
    public func history(of saga: String) -> [String] {
        state.withLock { state in
            state.barriers.keys.sorted().flatMap { service in
                (state.barriers[service]?.history[saga] ?? []).map { "\(service): \($0)" }
            }
        }
    }

    private func merged(_ part: (BarrierModel) -> [String: Int]) -> [String: Int] {
        state.withLock { state in
            state.barriers.values.reduce(into: [:]) { $0.merge(part($1)) { $0 + $1 } }
        }
    }

    /// Serves until cancelled.
    public func run(services: [String], on namespace: any TestNamespace) async {
        await withDiscardingTaskGroup { group in
            for service in services {
                group.addTask { await self.serve(service, namespace.commandSource(of: service)) }
            }
        }
    }

    private func serve(_ service: String, _ source: any CommandSource) async {
        var source = source
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let deliveries: [Delivery]
                do {
                    deliveries = try await source.next()
                } catch {
                    // The server is away, or this task is cancelled: the loop looks again.
                    try? await Task.sleep(for: .milliseconds(10))
                    continue
                }
                let plan = state.withLock { $0.plan }
                var prompt: [(delivery: Delivery, reply: ReplyMessage)] = []
                for delivery in deliveries {
                    let behaviour = plan(delivery.command)
                    if behaviour.holdBefore + behaviour.holdAfter == .zero {
                        prompt.append((delivery, perform(delivery, behaviour, service)))
                    } else {
                        state.withLock { $0.held += 1 }
                        group.addTask { [source] in await self.hold(delivery, behaviour, service, source) }
                    }
                }
                if !prompt.isEmpty { await answer(prompt, source) }
            }
        }
        await source.close()
    }

    private func hold(
        _ delivery: Delivery, _ behaviour: Behaviour, _ service: String, _ source: any CommandSource
    ) async {
        defer { state.withLock { $0.held -= 1 } }
        do {
            try await Task.sleep(for: behaviour.holdBefore)
            let reply = perform(delivery, behaviour, service)
            try await Task.sleep(for: behaviour.holdAfter)
            await answer([(delivery, reply)], source)
        } catch {
            // Cancelled: dies with the command in hand.
        }
    }

    private func perform(_ delivery: Delivery, _ behaviour: Behaviour, _ service: String) -> ReplyMessage {
        state.withLock { state in
            state.barriers[service, default: BarrierModel()].perform(
                delivery.command, verdict: behaviour.verdict, result: behaviour.result)
        }
    }

    /// Answers until it works; a reply that is sent twice is harmless.
    private func answer(
        _ answers: [(delivery: Delivery, reply: ReplyMessage)], _ source: any CommandSource
    ) async {
        while !Task.isCancelled {
            do {
                return try await source.answer(answers)
            } catch {
                try? await Task.sleep(for: .milliseconds(10))
            }
        }
    }
}
