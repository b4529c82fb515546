import SagaCore
import TestSupport

/// What goes wrong in a simulation, and how often. Each seed has a weather of its own: some faults, not all, so that one
/// does not hide what another would bring out.
struct Weather {
    /// Shares of calls of the store.
    var refused = 0.0
    var lostAnswers = 0.0
    var slowCalls = 0.0
    /// Mean time between two, for the whole of the namespace; nil for never.
    var crashes: Milliseconds?
    var freezes: Milliseconds?
    var outages: Milliseconds?
    var clockJumps: Milliseconds?
    /// How often the store falls back to an earlier state.
    var rewinds = 0
    /// Shares of commands.
    var doubledCommands = 0.0
    var lostCommands = 0.0
    /// Consumers that die with the command in hand, before the local commit or after it.
    var dyingConsumers = 0.0
    /// Mean time between two services that stand still for a while, with commands in hand; nil for never.
    var stalls: Milliseconds?
    var slowCommands = 0.0
    var refusedActions = 0.0
    var refusedCompensations = 0.0
    var stumbles = 0.0
    /// Shares of replies.
    var doubledReplies = 0.0
    var lostReplies = 0.0
    var lateReplies = 0.0
    /// Shares of starts.
    var lostStarts = 0.0
    var doubledStarts = 0.0
    /// Mean time between two orders of operators; nil for none.
    var orders: Milliseconds?
    /// A skip can declare done what was not: its step's effects then tell nothing.
    var hasSkips = false

    /// No faults.
    init() {}

    init(_ random: inout SeededRandom) {
        func share(_ most: Double) -> Double {
            random.chance(0.5) ? Double.random(in: 0...most, using: &random) : 0
        }
        func interval(_ range: ClosedRange<Milliseconds>, _ chance: Double) -> Milliseconds? {
            random.chance(chance) ? Milliseconds.random(in: range, using: &random) : nil
        }
        refused = share(0.05)
        lostAnswers = share(0.05)
        slowCalls = share(0.05)
        crashes = interval(2_000...10_000, 0.5)
        freezes = interval(2_000...10_000, 0.5)
        outages = interval(5_000...15_000, 0.2)
        clockJumps = interval(3_000...15_000, 0.2)
        rewinds = random.chance(0.5) ? Int.random(in: 1...3, using: &random) : 0
        doubledCommands = share(0.2)
        lostCommands = share(0.05)
        dyingConsumers = share(0.1)
        slowCommands = share(0.2)
        stalls = interval(2_000...10_000, 0.4)
        refusedActions = share(0.15)
        refusedCompensations = share(0.1)
        stumbles = share(0.3)
        doubledReplies = share(0.2)
        lostReplies = share(0.1)
        lateReplies = share(0.2)
        lostStarts = share(0.2)
        doubledStarts = share(0.3)
        orders = interval(300...3_000, 0.3)
        hasSkips = random.chance(0.3)
    }
}
