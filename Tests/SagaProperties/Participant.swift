import SagaCore

/// The barrier's rules in a model of their own, written down once more from the protocol: what one participant has
/// recorded of one step, and what its database shows.
struct Participant {
    private(set) var action: Reply.Outcome?
    private var code: String?
    private(set) var compensation: Reply.Outcome?
    private(set) var effects = 0
    private var era: Int64 = 0

    /// The answer to a command; nil where its era is over.
    mutating func execute(
        _ dispatch: Dispatch, era: Int64, will: Will, flaw: Flaw?
    ) throws(Violation) -> (Reply.Outcome, code: String?)? {
        guard era >= self.era || flaw == .ignoredEras else { return nil }
        self.era = max(self.era, era)
        switch dispatch.phase {
        case .action: return act(will, flaw: flaw)
        case .compensation: return try compensate(will, isEffectKnown: dispatch.isEffectKnown)
        }
    }

    private mutating func act(_ will: Will, flaw: Flaw?) -> (Reply.Outcome, code: String?) {
        if compensation != nil, flaw != .lateActions { return (.failed, "late") }
        if let action { return (action, code) }
        guard let outcome = will.outcome else { return (.retry, will.code) }
        if flaw != .forgottenActions { (action, code) = (outcome, will.code) }
        if outcome == .succeeded { effects += 1 }
        return (outcome, will.code)
    }

    private mutating func compensate(
        _ will: Will, isEffectKnown: Bool
    ) throws(Violation) -> (Reply.Outcome, code: String?) {
        if compensation == .succeeded { return (.succeeded, nil) }
        if action != .succeeded {
            // No participant loses its records here, so the coordinator cannot know of what is not on record.
            if isEffectKnown { throw Violation(rule: .knownEffects, details: "") }
            compensation = .succeeded
            return (.succeeded, nil)
        }
        guard let outcome = will.outcome else { return (.retry, will.code) }
        compensation = outcome
        if outcome == .succeeded { effects -= 1 }
        return (outcome, will.code)
    }
}

extension Will {
    /// What is recorded; nil where nothing is.
    fileprivate var outcome: Reply.Outcome? {
        switch self {
        case .succeed: .succeeded
        case .refuse: .failed
        case .stumble: nil
        }
    }

    var retryAfter: Milliseconds? {
        if case .stumble(let retryAfter, _) = self { retryAfter } else { nil }
    }

    fileprivate var code: String? {
        switch self {
        case .succeed: nil
        case .refuse(let code), .stumble(_, let code): code
        }
    }
}
