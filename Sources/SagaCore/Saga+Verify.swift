/// The verify round: what a saga does after its partition's history was rewound.
///
/// The log is a true but perhaps shortened history. Participants may have executed, or undone, what it no longer knows.
/// So every action that is recorded or due is sent again under the new era, with its old key; the barrier answers from
/// its record. An action that was compensated in the lost suffix answers `failed`, and turns the saga back. Nothing
/// else goes on in the saga until all have answered, and from then on a compensation covers every step.
extension Saga {
    mutating func beginVerifying(era: Int64, at instant: Milliseconds, _ directives: inout [Directive]) {
        self.era = era
        compensatesAll = compensatesAll || safeguards.contains(.everyStepCompensated)
        unverified = 0
        for index in steps.indices {
            rewindCompensation(index, at: instant)
            if !steps[index].items.isEmpty { steps[index].verification = nil }
            for branch in branches(of: index) { ask(branch, at: instant, &directives) }
        }
    }

    /// Draws the conclusions from all answers together.
    mutating func closeRound(at instant: Milliseconds) {
        if status == .completed, !steps.allSatisfy(\.action.isDone) {
            // A completed child saga, a step of which turned out not to be done.
            status = .running
            finishedAt = nil
        }
        guard isCompensating else { return }
        // An answer may have brought back the result that tells a later step's items.
        for index in steps.indices { planCompensation(index, at: instant) }
    }

    /// Begins to verify a branch whose action is recorded.
    private mutating func ask(_ branch: Branch, at instant: Milliseconds, _ directives: inout [Directive]) {
        setVerification(nil, of: branch)
        let step = definition.steps[branch.step]
        let isChild = step.isChild
        guard isChild || step.service != nil else { return }
        guard safeguards.contains(isChild ? .childrenVerified : .verifyRound) else { return }
        // A list without elements: nothing was ever sent.
        guard step.forEach == nil || branch.item != nil else { return }
        switch self[branch, .action].status {
        case .none, .pending, .skipped, .omitted: break
        // It could not even begin.
        case _ where self[branch, .action].attempts == 0: break
        default:
            unverified += 1
            setVerification(Verification(due: .max), of: branch)
            if isChild {
                directives.append(.verifyChild(step: branch.step))
            } else if branch.item == nil {
                verify(branch, at: instant, &directives)
            }
        }
    }

    /// Asks about items, as many of a step at once as it may have under way.
    mutating func askItems(at instant: Milliseconds, _ directives: inout [Directive]) {
        for index in steps.indices {
            guard let forEach = definition.steps[index].forEach else { continue }
            var room = forEach.parallel
            for item in steps[index].items where (item.verification?.attempts ?? 0) > 0 { room -= 1 }
            for item in steps[index].items.indices
            where room > 0 && steps[index].items[item].verification?.attempts == 0 {
                verify(Branch(step: index, item: item), at: instant, &directives)
                room -= 1
            }
        }
    }

    /// A compensation that was under way is void under the old era, and is sent again when the round is over.
    private mutating func rewindCompensation(_ index: Int, at instant: Milliseconds) {
        if isCompensating { planCompensation(index, at: instant) }
        for branch in branches(of: index) { rewindCompensation(branch) }
        if !steps[index].items.isEmpty { rewindCompensation(Branch(step: index)) }
    }

    private mutating func rewindCompensation(_ branch: Branch) {
        guard self[branch, .compensation].isActive else { return }
        if self[branch, .compensation].status == .running { self[branch, .compensation].budget -= 1 }
        self[branch, .compensation].status = .pending
    }

    private mutating func verify(_ branch: Branch, at instant: Milliseconds, _ directives: inout [Directive]) {
        let deadline = instant.adding(timeout(of: branch.step))
        let attempts = verification(of: branch)?.attempts ?? 0
        setVerification(Verification(attempts: attempts + 1, due: deadline), of: branch)
        if self[branch, .action].status == .running { self[branch, .action].due = deadline }
        directives.append(
            .send(
                Dispatch(
                    step: branch.step, item: branch.item, phase: .action,
                    attempt: max(1, self[branch, .action].attempts), deadline: deadline)))
    }

    /// Puts the unanswered questions again.
    mutating func repeatVerification(at instant: Milliseconds, _ directives: inout [Directive]) {
        for index in steps.indices {
            for branch in branches(of: index) {
                guard let verification = verification(of: branch), verification.due <= instant else { continue }
                verify(branch, at: instant, &directives)
            }
        }
    }

    mutating func applyVerification(of branch: Branch, _ reply: Reply, at instant: Milliseconds) {
        guard var verification = verification(of: branch) else { return }
        if reply.outcome == .retry {
            let seed = jitterSeed(saga: id, branch, phase: .action, attempt: verification.attempts)
            let delay = definition.steps[branch.step].retry.delay(after: verification.attempts, seed: seed)
            verification.due = instant.adding(max(delay, reply.retryAfter ?? 0))
            return setVerification(verification, of: branch)
        }
        setVerification(nil, of: branch)
        unverified -= 1
        let recorded = self[branch, .action].status
        switch reply.outcome {
        case .succeeded where recorded != .succeeded && recorded != .failed:
            succeed(branch, .action, result: reply.result, at: instant)
        case .failed where recorded == .succeeded && branch.step == definition.pivot:
            // No participant can take back a pivot: its database lost the record. A person has to look.
            self[branch, .action].finish(.stuck, at: instant, error: "after a rewind: \(reply.failure)")
        case .failed where recorded == .succeeded && !isCompensating:
            // Undone in what was lost: that turns the saga back whatever the step says of a refusal's codes.
            refuse(branch, error: reply.failure, at: instant)
        case .failed where recorded != .failed && !isCompensating:
            fail(branch, .action, error: reply.failure, code: reply.code, at: instant)
        default: break
        }
    }
}
