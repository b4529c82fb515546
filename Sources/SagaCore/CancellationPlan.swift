/// What cancelling a saga would undo, and in which order.
///
/// Found by cancelling a copy of the saga and answering one compensation after the other with success, so it is the
/// machine's own word. It holds as long as the saga does not move: an answer that comes in between changes it.
public struct CancellationPlan: Sendable, Hashable {
    /// Why a step has to be undone.
    public enum Cause: String, Sendable, Hashable, CaseIterable {
        /// Its action succeeded.
        case succeeded
        /// Its action was sent, and whether it took effect is not known: not answered yet, or out of attempts.
        case unknown
        /// An operator declared its action done by hand.
        case skipped
        /// Its action is stuck: an attempt of it may have taken effect.
        case stuck
        /// The partition's history was rewound: it may have run without the log's knowing.
        case rewound
    }

    /// Why a step needs nothing.
    public enum Exemption: String, Sendable, Hashable, CaseIterable {
        /// Its compensation is done already.
        case compensated
        /// It was never due.
        case notDue = "not-due"
        /// Its participant refused, and left no effect.
        case failed
        /// The definition names nothing that would undo it.
        case noCompensation = "no-compensation"
        /// It comes after the pivot.
        case afterPivot = "after-pivot"
        /// Its condition was not met.
        case omitted
        /// It had nothing to do.
        case noEffect = "no-effect"
    }

    /// One step, or one item of a `forEach` step, that has to be undone.
    public struct Compensation: Sendable, Hashable {
        public var step: String
        /// Of a `forEach` step: place in its list, from 0.
        public var item: Int?
        /// The participant; nil where the step is a child saga.
        public var service: String?
        /// What the participant is told to do.
        public var operation: String?
        public var cause: Cause
        /// Why the last attempt failed, where there was one.
        public var error: String?
    }

    /// One step that is left as it is.
    public struct Exempt: Sendable, Hashable {
        public var step: String
        public var exemption: Exemption
    }

    /// Why the order would be refused; nil where it would be accepted.
    public internal(set) var refusal: String?
    /// What is undone: a wave after the other, the steps of a wave side by side. A step begins, in truth, as soon as
    /// those are undone that depend on it, which is not later than its wave. Where the saga compensates already: what is
    /// left to be undone.
    public internal(set) var waves: [[Compensation]] = []
    /// Compensations that are stuck, or kept waiting by a stuck one: nothing goes on there without an operator.
    public internal(set) var blocked: [Compensation] = []
    /// Steps that need nothing, in the definition's order.
    public internal(set) var exempt: [Exempt] = []
    /// What the saga would be in the end, were every compensation of the waves to succeed.
    public internal(set) var end: Saga.Status
    /// Whether nothing is sent before the saga is resumed.
    public internal(set) var isPaused: Bool
}

extension Saga {
    /// Says what an operator's `cancel` would undo. Changes nothing.
    public func cancellationPlan(at instant: Milliseconds) -> CancellationPlan {
        var plan = CancellationPlan(end: status, isPaused: isPaused)
        var copy = self
        switch decide(.order(Order(.cancel)), at: instant) {
        case .accept(let fact): copy.enact(fact, at: instant)
        case .ignore: break
        case .refuse(let reason): plan.refusal = reason
        }
        // A saga that only goes forward undoes nothing.
        guard copy.isCompensating, !status.isFinal else { return plan }
        for index in steps.indices {
            if let exemption = copy.exemption(of: index) {
                plan.exempt.append(.init(step: definition.steps[index].name, exemption: exemption))
            }
        }
        let causes = copy
        copy.holdUp(at: instant)
        while true {
            let wave = copy.branches.filter { copy[$0, .compensation].isActive }
            guard !wave.isEmpty else { break }
            plan.waves.append(wave.map { causes.compensation(of: $0, isStuck: isStuck($0)) })
            for branch in wave { copy.succeed(branch, .compensation, result: nil, at: instant) }
            copy.goOn(at: instant)
        }
        for branch in copy.branches {
            switch copy[branch, .compensation].status {
            case .stuck, .pending: plan.blocked.append(causes.compensation(of: branch, isStuck: isStuck(branch)))
            default: break
            }
        }
        plan.end = copy.status
        return plan
    }

    private var branches: [Branch] { steps.indices.flatMap { branches(of: $0) } }

    private mutating func enact(_ fact: Fact, at instant: Milliseconds) {
        var directives: [Directive] = []
        evolve(LogEntry(index: entryCount, at: instant, fact: fact), directives: &directives)
    }

    private mutating func goOn(at instant: Milliseconds) {
        var directives: [Directive] = []
        advance(at: instant, &directives)
    }

    /// Ends a pause, a verify round and the wait for confirmations, which hold compensations up and don't change which
    /// there are.
    private mutating func holdUp(at instant: Milliseconds) {
        isPaused = false
        (holdsUnconfirmed, isStartHeld, isSkipHeld) = (false, false, false)
        unverified = 0
        for branch in branches { setVerification(nil, of: branch) }
        goOn(at: instant)
    }

    /// Whether the action waits for an operator now, and may have taken effect; turning back ends the wait.
    private func isStuck(_ branch: Branch) -> Bool {
        // The items of a step that was not due become known only by turning back.
        if let item = branch.item, !steps[branch.step].items.indices.contains(item) { return false }
        let action = self[branch, .action]
        return action.status == .stuck && !action.isRefused
    }

    private func compensation(of branch: Branch, isStuck: Bool) -> CancellationPlan.Compensation {
        let step = definition.steps[branch.step]
        return CancellationPlan.Compensation(
            step: step.name, item: branch.item, service: step.service, operation: step.operation(of: .compensation),
            cause: isStuck ? .stuck : cause(of: branch), error: self[branch, .compensation].error)
    }

    private func cause(of branch: Branch) -> CancellationPlan.Cause {
        switch self[branch, .action].status {
        case .succeeded: .succeeded
        case .skipped: .skipped
        case .unknown, .running, .waiting, .stuck: .unknown
        case .none, .pending, .failed, .omitted: .rewound
        }
    }

    /// Why a saga that goes backward leaves this step as it is; nil where it has to be undone.
    private func exemption(of index: Int) -> CancellationPlan.Exemption? {
        switch steps[index].compensation.status {
        case .none: break
        case .succeeded, .skipped: return .compensated
        default: return nil
        }
        let step = definition.steps[index]
        let action = steps[index].action
        switch action.status {
        case .none, .pending: return .notDue
        case .omitted: return .omitted
        // What the coordinator waits for by itself is broken off when the saga turns back, and counts as failed then.
        case _ where step.service == nil && !step.isChild: return .noCompensation
        case .failed: return .failed
        default: break
        }
        if step.isAfterPivot { return .afterPivot }
        return step.hasCompensation ? .noEffect : .noCompensation
    }
}
