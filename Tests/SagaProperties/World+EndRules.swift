import SagaCore

/// Rules about how a saga ends, and about its log.
extension World {
    /// All or nothing, by the participants' books.
    func audit(_ index: Int) throws(Violation) {
        guard !runs[index].isGone else {
            if hasOrphanedEffects(index), !isMeddled {
                throw Violation(rule: .family, details: "\(runs[index].saga.id) was lost, and has effects")
            }
            return
        }
        let saga = runs[index].saga
        for step in saga.definition.steps.indices where saga.definition.steps[step].isChild {
            try auditChild(step, of: index)
        }
        for (number, step) in saga.definition.steps.enumerated() where step.service != nil {
            let items = step.forEach == nil ? [nil] : (0..<SagaCase.mostItems).map { Int?($0) }
            for branch in items.map({ Branch(step: number, item: $0) }) {
                let effects = effects(of: branch, index)
                guard let expected = expectedEffects(of: branch, runs[index]), effects != expected else { continue }
                let details = "\(saga.status), and \(branch.label) has \(effects) effects"
                throw Violation(rule: .allOrNothing, details: details)
            }
        }
        let results = zip(saga.definition.steps, saga.steps).compactMap { step, state in
            if case .signal = step.kind { state.result } else { nil }
        }
        if Set(results).count != results.count { throw Violation(rule: .signals, details: "one is two steps' result") }
    }

    /// How many effects a branch has at the end; nil where its books can say either.
    private func expectedEffects(of branch: Branch, _ run: Run) -> Int? {
        let saga = run.saga
        let (step, whole) = (saga.definition.steps[branch.step], saga.steps[branch.step])
        let isThere = branch.item.map(whole.items.indices.contains) ?? true
        if saga.status == .completed {
            // What an operator declared done may have been done or not.
            if whole.action.status == .skipped || saga.state(of: branch, .action).status == .skipped { return nil }
            if whole.action.status != .omitted, isThere { return 1 }
            // Another way, decided by an operator or a signal, may be in what was lost.
            return saga.compensatesAll && isMeddled ? nil : 0
        }
        if branch.step == saga.definition.pivot || step.isAfterPivot { return 0 }
        // What cannot be undone stays as it was.
        if step.compensation == nil || whole.compensation.status == .skipped { return nil }
        if saga.state(of: branch, .compensation).status == .skipped { return nil }
        return isThere || !isMeddled ? 0 : nil
    }

    /// An end of a replicated saga that was told stands, whatever is lost. A child saga can be taken back.
    mutating func noteEnd(_ transition: Transition, of index: Int) throws(Violation) {
        let saga = transition.after
        guard saga.started.isReplicated, !saga.started.isChild else { return }
        for case .finish(let status) in transition.directives where status.isFinal {
            if let told = runs[index].told, told != status {
                throw Violation(rule: .ending, details: "\(told) was told, now \(status)")
            }
            runs[index].told = status
        }
    }

    func checkReplay(of index: Int) throws(Violation) {
        guard !runs[index].isGone else { return }
        guard try replayed(index).saga == runs[index].saga else { throw Violation(rule: .replay, details: "") }
        guard try replayed(index, isDoubled: true).saga == runs[index].saga else {
            throw Violation(rule: .replay, details: "an entry that is applied twice counts twice")
        }
    }
}
