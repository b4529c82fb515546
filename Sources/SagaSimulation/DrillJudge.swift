import SagaCore

/// Holds one run against the rules of sagas.
struct DrillJudge {
    private(set) var warnings: [String] = []
    private(set) var violations: [String] = []

    private let definition: Definition
    private let timeline: [TimelineLine]
    private let end: SimulationRun.End
    private let effects: [String: Effect]

    init(_ definition: Definition, _ run: SimulationRun) {
        self.init(definition, timeline: run.timeline, end: run.end, effects: run.effects)
    }

    init(_ definition: Definition, timeline: [TimelineLine], end: SimulationRun.End, effects: [String: Effect]) {
        self.definition = definition
        self.timeline = timeline
        self.end = end
        self.effects = effects
        judgeCompensations()
        judgeOrder()
        judgeEnd()
        warnOfEffects()
        warnOfEnd()
    }

    // MARK: Rules

    /// A refused step has nothing to undo; what comes after the pivot is never undone.
    private mutating func judgeCompensations() {
        for (place, line) in timeline.enumerated() where line.kind == .sent && line.phase == .compensation {
            guard let name = line.step, let index = definition.step(named: name) else { continue }
            let actions = timeline[..<place].filter { $0.step == name && $0.phase == .action }
            if actions.contains(where: { $0.kind == .failed }) {
                violations.append("'\(name)' was refused, and is compensated")
            }
            if !actions.contains(where: { $0.kind == .sent }) {
                violations.append("'\(name)' was never sent, and is compensated")
            }
            if definition.steps[index].isAfterPivot {
                violations.append("'\(name)' comes after the pivot, and is compensated")
            }
        }
    }

    /// A compensation waits for those of all steps that depend on its step.
    private mutating func judgeOrder() {
        guard definition.order == .reverse else { return }
        let order = DependencyOrder(definition)
        for (place, line) in timeline.enumerated()
        where line.kind == .sent && line.phase == .compensation && line.attempt == 1 {
            guard let index = line.step.flatMap(definition.step(named:)) else { continue }
            for later in definition.steps.indices where order.isBefore(index, later) {
                let step = definition.steps[later]
                guard step.compensation != nil, isToBeUndone(step.name, before: place),
                    !isSettled(step.name, before: place)
                else { continue }
                violations.append("'\(definition.steps[index].name)' is undone before '\(step.name)', which needs it")
            }
        }
    }

    private func isToBeUndone(_ name: String, before place: Int) -> Bool {
        let actions = timeline[..<place].filter { $0.step == name && $0.phase == .action }
        return actions.contains { $0.kind == .sent } && !actions.contains { $0.kind == .failed }
    }

    private func isSettled(_ name: String, before place: Int) -> Bool {
        timeline[..<place].contains { line in
            guard line.step == name, line.phase == .compensation else { return false }
            switch line.kind {
            case .succeeded, .skipped: return true
            case .stuck: return definition.whenStuck == .continue
            default: return false
            }
        }
    }

    /// All or nothing: an end leaves no step half done.
    private mutating func judgeEnd() {
        for step in definition.steps where step.isExecutedElsewhere {
            let effect = effects[step.name] ?? .none
            let isSkipped = timeline.contains { $0.step == step.name && $0.kind == .skipped }
            switch end {
            case .completed where effect != .taken && !isSkipped:
                violations.append("the saga is completed, and the effect of '\(step.name)' is '\(effect.rawValue)'")
            case .compensated where step.compensation != nil && (effect == .taken || effect == .possible) && !isSkipped:
                violations.append("the saga is compensated, and '\(step.name)' is not undone")
            default: break
            }
        }
        if end == .unfinished { violations.append("the saga came to no end") }
    }

    // MARK: Warnings

    private mutating func warnOfEffects() {
        guard end == .compensated || end == .stuck else { return }
        for step in definition.steps where step.isExecutedElsewhere {
            let verb: String
            switch effects[step.name] ?? .none {
            case .taken: verb = "took effect"
            case .possible: verb = "may have taken effect"
            case .none, .undone: continue
            }
            // A saga that is stuck on its way forward is to go on, not to be undone.
            if end == .stuck, !timeline.contains(where: { $0.kind == .turnedBack }) { continue }
            let reason =
                step.compensation != nil
                ? "its compensation has not succeeded"
                : step.isCompensationWaived ? "'compensation: null' says so" : "it has no compensation"
            warnings.append("'\(step.name)' \(verb) and is not undone: \(reason)")
        }
    }

    private mutating func warnOfEnd() {
        switch end {
        case .stuck:
            let names = timeline.compactMap { $0.kind == .stuck ? $0.step.map { "'\($0)'" } : nil }
            warnings.append("stuck at \(names.joined(separator: ", ")): waits for an operator (skald retry, skip)")
        case .waiting, .paused, .endless: warnings.append("no end: \(end)")
        case .completed, .compensated, .unfinished: break
        }
    }
}
