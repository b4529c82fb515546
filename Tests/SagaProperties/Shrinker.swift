import SagaCore

/// Makes a failing case smaller for as long as it breaks the same rule: fewer choices first (delta debugging: halves,
/// quarters, … single ones), then fewer steps, then fewer options and smaller numbers, and round again.
package struct Shrinker {
    /// Bounds the time that shrinking takes.
    private static let mostRuns = 50_000

    private let rule: Rule
    private let flaw: Flaw?
    private var best: SagaCase
    private var runs = 0

    private init(_ sagaCase: SagaCase, rule: Rule, flaw: Flaw?) {
        best = sagaCase
        self.rule = rule
        self.flaw = flaw
    }

    /// The smallest case found that breaks the rule that this one breaks; the case itself where it breaks none.
    package static func shrink(_ sagaCase: SagaCase, flaw: Flaw? = nil) -> SagaCase {
        guard let violation = sagaCase.violation(flaw: flaw) else { return sagaCase }
        var shrinker = Shrinker(sagaCase, rule: violation.rule, flaw: flaw)
        var previous: SagaCase?
        while previous != shrinker.best, shrinker.runs < mostRuns {
            previous = shrinker.best
            shrinker.removeChoices()
            shrinker.removeSteps()
            shrinker.rename()
            shrinker.dropOptions()
            shrinker.simplifySteps()
            shrinker.simplifyChoices()
        }
        return shrinker.best
    }

    /// Whether the candidate is a case that fails in the same way; then it is the best so far.
    private mutating func adopt(_ candidate: SagaCase) -> Bool {
        guard candidate != best, runs < Self.mostRuns else { return false }
        runs += 1
        guard candidate.violation(flaw: flaw)?.rule == rule else { return false }
        best = candidate
        return true
    }

    @discardableResult
    private mutating func change(_ change: (inout SagaCase) -> Void) -> Bool {
        var candidate = best
        change(&candidate)
        return adopt(candidate)
    }

    private mutating func removeChoices() {
        var size = best.choices.count
        while size > 0 {
            var start = 0
            while start < best.choices.count {
                let range = start..<min(start + size, best.choices.count)
                // What follows has moved to this place if they could go.
                if !change({ $0.choices.removeSubrange(range) }) { start += size }
            }
            size /= 2
        }
    }

    private mutating func removeSteps() {
        for index in best.draft.steps.indices.reversed() {
            let name = best.draft.steps[index].name
            change {
                $0.draft.steps.remove(at: index)
                for other in $0.draft.steps.indices {
                    $0.draft.steps[other].after?.removeAll { $0 == name }
                    $0.draft.steps[other].uses?.removeAll { $0 == name }
                }
            }
        }
    }

    /// Names the steps by their places, as the trace does.
    private mutating func rename() {
        let old = best.draft.steps.map(\.name)
        let new = Dictionary(uniqueKeysWithValues: old.indices.map { (old[$0], "s\($0)") })
        change {
            for index in $0.draft.steps.indices {
                let step = $0.draft.steps[index]
                $0.draft.steps[index].name = new[step.name] ?? step.name
                $0.draft.steps[index].after = step.after?.compactMap { new[$0] }
                $0.draft.steps[index].uses = step.uses?.compactMap { new[$0] }
            }
        }
    }

    private mutating func dropOptions() {
        change { $0.id = "saga" }
        change { $0.startDelay = nil }
        change { $0.isAfterRewind = false }
        change { $0.draft.deadline = nil }
        change { $0.draft.order = nil }
        change { $0.draft.whenStuck = nil }
    }

    private mutating func simplifySteps() {
        for index in best.draft.steps.indices {
            let name = best.draft.steps[index].name
            let simplifications: [(inout StepDraft) -> Void] = [
                { $0 = StepDraft(name: name, service: "v", action: "do", compensation: .operation("undo")) },
                { $0 = StepDraft(name: name, service: "v", action: "do") },
                { $0.retry = nil }, { $0.compensationRetry = nil }, { $0.timeout = nil }, { $0.after = nil },
                { $0.isPivot = false }, { if $0.compensation == .none { $0.compensation = .absent } },
                { $0.retry = $0.retry?.withAttemptsOnly },
                { $0.compensationRetry = $0.compensationRetry?.withAttemptsOnly },
            ]
            for simplify in simplifications { change { simplify(&$0.draft.steps[index]) } }
            for name in best.draft.steps[index].after ?? [] {
                change { $0.draft.steps[index].after?.removeAll { $0 == name } }
            }
        }
    }

    private mutating func simplifyChoices() {
        for index in best.choices.indices {
            for simpler in best.choices[index].simpler { change { $0.choices[index] = simpler } }
        }
    }
}

extension RetryPolicyDraft {
    fileprivate var withAttemptsOnly: RetryPolicyDraft { RetryPolicyDraft(attempts: attempts) }
}

extension Choice {
    /// Choices that say the same with less, the simplest last.
    fileprivate var simpler: [Choice] {
        switch self {
        case .execute(let place, let will):
            fewer(place).map { .execute($0, will) }
                + [.execute(place, .stumble()), .execute(place)].filter {
                    if case .stumble(nil) = will { $0 == .execute(place) } else { will != .succeed }
                }
        case .answer(let place): fewer(place).map { .answer($0) }
        case .loseCommand(let place): fewer(place).map { .loseCommand($0) }
        case .loseAnswer(let place): fewer(place).map { .loseAnswer($0) }
        case .doubleCommand(let place): fewer(place).map { .doubleCommand($0) }
        case .doubleAnswer(let place): fewer(place).map { .doubleAnswer($0) }
        case .beat(let place): fewer(place).map { .beat($0) }
        case .pass(let span): span > 1 ? [.pass(span / 2), .pass(span - 1)] : []
        case .order(let operation, let step?): [.order(operation), .order(operation, step: step / 2)]
        case .signal(let number, let id?): [.signal(number), .signal(number, id: 1), .signal(0, id: id)]
        case .signal(let number, nil): fewer(number).map { .signal($0) }
        case .rewind(let count): fewer(count).map { .rewind(losing: $0) }
        case .order(_, nil): []
        }
    }

    private func fewer(_ number: Int) -> [Int] { number > 0 ? [number - 1, number / 2, 0] : [] }
}
