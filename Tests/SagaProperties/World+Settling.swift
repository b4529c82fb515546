import SagaCore

/// What happens when the faults have stopped: everything arrives, everything succeeds that may, operators help.
extension World {
    /// More than any saga needs that its services answer.
    private static let patience = 5_000

    mutating func settle() throws(Violation) {
        for _ in 0..<Self.patience {
            if !commands.isEmpty || !answers.isEmpty {
                try deliverNext()
                continue
            }
            // A parent waits for its children, which come after it.
            guard let index = runs.lastIndex(where: { !$0.isGone && !$0.saga.isAtRest }) else { return }
            try help(index)
        }
        let open = runs.filter { !$0.isGone && !$0.saga.isAtRest }.map { "\($0.saga.id) is \($0.saga.status)" }
        throw Violation(rule: .liveness, details: open.joined(separator: ", "))
    }

    mutating func deliverNext() throws(Violation) {
        if !commands.isEmpty {
            try execute(commands.removeFirst(), will: .succeed)
        } else if !answers.isEmpty {
            try deliver(answers.removeFirst())
        }
    }

    /// Does what a saga needs that waits for nothing on its way.
    private mutating func help(_ index: Int) throws(Violation) {
        let saga = runs[index].saga
        if saga.isPaused {
            try feed(.order(Order(.resume)), to: index)
        } else if saga.isAwaitingConfirmation {
            try confirm(index)
        } else if saga.status == .stuck, !saga.isVerifying {
            try unstick(index)
        } else if !saga.isVerifying, let name = awaitedSignal(of: saga) {
            try send(name, id: nil, to: index)
        } else if let alarm = saga.nextAlarm {
            now = max(now, alarm)
            try feed(.tick, to: index)
        } else {
            throw Violation(rule: .waiting, details: "it is \(saga.status), and has no alarm")
        }
        guard runs[index].saga.entryCount > saga.entryCount else {
            throw Violation(rule: .liveness, details: "nothing moves it: it is \(saga.status)")
        }
    }

    /// Tries everything once more; what is stuck again after that was refused for good, and is declared done.
    private mutating func unstick(_ index: Int) throws(Violation) {
        let saga = runs[index].saga
        let phase: Phase = saga.isCompensating ? .compensation : .action
        let number = phase == .action ? 0 : 1
        let stuck = saga.steps.indices.filter { saga.steps[$0][phase].status == .stuck }
        if let hopeless = stuck.first(where: { runs[index].retried.contains([$0, number]) }) {
            return try feed(.order(Order(.skip, step: saga.definition.steps[hopeless].name)), to: index)
        }
        runs[index].retried.formUnion(stuck.map { [$0, number] })
        try feed(.order(Order(.retry)), to: index)
    }

    private func awaitedSignal(of saga: Saga) -> String? {
        for (step, state) in zip(saga.definition.steps, saga.steps) {
            if case .signal(let name) = step.kind, state.action.status == .running { return name }
        }
        return nil
    }
}
