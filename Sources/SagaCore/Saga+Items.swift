/// `forEach` steps: one branch an item, a bounded number of them at once.
///
/// The step's own phases sum up those of its items: running while there is something to do, `succeeded` when all are
/// done, `stuck` when only stuck ones are left.
extension Saga {
    /// Makes the items of a step that is due. They are sent by ``fill(_:_:at:_:)``.
    mutating func expand(_ index: Int, _ forEach: ForEach, at instant: Milliseconds) throws(PayloadFault) {
        let values = try items(of: forEach)
        openAttempt(Branch(step: index), .action, due: .max, at: instant)
        guard !values.isEmpty else {
            return succeed(Branch(step: index), .action, result: Array("[]".utf8), at: instant)
        }
        steps[index].items = values.map { ItemState(value: $0) }
    }

    /// Sends the next items, as many as may be under way at once.
    mutating func fill(_ index: Int, _ phase: Phase, at instant: Milliseconds, _ directives: inout [Directive]) {
        guard let forEach = definition.steps[index].forEach, steps[index][phase].status == .running else { return }
        var room = forEach.parallel
        for item in steps[index].items where item[phase].isActive && !item[phase].isQueued { room -= 1 }
        for item in steps[index].items.indices where room > 0 {
            let state = steps[index].items[item][phase]
            guard state.isQueued || state.status == (phase == .action ? .none : .pending) else { continue }
            dispatch(Branch(step: index, item: item), phase, at: instant, &directives)
            room -= 1
        }
    }

    /// Brings the step's own phase up to date after one of its items has changed.
    mutating func settleItems(_ index: Int, _ phase: Phase, at instant: Milliseconds) {
        switch steps[index][phase].status {
        // A step that was done can lose an item in a verify round.
        case .running, .stuck, .succeeded: break
        default: return
        }
        let states = steps[index].items.map { $0[phase] }
        let isOpen = states.contains {
            $0.isActive || $0.status == .pending || phase == .action && $0.status == .none
        }
        if isOpen {
            steps[index][phase].status = .running
        } else if let item = states.firstIndex(where: { $0.status == .stuck }) {
            let error = "item \(item): \(states[item].error ?? "stuck")"
            steps[index][phase].finish(.stuck, at: instant, error: error)
            steps[index][phase].isRefused = states[item].isRefused
        } else if phase == .compensation {
            succeed(Branch(step: index), .compensation, result: nil, at: instant)
        } else {
            do throws(PayloadFault) {
                succeed(Branch(step: index), .action, result: try collectedResults(of: index), at: instant)
            } catch {
                fail(Branch(step: index), .action, error: error.reason, at: instant)
            }
        }
    }

    /// Notes which items have to be undone; a step whose items were never known is asked for them now.
    mutating func planItemCompensations(_ index: Int, _ forEach: ForEach, at instant: Milliseconds) {
        guard steps[index].compensation.status != .skipped else { return }
        if compensatesAll, steps[index].items.isEmpty {
            // Where it was stuck as its items were not known, they may be by now.
            steps[index].compensation.status = .none
            do throws(PayloadFault) {
                guard isListKnown(forEach) else {
                    guard !isUnreachable(index) else { return }
                    return steps[index].compensation.finish(
                        .stuck, at: instant,
                        error: "its items are not known, as the result of an earlier step was lost: see which were done"
                    )
                }
                steps[index].items = try items(of: forEach).map { ItemState(value: $0) }
            } catch {
                // What is no list now never was one, so no item was ever sent.
                return
            }
        }
        for item in steps[index].items.indices where needsCompensation(Branch(step: index, item: item)) {
            guard steps[index].items[item].compensation.status == .none else { continue }
            steps[index].items[item].compensation.status = .pending
            // Also where it was done, or stuck, with fewer items.
            if !steps[index].compensation.isActive { steps[index].compensation.status = .pending }
        }
    }

    private func isListKnown(_ forEach: ForEach) -> Bool {
        guard case .result(let name) = forEach.items.root, let source = definition.step(named: name) else {
            return true
        }
        return steps[source].action.isDone
    }

    /// Whether a step that this one depends on was refused. Then this one was never due in any history, or was undone
    /// before that one was, because compensations run in reverse order.
    ///
    /// Only a service's refusal tells that: it is on record. A signal that did not come, and a child that went back, may
    /// have been otherwise in what was lost.
    private func isUnreachable(_ index: Int) -> Bool {
        guard definition.order == .reverse else { return false }
        var open = definition.steps[index].after
        var seen: Set<Int> = []
        while let earlier = open.popLast() {
            if steps[earlier].action.status == .failed, definition.steps[earlier].service != nil { return true }
            if seen.insert(earlier).inserted { open += definition.steps[earlier].after }
        }
        return false
    }
}
