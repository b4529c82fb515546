/// The verify round: what a saga does after its partition's history was rewound.
///
/// The log is a true but perhaps shortened history. Participants may have executed, or undone, what it no longer knows.
/// So every action that is recorded or due is sent again under the new era, with its old key; the barrier answers from
/// its record. An action that was compensated in the lost suffix answers `failed`, and turns the saga back. Nothing
/// else goes on in the saga until all have answered, and from then on a compensation covers every step.
extension Saga {
    mutating func beginVerifying(era: Int64, at instant: Milliseconds, _ directives: inout [Directive]) {
        self.era = era
        compensatesAll = true
        unverified = 0
        for index in steps.indices {
            rewindCompensation(index)
            steps[index].verification = nil
            guard definition.steps[index].service != nil else { continue }
            switch steps[index].action.status {
            case .none, .pending, .skipped: break
            default:
                steps[index].verification = Verification()
                unverified += 1
                verify(index, at: instant, &directives)
            }
        }
    }

    /// A compensation that was under way is void under the old era, and is sent again when the round is over.
    private mutating func rewindCompensation(_ index: Int) {
        if isCompensating, steps[index].compensation.status == .none, needsCompensation(index) {
            steps[index].compensation.status = .pending
        }
        guard steps[index].compensation.isActive else { return }
        if steps[index].compensation.status == .running { steps[index].compensation.budget -= 1 }
        steps[index].compensation.status = .pending
    }

    private mutating func verify(_ index: Int, at instant: Milliseconds, _ directives: inout [Directive]) {
        let deadline = instant.adding(timeout(of: index))
        steps[index].verification?.attempts += 1
        steps[index].verification?.due = deadline
        if steps[index].action.status == .running { steps[index].action.due = deadline }
        directives.append(
            .send(
                Dispatch(
                    step: index, phase: .action, attempt: max(1, steps[index].action.attempts), deadline: deadline)))
    }

    /// Puts the unanswered questions again.
    mutating func repeatVerification(at instant: Milliseconds, _ directives: inout [Directive]) {
        for index in steps.indices {
            guard let verification = steps[index].verification, verification.due <= instant else { continue }
            verify(index, at: instant, &directives)
        }
    }

    mutating func applyVerification(of index: Int, _ reply: Reply, at instant: Milliseconds) {
        guard let verification = steps[index].verification else { return }
        if reply.outcome == .retry {
            let seed = jitterSeed(saga: id, step: index, phase: .action, attempt: verification.attempts)
            let delay = definition.steps[index].retry.delay(after: verification.attempts, seed: seed)
            steps[index].verification?.due = instant.adding(max(delay, reply.retryAfter ?? 0))
            return
        }
        steps[index].verification = nil
        unverified -= 1
        let recorded = steps[index].action.status
        switch reply.outcome {
        case .succeeded where recorded != .succeeded && recorded != .failed:
            succeed(index, .action, result: reply.result, at: instant)
        case .failed where recorded == .succeeded && index == definition.pivot:
            // No participant can take back a pivot: its database lost the record. A person has to look.
            steps[index].action.finish(.stuck, at: instant, error: "after a rewind: \(reply.failure)")
        case .failed where recorded != .failed && !isCompensating:
            fail(index, .action, error: reply.failure, at: instant)
        default: break
        }
    }
}
