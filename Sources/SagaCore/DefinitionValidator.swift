/// Checks a draft against the rules of the format and, where it keeps them all, makes the definition.
///
/// Runs in three parts: each value by itself, then the names that steps call each other by, then the order that
/// follows from them. A later part is skipped where an earlier one leaves it nothing sound to judge, so that one
/// mistake is told once.
package struct DefinitionValidator {
    package internal(set) var faults: [DefinitionFault] = []
    let draft: DefinitionDraft
    /// False where a reader had to leave out names or links: what depends on them isn't judged.
    let isOrderKnown: Bool

    package init(_ draft: DefinitionDraft, isOrderKnown: Bool = true) {
        self.draft = draft
        self.isOrderKnown = isOrderKnown
    }

    /// The definition, or nil where ``faults`` tells why there is none.
    package mutating func validate() -> Definition? {
        checkHeader()
        guard draft.steps.count <= DefinitionLimits.steps.upperBound else { return nil }
        for index in draft.steps.indices { checkStep(index) }
        let pivot = checkPivot()
        let order = isOrderKnown ? resolveOrder(pivot: pivot) : nil
        sortFaults()
        guard faults.isEmpty, let order else { return nil }
        return makeDefinition(order, pivot: pivot)
    }

    private mutating func checkHeader() {
        checkName(draft.name, [.key("name")])
        if !DefinitionLimits.version.contains(draft.version) {
            let range = DefinitionLimits.version
            report(
                [.key("version")],
                "version \(draft.version) is out of range: from \(range.lowerBound) to \(range.upperBound)")
        }
        checkSpan(draft.deadline, [.key("deadline")])
        checkSpan(draft.retention, [.key("retention")])
        if let trigger = draft.trigger { checkName(trigger.event, [.key("trigger"), .key("event")]) }
        if draft.steps.isEmpty { report([.key("steps")], "a definition needs at least one step") }
        let most = DefinitionLimits.steps.upperBound
        if draft.steps.count > most {
            report([.key("steps")], "\(draft.steps.count) steps are too many: at most \(most)")
        }
    }

    /// The index of the pivot; nil also where there are several.
    private mutating func checkPivot() -> Int? {
        let pivots = draft.steps.indices.filter { draft.steps[$0].isPivot }
        guard let first = pivots.first else { return nil }
        for index in pivots.dropFirst() {
            report(
                step(index, "pivot"), "a second pivot: \(label(first)) is one already, and a definition has at most one"
            )
        }
        return pivots.count == 1 ? first : nil
    }

    private func makeDefinition(_ order: StepOrder, pivot: Int?) -> Definition {
        let steps = draft.steps.indices.map { index in
            let step = draft.steps[index]
            let isAfterPivot = pivot.map { order.isBefore($0, index) } ?? false
            let base: RetryPolicy = isAfterPivot || index == pivot ? .retriable : .action
            var compensation: String?
            if case .operation(let operation) = step.compensation { compensation = operation }
            return Step(
                name: step.name, kind: kind(of: step), when: step.when, forEach: step.forEach,
                emits: step.emits ?? Emits(),
                codes: ErrorCodes(
                    noRetry: step.noRetry ?? [], compensateOn: step.compensateOn, stopOn: step.stopOn ?? []),
                compensation: compensation,
                isCompensationWaived: step.compensation == .none,
                timeout: step.timeout ?? (step.isCommand ? DefinitionLimits.defaultTimeout : nil),
                retry: RetryPolicy(step.retry, defaults: base),
                compensationRetry: RetryPolicy(step.compensationRetry, defaults: .compensation),
                after: order.after[index], uses: order.uses[index], isAfterPivot: isAfterPivot)
        }
        return Definition(
            name: draft.name, version: draft.version, deadline: draft.deadline,
            durability: draft.durability ?? (pivot == nil ? .async : .replicated), order: draft.order ?? .reverse,
            whenStuck: draft.whenStuck ?? .continue,
            retention: draft.retention ?? DefinitionLimits.defaultRetention, trigger: draft.trigger, steps: steps,
            pivot: pivot, dependents: order.dependents)
    }

    /// The kind of a step that was checked.
    private func kind(of step: StepDraft) -> StepKind {
        if let delay = step.delay { return .delay(delay) }
        if let until = step.until { return .until(until) }
        if let signal = step.signal { return .signal(signal) }
        if let definition = step.saga {
            let source = step.inputFrom.flatMap { name in draft.steps.firstIndex { $0.name == name } }
            return .child(definition: definition, inputFrom: source)
        }
        return .command(service: step.service ?? "", action: step.action ?? "")
    }

    /// Puts the faults into the order of the file, as far as the paths tell it: the header, then step by step.
    private mutating func sortFaults() {
        func place(_ fault: DefinitionFault) -> Int {
            guard fault.path.first == .key("steps"), fault.path.count > 1, case .index(let index) = fault.path[1]
            else { return -1 }
            return index
        }
        // A stable sort: within one step the order of the checks stays.
        let places = faults.map(place)
        let sorted = faults.indices.sorted { (places[$0], $0) < (places[$1], $1) }
        faults = sorted.map { faults[$0] }
    }

    mutating func report(_ path: [DefinitionFault.Component], _ reason: String) {
        faults.append(DefinitionFault(path, reason))
    }

    /// The path of a step, or of one of its keys.
    func step(_ index: Int, _ keys: String...) -> [DefinitionFault.Component] {
        [.key("steps"), .index(index)] + keys.map { .key($0) }
    }

    func label(_ index: Int) -> String { FaultText.quoted(draft.steps[index].name) }
}

extension RetryPolicy {
    /// What was written down, and the defaults for the rest.
    init(_ draft: RetryPolicyDraft?, defaults: RetryPolicy) {
        self.init(
            attempts: draft?.attempts ?? defaults.attempts, initial: draft?.initial ?? defaults.initial,
            factor: draft?.factor ?? defaults.factor, max: draft?.max ?? defaults.max,
            jitter: draft?.jitter ?? defaults.jitter)
    }
}

extension StepDraft {
    /// Whether the step is none of the kinds that the coordinator executes by itself.
    package var isCommand: Bool { delay == nil && until == nil && signal == nil && saga == nil }
}
