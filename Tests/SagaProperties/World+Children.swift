import SagaCore

/// Parents and their child sagas, as the orchestrator's shell keeps them: what one means for the other is in the same
/// atomic change.
extension World {
    mutating func execute(_ directives: [Directive], of index: Int) throws(Violation) {
        for directive in directives {
            switch directive {
            case .send(let dispatch):
                commands.append(Message(saga: index, dispatch: dispatch, era: runs[index].saga.era))
            case .finish(let status):
                if status.isFinal { try reportToParent(of: index) }
            case .verified: try reportToParent(of: index)
            case .startChild(let step):
                guard let child = child(of: index, step: step) else {
                    try enterChild(step, of: index, isRecalled: false)
                    continue
                }
                if runs[child].saga.status.isFinal { try reportToParent(of: child) }
            case .undoChild(let step): try undoChild(step, of: index)
            case .verifyChild(let step): try verifyChild(step, of: index)
            case .reopen, .emit: break
            }
        }
    }

    private mutating func undoChild(_ step: Int, of index: Int) throws(Violation) {
        guard let child = child(of: index, step: step) else {
            return try enterChild(step, of: index, isRecalled: true)
        }
        switch try tell(.recall(reason: "its parent turned back"), to: child) {
        case .accept: break
        case .ignore:
            if runs[child].saga.status == .compensated { try reportToParent(of: child) }
        case .refuse(let reason): try refuse(step, of: index, reason)
        }
    }

    private mutating func verifyChild(_ step: Int, of index: Int) throws(Violation) {
        guard let child = child(of: index, step: step) else {
            return try enterChild(step, of: index, isRecalled: false)
        }
        try catchUp(child)
        if runs[child].saga.status.isFinal { try tell(.rewind(era: era), to: child) }
        if !runs[child].saga.isVerifying { try reportToParent(of: child) }
    }

    /// Begins the saga's verify round where the history was rewound since it was last looked at.
    mutating func catchUp(_ index: Int) throws(Violation) {
        let saga = runs[index].saga
        guard saga.era < era, !saga.status.isFinal else { return }
        if case .accept(let fact) = saga.decide(.rewind(era: era), at: now) { try record(fact, of: index) }
    }

    private mutating func reportToParent(of index: Int) throws(Violation) {
        guard let (parent, step) = runs[index].parent, !runs[parent].isGone else { return }
        let name = runs[parent].saga.definition.steps[step].name
        try tell(.child(runs[index].saga.report(to: name)), to: parent)
    }

    private mutating func refuse(_ step: Int, of index: Int, _ reason: String) throws(Violation) {
        let name = runs[index].saga.definition.steps[step].name
        try tell(.child(ChildReport(step: name, outcome: .refused, error: reason)), to: index)
    }

    private mutating func enterChild(_ step: Int, of index: Int, isRecalled: Bool) throws(Violation) {
        let saga = runs[index].saga
        guard case .child(let name, _) = saga.definition.steps[step].kind else { return }
        guard let definition = children[name] else {
            return try refuse(step, of: index, "the definition '\(name)' is not registered")
        }
        guard
            definition.pivot == nil || isRecalled || step == saga.definition.pivot
                || saga.definition.steps[step].isAfterPivot
        else { return try refuse(step, of: index, "the step that runs a saga with a pivot must be the pivot") }
        let started = Started(
            definition: name, version: 1, era: era, isAfterRewind: wasRewound || isRecalled, isChild: true,
            isRecalled: isRecalled, isReplicated: saga.started.isReplicated, input: saga.childInput(of: step))
        try enter(saga.childID(of: step), definition, started, parent: (index, step))
    }

    /// The child saga of a step, where it is there.
    func child(of index: Int, step: Int) -> Int? {
        guard let child = known(childOf: index, step: step), !runs[child].isGone else { return nil }
        return child
    }

    /// The child saga of a step, also where its start was lost.
    private func known(childOf index: Int, step: Int) -> Int? {
        runs.firstIndex { $0.parent?.index == index && $0.parent?.step == step }
    }

    /// Whether a step's child saga may have left an effect.
    func hasEffect(childOf index: Int, step: Int) -> Bool {
        guard let child = known(childOf: index, step: step) else { return false }
        return runs[child].isGone ? hasOrphanedEffects(child) : runs[child].saga.status != .compensated
    }

    /// Whether a saga that nobody knows any more has effects that can be undone.
    func hasOrphanedEffects(_ index: Int) -> Bool {
        let steps = runs[index].saga.definition.steps
        return steps.indices.contains { steps[$0].compensation != nil && effects(of: $0, index) > 0 }
    }

    /// A step that is a saga of its own ends as that saga does.
    func auditChild(_ step: Int, of index: Int) throws(Violation) {
        let saga = runs[index].saga
        let status = child(of: index, step: step).map { runs[$0].saga.status }
        let isRight: Bool
        if saga.status == .completed {
            switch saga.steps[step].action.status {
            case .skipped: isRight = true
            case .omitted: isRight = status == nil || saga.compensatesAll && isMeddled
            default: isRight = status == .completed
            }
        } else {
            isRight = status == nil || status == .compensated || saga.steps[step].compensation.status == .skipped
        }
        guard isRight else {
            let what = status.map { "\($0)" } ?? "not there"
            throw Violation(rule: .family, details: "\(saga.status), and the child saga of s\(step) is \(what)")
        }
    }
}
