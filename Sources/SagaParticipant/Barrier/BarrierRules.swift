public import SagaCore
public import SagaWire

/// What a participant owes (the protocol's §3), as pure functions over what is recorded: every store shares them, and a
/// test can run all of their combinations.
///
/// The order of the checks is the contract. Each is there because leaving it out, or moving it, leaves a saga half done:
///
/// 1. **era**: a command of an older history than the newest seen must do nothing, or it would act for a coordinator
///    that has been replaced by one that does not know of it.
/// 2. **late action**: once the compensation is recorded, the action must never take effect, nor report a success,
///    even a true one: the coordinator would take the saga for complete.
/// 3. **duplicate**: before any business rule, because the rule may well refuse now what it let pass then.
/// 4. **empty compensation**: there is nothing to undo, and business rules must not get to see it.
public enum BarrierRules {
    /// What to do with a command.
    public enum Verdict: Sendable, Hashable {
        /// A newer era is recorded: no effect.
        case stale(seen: Int64)
        /// The action's compensation is recorded: no effect.
        case lateAction
        /// Executed before: the recorded answer again.
        case duplicate(BarrierRecord)
        /// The compensation's action never took effect: succeeds without an effect.
        case emptyCompensation
        /// The coordinator knows that the action took effect, and no record says so: the database went back.
        case recordMissing
        /// The action's call may still arrive: the compensation has to wait until it can't.
        case inDoubt(until: Milliseconds)
        /// The handler's turn.
        case run
    }

    /// What a command leads to: an answer, and what is to be recorded under its key with it.
    public struct Conclusion: Sendable, Hashable {
        public var answer: BarrierAnswer
        /// Replaces an earlier record of the key; nil leaves what is there.
        public var record: BarrierRecord?

        init(_ reply: ReplyMessage, record: BarrierRecord? = nil) {
            answer = .reply(reply)
            self.record = record
        }

        init(intended record: BarrierRecord) {
            answer = .proceed
            self.record = record
        }
    }

    /// Stable codes of the replies that the rules themselves give.
    public enum Code {
        public static let lateAction = "late-action"
        public static let recordMissing = "record-missing"
        public static let inDoubt = "in-doubt"
    }

    /// Decides about a command from what is recorded. `now` matters only to calls outside of the transaction.
    public static func decide(
        phase: Phase, era: Int64, isEffectKnown: Bool, recorded: RecordedState, now: Milliseconds
    ) -> Verdict {
        decide(
            phase: phase, era: era, isEffectKnown: isEffectKnown, recorded: recorded, safeguards: .all, now: now)
    }

    private static func decide(
        phase: Phase, era: Int64, isEffectKnown: Bool, recorded: RecordedState, safeguards: Safeguards,
        now: Milliseconds
    ) -> Verdict {
        if let seen = recorded.era, seen > era, safeguards.contains(.eraFence) { return .stale(seen: seen) }
        switch phase {
        case .action:
            // Any record of the compensation blocks, also one that failed or is only intended.
            if recorded.compensation != nil, safeguards.contains(.lateActionRefused) { return .lateAction }
            // An intended call whose answer is not recorded is made again, under the same key.
            guard let record = recorded.action, record.outcome != .intended else { return .run }
            return .duplicate(record)
        case .compensation:
            // Only a success is final; a compensation that failed or was interrupted runs again.
            if let record = recorded.compensation, record.outcome == .succeeded { return .duplicate(record) }
            guard let action = recorded.action else { return isEffectKnown ? .recordMissing : .emptyCompensation }
            switch action.outcome {
            case .failed: return .emptyCompensation
            case .succeeded: return .run
            case .intended:
                guard let until = action.until, now < until else { return .run }
                return .inDoubt(until: until)
            }
        }
    }

    /// Decides about a command, calls `run` where it is the handler's turn, and says what to answer and to record.
    ///
    /// The saga's era is the store's to raise, whatever the outcome: it is a fact about the partition's history, not
    /// about the command. Nothing depends on it being kept where the local transaction fails as a whole.
    public static func perform(
        _ command: Command, recorded: RecordedState, now: Milliseconds, run: () throws -> HandlerOutcome
    ) rethrows -> Conclusion {
        try perform(command, recorded: recorded, safeguards: .all, now: now, run: run)
    }

    package static func perform(
        _ command: Command, recorded: RecordedState, safeguards: Safeguards, now: Milliseconds,
        run: () throws -> HandlerOutcome
    ) rethrows -> Conclusion {
        let verdict = decide(
            phase: command.phase, era: command.era, isEffectKnown: command.isEffectKnown, recorded: recorded,
            safeguards: safeguards, now: now)
        switch verdict {
        case .run:
            var conclusion = conclude(try run(), of: command)
            if command.phase == .action, conclusion.record?.outcome == .failed,
                !safeguards.contains(.refusalRecorded)
            {
                conclusion.record = nil
            }
            return conclusion
        case .duplicate(let record): return Conclusion(reply(to: command, repeating: record))
        case .stale(let seen):
            return Conclusion(ReplyMessage(id: command.id, outcome: .stale, seen: seen))
        case .lateAction:
            return Conclusion(
                ReplyMessage(
                    id: command.id, outcome: .failed, error: "the step's compensation came first",
                    code: Code.lateAction))
        case .emptyCompensation:
            let record = BarrierRecord(.succeeded)
            return Conclusion(reply(to: command, repeating: record), record: record)
        case .recordMissing:
            // Recorded like every failed compensation: it keeps a late delivery of the action out.
            let record = BarrierRecord(
                .failed, error: "the action took effect, but this participant has no record of it",
                code: Code.recordMissing)
            return Conclusion(reply(to: command, repeating: record), record: record)
        case .inDoubt(let until):
            return Conclusion(
                ReplyMessage(
                    id: command.id, outcome: .retry, error: "the action's call may still arrive", code: Code.inDoubt,
                    retryAfter: until - now))
        }
    }

    private static func conclude(_ outcome: HandlerOutcome, of command: Command) -> Conclusion {
        let record: BarrierRecord
        switch outcome {
        case .succeeded(let result): record = BarrierRecord(.succeeded, result: result)
        case .failed(let code, let error): record = BarrierRecord(.failed, error: error, code: code)
        case .retry(let error, let code, let after):
            // Not recorded: the next attempt has to run. That is no proof that this one left no effect.
            return Conclusion(
                ReplyMessage(id: command.id, outcome: .retry, error: error, code: code, retryAfter: after))
        case .intended(let until): return Conclusion(intended: BarrierRecord(.intended, until: until))
        }
        return Conclusion(reply(to: command, repeating: record), record: record)
    }

    /// The recorded outcome with the command's own attempt, era and token.
    private static func reply(to command: Command, repeating record: BarrierRecord) -> ReplyMessage {
        ReplyMessage(
            id: command.id, outcome: record.outcome == .failed ? .failed : .succeeded, result: record.result,
            error: record.error, code: record.code)
    }
}
