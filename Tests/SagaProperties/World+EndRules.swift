import SagaCore

/// Rules about how a saga ends, and about its log.
extension World {
    /// All or nothing, by the participants' books.
    func audit(_ index: Int) throws(Violation) {
        let saga = runs[index].saga
        for (number, step) in saga.definition.steps.enumerated() where step.service != nil {
            let effects = effects(of: number, index)
            guard let expected = expectedEffects(of: number, saga), effects != expected else { continue }
            throw Violation(rule: .allOrNothing, details: "\(saga.status), and s\(number) has \(effects) effects")
        }
        let results = zip(saga.definition.steps, saga.steps).compactMap { step, state in
            if case .signal = step.kind { state.result } else { nil }
        }
        if Set(results).count != results.count { throw Violation(rule: .signals, details: "one is two steps' result") }
    }

    /// How many effects a step has at the end; nil where its books can say either.
    private func expectedEffects(of index: Int, _ saga: Saga) -> Int? {
        let (step, state) = (saga.definition.steps[index], saga.steps[index])
        if saga.status == .completed {
            // What an operator declared done may have been done or not.
            return state.action.status == .skipped ? nil : 1
        }
        if index == saga.definition.pivot || step.isAfterPivot { return 0 }
        // What cannot be undone stays as it was.
        return step.compensation == nil || state.compensation.status == .skipped ? nil : 0
    }

    func checkReplay(of index: Int) throws(Violation) {
        guard try replayed(index).saga == runs[index].saga else { throw Violation(rule: .replay, details: "") }
        guard try replayed(index, isDoubled: true).saga == runs[index].saga else {
            throw Violation(rule: .replay, details: "an entry that is applied twice counts twice")
        }
    }
}
