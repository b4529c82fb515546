import SagaCore

/// Makes a failing case smaller for as long as it breaks a rule, be it another one than at first: fewer choices first (delta debugging: halves,
/// quarters, … single ones), then fewer steps, then fewer options and smaller numbers, and round again.
package struct Shrinker {
    /// Bounds the time that shrinking takes.
    private static let mostRuns = 20_000
    /// Choices up to which every pair and every range of them is tried.
    private static let mostShortcuts = 32

    private let flaw: Flaw?
    private var best: SagaCase
    private var runs = 0

    private init(_ sagaCase: SagaCase, flaw: Flaw?) {
        best = sagaCase
        self.flaw = flaw
    }

    /// The smallest case found that breaks a rule; the case itself where it breaks none.
    package static func shrink(_ sagaCase: SagaCase, flaw: Flaw? = nil) -> SagaCase {
        guard sagaCase.violation(flaw: flaw) != nil else { return sagaCase }
        var shrinker = Shrinker(sagaCase, flaw: flaw)
        var previous: SagaCase?
        while previous != shrinker.best, shrinker.runs < mostRuns {
            previous = shrinker.best
            shrinker.removeChoices()
            shrinker.takeShortcuts()
            shrinker.simplifyChildren()
            shrinker.removeSteps()
            shrinker.rename()
            shrinker.dropOptions()
            shrinker.simplifySteps()
            shrinker.simplifyChoices()
        }
        return shrinker.best
    }

    /// Whether the candidate is a case that fails; then it is the best so far.
    private mutating func adopt(_ candidate: SagaCase) -> Bool {
        guard candidate != best, runs < Self.mostRuns else { return false }
        runs += 1
        guard candidate.violation(flaw: flaw) != nil else { return false }
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

    /// What turns a saga back, or two choices that need each other, can take many to get rid of at once.
    private mutating func takeShortcuts() {
        guard best.choices.count <= Self.mostShortcuts else { return }
        var start = 0
        while start < best.choices.count {
            var end = best.choices.count
            while end > start + 1 {
                let range = start..<end
                let hasChanged =
                    change { $0.choices.replaceSubrange(range, with: [.order(.cancel)]) }
                    || change {
                        $0.choices.remove(at: range.upperBound - 1)
                        $0.choices.remove(at: range.lowerBound)
                    }
                end = hasChanged ? best.choices.count : end - 1
            }
            start += 1
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
                    if $0.draft.steps[other].inputFrom == name { $0.draft.steps[other].inputFrom = nil }
                }
            }
        }
    }

    /// Fewer definitions of child sagas, and shorter ones.
    private mutating func simplifyChildren() {
        for child in best.children.indices.reversed() {
            if change({ $0.children.remove(at: child) }) { continue }
            for index in best.children[child].steps.indices.reversed() {
                change { $0.children[child].steps.remove(at: index) }
            }
            for index in best.children[child].steps.indices {
                let name = best.children[child].steps[index].name
                let plain = StepDraft(name: name, service: "v", action: "do")
                let simpler = [plain, plain.compensated(by: "undo")]
                if !simpler.contains(best.children[child].steps[index]) {
                    _ = simpler.contains { step in change { $0.children[child].steps[index] = step } }
                }
            }
            change { $0.children[child].deadline = nil }
            change { $0.children[child].order = nil }
            change { $0.children[child].whenStuck = nil }
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
                $0.draft.steps[index].inputFrom = step.inputFrom.flatMap { new[$0] }
                $0.draft.steps[index].when = step.when?.renamed(new)
                $0.draft.steps[index].forEach?.items.root = step.forEach?.items.root.renamed(new) ?? .input
            }
        }
    }

    private mutating func dropOptions() {
        change { $0.id = "saga" }
        change { $0.startDelay = nil }
        change { $0.isAfterRewind = false }
        change { $0.isReplicated = false }
        change { $0.results = [] }
        change { $0.input = "" }
        for index in best.results.indices { change { $0.results[index] = "" } }
        change { $0.draft.deadline = nil }
        change { $0.draft.order = nil }
        change { $0.draft.whenStuck = nil }
    }

    private mutating func simplifySteps() {
        for index in best.draft.steps.indices {
            simplifyKind(index)
            let simplifications: [(inout StepDraft) -> Void] = [
                { $0.retry = nil }, { $0.compensationRetry = nil }, { $0.timeout = nil }, { $0.after = nil },
                { $0.isPivot = false }, { $0.when = nil }, { $0.inputFrom = nil }, { $0.forEach = nil },
                { $0.forEach?.parallel = 1 },
                { $0.noRetry = nil }, { $0.compensateOn = nil }, { $0.stopOn = nil },
                { $0.when = $0.when?.firstPart }, { if $0.compensation == .none { $0.compensation = .absent } },
                { $0.retry = $0.retry?.withAttemptsOnly },
                { $0.compensationRetry = $0.compensationRetry?.withAttemptsOnly },
            ]
            for simplify in simplifications { change { simplify(&$0.draft.steps[index]) } }
            for name in best.draft.steps[index].after ?? [] {
                change { $0.draft.steps[index].after?.removeAll { $0 == name } }
            }
        }
    }

    /// Tries the plainest steps that there are.
    private mutating func simplifyKind(_ index: Int) {
        let step = best.draft.steps[index]
        let plain = StepDraft(name: step.name, service: "v", action: "do")
        let undone = plain.compensated(by: "undo")
        guard step != plain, !change({ $0.draft.steps[index] = plain }), step != undone else { return }
        change { $0.draft.steps[index] = undone }
    }

    private mutating func simplifyChoices() {
        for index in best.choices.indices {
            _ = best.choices[index].simpler.contains { simpler in change { $0.choices[index] = simpler } }
        }
    }
}

extension Condition {
    fileprivate var firstPart: Condition {
        switch self {
        case .test: self
        case .all(let parts), .any(let parts): parts.first ?? self
        case .not(let part): part
        }
    }

    fileprivate func renamed(_ names: [String: String]) -> Condition {
        switch self {
        case .test(let path, let test): .test(ValuePath(path.root.renamed(names), path.keys), test)
        case .all(let parts): .all(parts.map { $0.renamed(names) })
        case .any(let parts): .any(parts.map { $0.renamed(names) })
        case .not(let part): .not(part.renamed(names))
        }
    }
}

extension ValuePath.Root {
    fileprivate func renamed(_ names: [String: String]) -> ValuePath.Root {
        if case .result(let name) = self { .result(names[name] ?? name) } else { self }
    }
}

extension RetryPolicyDraft {
    fileprivate var withAttemptsOnly: RetryPolicyDraft { RetryPolicyDraft(attempts: attempts) }
}

extension Choice {
    /// Choices that say the same with less, the simplest first.
    fileprivate var simpler: [Choice] {
        switch self {
        case .execute(let place, let will):
            will.simpler.map { .execute(place, $0) } + fewer(place).map { .execute($0, will) }
        case .answer(let place): fewer(place).map { .answer($0) }
        case .loseCommand(let place): fewer(place).map { .loseCommand($0) }
        case .loseAnswer(let place): fewer(place).map { .loseAnswer($0) }
        case .doubleCommand(let place): fewer(place).map { .doubleCommand($0) }
        case .doubleAnswer(let place): fewer(place).map { .doubleAnswer($0) }
        case .beat(let place): fewer(place).map { .beat($0) }
        case .pass(let span): fewer(Int(span)).map { .pass(Int64($0)) }
        case .order(let operation, let step, let saga):
            (step == nil ? [] : [.order(operation, saga: saga)])
                + fewer(step ?? 0).map { .order(operation, step: $0, saga: saga) }
                + fewer(saga).map { .order(operation, step: step, saga: $0) }
        case .signal(let number, let id, let saga):
            (id == nil ? [] : [.signal(number, saga: saga)]) + fewer(number).map { .signal($0, id: id, saga: saga) }
                + fewer(saga).map { .signal(number, id: id, saga: $0) }
        case .confirm: []
        case .rewind(let count): fewer(count).map { .rewind(losing: $0) }
        }
    }

    private func fewer(_ number: Int) -> [Int] { number > 0 ? [0, number / 2, number - 1] : [] }
}

extension Will {
    fileprivate var simpler: [Will] {
        switch self {
        case .succeed: []
        case .stumble(nil, nil): [.succeed]
        case .refuse(nil): [.succeed, .stumble()]
        case .refuse: [.succeed, .stumble(), .refuse()]
        case .stumble(let span, let code):
            [.succeed, .stumble()]
                + (span != nil && code != nil ? [.stumble(code: code), .stumble(retryAfter: span)] : [])
        }
    }
}
