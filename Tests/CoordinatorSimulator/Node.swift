import Logging
import SagaCore
import SagaOrchestrator
import SagaStore

/// One orchestrator's process: starts, freezes, dies without a word, starts again.
///
/// Unchecked for the reason of ``Conductor``: one thread.
final class Node: @unchecked Sendable {
    let name: String
    let world: World
    /// How far its machine's clock is wrong.
    let skew: Milliseconds
    private(set) var isDead = false
    private(set) var frozenUntil: Milliseconds = 0
    private(set) var isRunning = false
    private(set) var orchestrator: Orchestrator?
    private var task: Task<Void, Never>?

    init(_ name: String, skew: Milliseconds, in world: World) {
        self.name = name
        self.skew = skew
        self.world = world
    }

    func start(_ options: OrchestratorOptions) {
        var options = options
        options.name = name
        options.safeguards = world.safeguards
        let world = world
        let surroundings = Surroundings(
            monotonic: { world.now }, wall: { world.wall + self.skew },
            sleep: { await self.sleep($0.milliseconds) }, random: { world.random.next() }, executor: world.conductor)
        let orchestrator = Orchestrator(
            store: SimulatedStore(world, self), options: options, logger: Self.silence, surroundings: surroundings)
        self.orchestrator = orchestrator
        isRunning = true
        world.note(10, name, "starts")
        task = Task(executorPreference: world.conductor) {
            do {
                try await orchestrator.run()
            } catch {
                world.report(.liveness, "\(self.name) ended: \(error)")
            }
            self.isRunning = false
        }
    }

    private static let silence = Logger(label: "simulated") { _ in SwiftLogNoOpLogHandler() }

    /// Nothing of the process happens any more: what it still sends is discarded.
    func crash() {
        isDead = true
        frozenUntil = 0
        task?.cancel()
        world.count { $0.crashes += 1 }
        world.note(11, name, "dies", isFault: true)
    }

    /// Ends in good order.
    func stop() { task?.cancel() }

    func freeze(for span: Milliseconds) {
        frozenUntil = max(frozenUntil, world.now + span)
        world.count { $0.freezes += 1 }
        world.note(12, name, "freezes for \(span) ms", isFault: true)
    }

    /// Returns when the time is over and the process is not frozen.
    func sleep(_ span: Milliseconds) async {
        await world.conductor.sleep(max(1, span))
        await thaw()
    }

    func thaw() async {
        while !isDead, world.now < frozenUntil { await world.conductor.sleep(frozenUntil - world.now) }
    }
}
