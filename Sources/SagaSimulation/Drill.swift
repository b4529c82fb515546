public import SagaCore

/// Tries everything that can go wrong with a definition, one step and one way at a time.
///
/// Each run is a ``Simulation`` with one disturbance. What it leaves behind is told as warnings; what no saga may ever do
/// (compensate a step that was refused, undo out of order, end half done) as violations, judged from the run's timeline
/// and the services' effects rather than from what the machine says of itself.
public struct Drill: Sendable {
    /// What is done to a step.
    public enum Way: String, Sendable, Hashable, CaseIterable {
        /// Its action is refused, so that the saga turns back.
        case refused
        /// The action of its last item is refused.
        case itemRefused = "item-refused"
        /// Its action ends with an error code that stops the saga rather than turns it back.
        case stopped
        /// No attempt of its action is answered, or the signal that it waits for does not come.
        case unanswered
        /// It succeeds, then has to be undone, and its compensation fails twice before it succeeds.
        case compensationTroubled = "compensation-troubled"
        /// It succeeds, then has to be undone, and its compensation is refused.
        case compensationRefused = "compensation-refused"
        /// The saga is cancelled as soon as the step has succeeded.
        case cancelled
        /// The saga's deadline passes while the step is under way.
        case deadline
    }

    /// One run.
    public struct Result: Sendable {
        public let step: String
        public let way: Way
        /// What was done, in words.
        public let disturbance: String
        public let run: SimulationRun
        /// What stands after the end though nobody wrote that it may, or waits for a person.
        public let warnings: [String]
        /// The steps that took effect, or may have, and are not undone because `compensation: null` says so.
        public let leftAsMeant: [String]
        /// Rules that the run broke; empty in every sound version of the machine.
        public let violations: [String]
    }

    public let definition: Definition
    public let script: SimulationScript
    /// Attempts of a compensation that fail where it then succeeds.
    static let troubles = 2

    /// - Parameter script: the world without disturbances; signals come by themselves after a second unless it says
    ///   otherwise.
    /// - Throws: a script that names what the definition does not have.
    public init(_ definition: Definition, script: SimulationScript = SimulationScript()) throws(SimulationScriptFault) {
        var script = script
        script.signalsAfter = script.signalsAfter ?? 1_000
        try script.check(against: definition)
        self.definition = definition
        self.script = script
    }

    /// Runs all cases, in the order of the definition's steps; those steps apart that this input leaves out.
    public func run() -> [Result] {
        let baseline = undisturbed()
        return definition.steps.indices.filter { !isOmitted($0, in: baseline) }.flatMap { index in
            Way.allCases.compactMap { way in
                disturbance(way, of: index, baseline: baseline).map { run(index, way, $0) }
            }
        }
    }

    /// The steps that are not drilled, because their condition is not met by this input and these results.
    public var omittedSteps: [String] {
        let baseline = undisturbed()
        return definition.steps.indices.filter { isOmitted($0, in: baseline) }.map { definition.steps[$0].name }
    }

    private func undisturbed() -> SimulationRun {
        var simulator = Simulator(definition, script)
        return simulator.run()
    }

    private func isOmitted(_ index: Int, in baseline: SimulationRun) -> Bool {
        baseline.saga.steps[index].action.status == .omitted
    }

    private func run(_ index: Int, _ way: Way, _ disturbance: Disturbance) -> Result {
        var simulator = Simulator(definition, disturbance.script)
        let run = simulator.run()
        let judge = DrillJudge(definition, run)
        let isTooLate = way == .cancelled && run.timeline.contains { $0.kind == .refused }
        return Result(
            step: definition.steps[index].name, way: way,
            disturbance: disturbance.text + (isTooLate ? " (too late)" : ""), run: run,
            warnings: judge.warnings, leftAsMeant: judge.leftAsMeant, violations: judge.violations)
    }
}

extension Drill {
    /// A script with something added, and what that is.
    struct Disturbance {
        var script: SimulationScript
        var text: String
    }

    /// What a way means for a step; nil where it cannot happen to it.
    func disturbance(_ way: Way, of index: Int, baseline: SimulationRun) -> Disturbance? {
        let step = definition.steps[index]
        var script = script
        switch way {
        case .refused:
            guard step.isExecutedElsewhere, let code = codeThatTurnsBack(step) else { return nil }
            script.faults[Fault.Place(step.name)] = [.refusal(code: code)]
            return Disturbance(script: script, text: "action is refused")
        case .itemRefused:
            let count = baseline.saga.steps[index].items.count
            guard count > 1, let code = codeThatTurnsBack(step) else { return nil }
            script.faults[Fault.Place(step.name, item: count - 1)] = [.refusal(code: code)]
            return Disturbance(script: script, text: "action is refused for its last item")
        case .stopped:
            guard step.hasAttempts, let code = codeThatStops(step) else { return nil }
            script.faults[Fault.Place(step.name)] = [.refusal(code: code)]
            return Disturbance(script: script, text: "action is refused with code '\(code)'")
        case .unanswered:
            if step.answerer == .clock { return nil }
            script.faults[Fault.Place(step.name)] = [.silence(times: nil)]
            let text = step.isExecutedElsewhere ? "no attempt is answered" : "the signal does not come"
            return Disturbance(script: script, text: text)
        case .compensationTroubled:
            guard step.hasAttempts else { return nil }
            return undone(index, .trouble(times: Self.troubles), "compensation fails \(Self.troubles) times", baseline)
        case .compensationRefused:
            return undone(index, .refusal(code: "drill"), "compensation is refused", baseline)
        case .cancelled:
            script.interventions.append(Intervention(.whenSucceeded(step: step.name), .order(Order(.cancel))))
            return Disturbance(script: script, text: "saga is cancelled after it")
        case .deadline:
            guard let began = baseline.saga.steps[index].action.startedAt else { return nil }
            script.deadline = began - script.startedAt + 1
            return Disturbance(script: script, text: "deadline passes while it runs")
        }
    }

    /// Makes a step succeed and then be undone: by a later step that is refused, else by a cancel while it runs.
    private func undone(_ index: Int, _ fault: Fault, _ text: String, _ baseline: SimulationRun) -> Disturbance? {
        let step = definition.steps[index]
        guard step.undoing != nil, !step.isAfterPivot, index != definition.pivot else { return nil }
        var script = script
        script.faults[Fault.Place(step.name, .compensation)] = [fault]
        let order = DependencyOrder(definition)
        let later = definition.steps.indices.first { candidate in
            let other = definition.steps[candidate]
            return other.isExecutedElsewhere && !other.isAfterPivot && order.isBefore(index, candidate)
                && codeThatTurnsBack(other) != nil && baseline.saga.steps[candidate].action.status != .omitted
        }
        if let later, let code = codeThatTurnsBack(definition.steps[later]) {
            let name = definition.steps[later].name
            script.faults[Fault.Place(name)] = [.refusal(code: code)]
            return Disturbance(script: script, text: "\(text) (\(name) is refused)")
        }
        script.interventions.append(Intervention(.whenBegan(step: step.name), .order(Order(.cancel))))
        return Disturbance(script: script, text: "\(text) (cancelled while it runs)")
    }
}

/// The code with which a refusal turns a saga back; nil where none does.
private func codeThatTurnsBack(_ step: Step) -> String? {
    guard let codes = step.codes.compensateOn else { return step.codes.stopOn.contains("drill") ? nil : "drill" }
    return codes.first
}

/// The code with which a refusal stops a saga; nil where none does.
private func codeThatStops(_ step: Step) -> String? {
    guard let codes = step.codes.compensateOn else { return step.codes.stopOn.first }
    return codes.contains("drill") ? nil : "drill"
}

/// Which steps come before which, directly or not.
struct DependencyOrder {
    private var predecessors: [Set<Int>]

    init(_ definition: Definition) {
        predecessors = Array(repeating: [], count: definition.steps.count)
        // Latest first, so backwards every step comes after those that it waits for.
        for index in definition.reverseOrder.reversed() {
            for earlier in definition.steps[index].after {
                predecessors[index].formUnion(predecessors[earlier])
                predecessors[index].insert(earlier)
            }
        }
    }

    func isBefore(_ earlier: Int, _ later: Int) -> Bool { predecessors[later].contains(earlier) }
}
