public import SagaCore

/// How the world behaves around a simulated saga: its input, what its services answer, and what people do.
///
/// Without any further word, every service succeeds after ``latency``.
public struct SimulationScript: Sendable, Hashable {
    /// The saga's input, JSON.
    public var input: [UInt8]
    /// The start, in Unix time; only a step that waits for an instant can tell.
    public var startedAt: Milliseconds
    /// Time for the whole saga, where its starter gives one; overrides the definition's.
    public var deadline: Milliseconds?
    /// From a command's dispatch to its reply.
    public var latency: Milliseconds
    /// What goes wrong, attempt by attempt, in this order; then the service succeeds.
    public var faults: [Fault.Place: [Fault]]
    /// What steps return, JSON. A step that is not named returns nothing.
    public var results: [String: [UInt8]]
    /// Signals and operators' orders.
    public var interventions: [Intervention]
    /// How long a step waits for a signal until it comes; nil: only the signals among ``interventions`` come.
    public var signalsAfter: Milliseconds?

    public init(
        input: [UInt8] = Array("{}".utf8), startedAt: Milliseconds = 0, deadline: Milliseconds? = nil,
        latency: Milliseconds = 10, faults: [Fault.Place: [Fault]] = [:], results: [String: [UInt8]] = [:],
        interventions: [Intervention] = [], signalsAfter: Milliseconds? = nil
    ) {
        self.input = input
        self.startedAt = startedAt
        self.deadline = deadline
        self.latency = latency
        self.faults = faults
        self.results = results
        self.interventions = interventions
        self.signalsAfter = signalsAfter
    }
}

/// Something that somebody does to a saga while it runs.
public struct Intervention: Sendable, Hashable {
    public enum Moment: Sendable, Hashable {
        /// This long after the start.
        case at(Milliseconds)
        /// As soon as the step's action is under way.
        case whenBegan(step: String)
        /// As soon as the step's action has succeeded.
        case whenSucceeded(step: String)
    }

    public enum Act: Sendable, Hashable {
        case order(Order)
        case signal(Signal)
    }

    public var moment: Moment
    public var act: Act

    public init(_ moment: Moment, _ act: Act) {
        self.moment = moment
        self.act = act
    }
}

/// Why a script does not fit its definition: one line.
public struct SimulationScriptFault: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension SimulationScript {
    /// Holds the script's names against the definition: a fault that never comes would make a simulation say too much.
    func check(against definition: Definition) throws(SimulationScriptFault) {
        guard latency >= 0, signalsAfter ?? 0 >= 0, startedAt >= 0, deadline ?? 1 > 0 else {
            throw SimulationScriptFault("a latency, a deadline and a start are not negative")
        }
        for place in faults.keys.sorted(by: { ($0.step, $0.phase.rawValue) < ($1.step, $1.phase.rawValue) }) {
            let step = try step(place.step, of: definition)
            for fault in faults[place] ?? [] {
                try check(fault, at: step, place, of: definition)
            }
        }
        for name in results.keys.sorted() { _ = try step(name, of: definition) }
        for intervention in interventions { try check(intervention, against: definition) }
    }

    private func check(
        _ fault: Fault, at step: Step, _ place: Fault.Place, of definition: Definition
    ) throws(SimulationScriptFault) {
        if let times = fault.times, times < 1 {
            throw SimulationScriptFault("a fault of '\(step.name)' happens once or more, not \(times) times")
        }
        if place.phase == .compensation, step.undoing == nil {
            throw SimulationScriptFault("step '\(step.name)' has no compensation that could fail")
        }
        if let item = place.item, step.forEach == nil || item < 0 {
            throw SimulationScriptFault("step '\(step.name)' has no item \(item)")
        }
        switch (step.answerer, fault) {
        case (.service, _), (.signal, .silence(nil)), (.child, .silence(nil)), (.child, .refusal): return
        case (.child, _):
            throw SimulationScriptFault("step '\(step.name)' is a child saga: it is refused, or does not end")
        case (.clock, _), (.signal, _):
            throw SimulationScriptFault("step '\(step.name)' \(step.summary): no service can fail it")
        }
    }

    private func check(_ intervention: Intervention, against definition: Definition) throws(SimulationScriptFault) {
        switch intervention.moment {
        case .at(let offset):
            guard offset >= 0 else { throw SimulationScriptFault("nothing can happen before the start") }
        case .whenBegan(let name), .whenSucceeded(let name): _ = try step(name, of: definition)
        }
        switch intervention.act {
        case .order(let order):
            if let name = order.step { _ = try step(name, of: definition) }
        case .signal(let signal):
            let awaited = definition.steps.compactMap { step -> String? in
                guard case .signal(let name) = step.answerer else { return nil }
                return name
            }
            guard awaited.contains(signal.name) else {
                throw SimulationScriptFault(
                    "no step of \(definition.id) waits for signal \(FaultText.quoted(signal.name))"
                        + FaultText.suggestion(for: signal.name, among: awaited))
            }
        }
    }

    private func step(_ name: String, of definition: Definition) throws(SimulationScriptFault) -> Step {
        guard let index = definition.step(named: name) else {
            throw SimulationScriptFault(
                "\(definition.id) has no step \(FaultText.quoted(name))"
                    + FaultText.suggestion(for: name, among: definition.steps.map(\.name)))
        }
        return definition.steps[index]
    }
}
