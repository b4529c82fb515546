public import SagaCore

/// One saga of a definition, run by the machine that runs the real ones, with simulated services and simulated time.
///
/// Nothing is sent, stored or waited for: a saga of a week takes a moment. The same definition and script give the same
/// run, to the millisecond.
public struct Simulation: Sendable {
    public let definition: Definition
    public let script: SimulationScript

    /// - Throws: a script that names what the definition does not have.
    public init(_ definition: Definition, script: SimulationScript = SimulationScript()) throws(SimulationScriptFault) {
        try script.check(against: definition)
        self.definition = definition
        self.script = script
    }

    /// Runs until the saga has ended, is stuck, or nothing can move it any more.
    public func run() -> SimulationRun {
        var simulator = Simulator(definition, script)
        return simulator.run()
    }
}

/// What became of a simulated saga.
public struct SimulationRun: Sendable {
    /// How a simulation ends.
    public enum End: Sendable, Hashable {
        case completed
        case compensated
        /// Waits for an operator.
        case stuck
        /// Only these move it on: signals, child sagas.
        case waiting(for: [String])
        /// Only an operator's `resume` moves it on.
        case paused
        /// These steps are tried again without end.
        case endless(steps: [String])
        /// The simulation gave up: no end after 20,000 log entries.
        case unfinished
    }

    public let timeline: [TimelineLine]
    public let end: End
    /// Simulated time from the start to the last thing that moved the saga.
    public let duration: Milliseconds
    /// The saga as its log tells it at the end.
    public let saga: Saga
    /// What stands at the services, by step, and of a `forEach` step by item (`reserve#3`).
    public let effects: [String: Effect]

    /// The steps that were compensated, in the order in which that succeeded.
    public var compensated: [String] {
        timeline.compactMap { $0.kind == .succeeded && $0.phase == .compensation && $0.item == nil ? $0.step : nil }
    }
}

extension SimulationRun.End: CustomStringConvertible {
    /// One or a few words: `completed`, `waits for signal 'approved'`.
    public var description: String {
        switch self {
        case .completed: "completed"
        case .compensated: "compensated"
        case .stuck: "stuck"
        case .waiting(let awaited): "waits for \(awaited.joined(separator: ", "))"
        case .paused: "paused"
        case .endless(let steps): "tries \(steps.map { "'\($0)'" }.joined(separator: ", ")) without end"
        case .unfinished: "unfinished"
        }
    }

    /// The first word of the description, for machines.
    public var name: String {
        switch self {
        case .completed: "completed"
        case .compensated: "compensated"
        case .stuck: "stuck"
        case .waiting: "waiting"
        case .paused: "paused"
        case .endless: "endless"
        case .unfinished: "unfinished"
        }
    }
}
