import SagaCore

/// Holds one run against the rules of sagas, by its timeline and by the effects that it left.
struct DrillJudge {
    private(set) var warnings: [String] = []
    private(set) var violations: [String] = []
    private(set) var leftAsMeant: [String] = []

    private let definition: Definition
    private let end: SimulationRun.End
    private let effects: [String: Effect]
    private var hasTurnedBack = false
    /// By step, then by branch (the step, or each item of it).
    private var branches: [[String: Record]]
    private var stuck: [String] = []

    /// What was seen so far of what attempts are made of.
    private struct Record {
        var isSent = false
        var isRefused = false
        var isSkipped = false
        /// Whether those before it need not wait for its compensation any longer.
        var isSettled = false
    }

    init(_ definition: Definition, _ run: SimulationRun) {
        self.init(definition, timeline: run.timeline, end: run.end, effects: run.effects)
    }

    init(_ definition: Definition, timeline: [TimelineLine], end: SimulationRun.End, effects: [String: Effect]) {
        self.definition = definition
        self.end = end
        self.effects = effects
        branches = Array(repeating: [:], count: definition.steps.count)
        let order = DependencyOrder(definition)
        for line in timeline { take(line, order) }
        judgeEnd()
        warnOfEffects()
        warnOfEnd()
    }

    private mutating func take(_ line: TimelineLine, _ order: DependencyOrder) {
        if line.kind == .turnedBack { hasTurnedBack = true }
        guard let name = line.branch, let index = line.step.flatMap(definition.step(named:)) else { return }
        var branch = branches[index][name] ?? Record()
        switch (line.phase, line.kind) {
        case (.action, .sent): branch.isSent = true
        case (.action, .failed): branch.isRefused = true
        case (_, .skipped): (branch.isSkipped, branch.isSettled) = (true, true)
        case (.compensation, .sent): judgeCompensation(of: index, name, branch, order)
        case (.compensation, .succeeded): branch.isSettled = true
        case (.compensation, .stuck): branch.isSettled = definition.whenStuck == .continue
        default: break
        }
        branches[index][name] = branch
        // A step sums up what its items say.
        let isSum = line.item == nil && stuck.contains { $0.hasPrefix(name + "#") }
        if line.kind == .stuck, !isSum, !stuck.contains(name) { stuck.append(name) }
    }

    // MARK: Rules

    /// A refused step has nothing to undo, what comes after the pivot is never undone, and a compensation waits for
    /// those of all steps that depend on its step.
    private mutating func judgeCompensation(of index: Int, _ name: String, _ branch: Record, _ order: DependencyOrder) {
        if branch.isRefused { violations.append("'\(name)' was refused, and is compensated") }
        if !branch.isSent { violations.append("'\(name)' was never sent, and is compensated") }
        if definition.steps[index].isAfterPivot {
            violations.append("'\(name)' comes after the pivot, and is compensated")
        }
        guard definition.order == .reverse else { return }
        for later in definition.steps.indices where order.isBefore(index, later) {
            guard definition.steps[later].undoing != nil else { continue }
            for (other, branch) in branches[later].sorted(by: { $0.key < $1.key })
            where branch.isSent && !branch.isRefused && !branch.isSettled {
                violations.append("'\(name)' is undone before '\(other)', which depends on it")
            }
        }
    }

    /// All or nothing: an end leaves no step half done.
    private mutating func judgeEnd() {
        for (index, step) in definition.steps.enumerated() where step.isExecutedElsewhere {
            for (name, branch) in branches[index].sorted(by: { $0.key < $1.key }) where branch.isSent {
                guard !branch.isSkipped else { continue }
                let effect = effects[name] ?? .none
                switch end {
                case .completed where effect != .taken:
                    violations.append("the saga is completed, and the effect of '\(name)' is '\(effect.rawValue)'")
                case .compensated where step.undoing != nil && (effect == .taken || effect == .possible):
                    violations.append("the saga is compensated, and '\(name)' is not undone")
                default: break
                }
            }
            if end == .completed, branches[index].isEmpty {
                violations.append("the saga is completed, and '\(step.name)' was never sent")
            }
        }
        if end == .unfinished { violations.append("the saga came to no end") }
    }

    // MARK: Warnings

    private mutating func warnOfEffects() {
        // A saga that is stuck on its way forward is to go on, not to be undone.
        guard end == .compensated || hasTurnedBack else { return }
        for (index, step) in definition.steps.enumerated() where step.isExecutedElsewhere {
            for name in branches[index].keys.sorted() {
                let verb: String
                switch effects[name] ?? .none {
                case .taken: verb = "took effect"
                case .possible: verb = "may have taken effect"
                case .none, .undone: continue
                }
                if step.undoing == nil, step.isCompensationWaived {
                    leftAsMeant.append(name)
                } else if !stuck.contains(name) {
                    let reason = step.undoing == nil ? "it has no compensation" : "its compensation has not succeeded"
                    warnings.append("'\(name)' \(verb) and is not undone: \(reason)")
                }
            }
        }
    }

    private mutating func warnOfEnd() {
        switch end {
        case .stuck:
            let names = stuck.map { "'\($0)'" }.joined(separator: ", ")
            let effect = hasTurnedBack ? ", not undone" : ""
            warnings.append("stuck at \(names)\(effect): waits for an operator (skald retry, skip)")
        case .waiting, .paused, .endless: warnings.append("no end: the saga \(end)")
        case .completed, .compensated, .unfinished: break
        }
    }
}
