public import SagaCore

/// Something that a saga directs, as a test expects it.
public struct SagaExpectation: Sendable, Hashable, CustomStringConvertible {
    enum Subject: Sendable, Hashable {
        case command(step: String, phase: Phase)
        case end(Saga.Status)
        case reopening
    }

    let subject: Subject
    /// Nil: whichever.
    var attempt: Int?
    var isEffectKnown: Bool?

    /// The command for a step's action.
    ///
    /// - Parameter attempt: From 1; nil: whichever it is.
    public static func command(_ step: String, attempt: Int? = nil) -> SagaExpectation {
        SagaExpectation(subject: .command(step: step, phase: .action), attempt: attempt)
    }

    /// The command for a step's compensation.
    ///
    /// - Parameters:
    ///   - attempt: From 1; nil: whichever it is.
    ///   - effectKnown: Whether the action's success stands in the log; nil: either.
    public static func compensation(
        _ step: String, attempt: Int? = nil, effectKnown: Bool? = nil
    ) -> SagaExpectation {
        SagaExpectation(
            subject: .command(step: step, phase: .compensation), attempt: attempt, isEffectKnown: effectKnown)
    }

    /// The saga is `completed`, `compensated` or `stuck`.
    public static func end(_ status: Saga.Status) -> SagaExpectation { SagaExpectation(subject: .end(status)) }

    /// A stuck saga goes on.
    public static var reopening: SagaExpectation { SagaExpectation(subject: .reopening) }

    /// What the machine directed.
    init(_ directive: Directive, of definition: Definition) {
        switch directive {
        case .send(let dispatch):
            self.init(
                subject: .command(step: definition.steps[dispatch.step].name, phase: dispatch.phase),
                attempt: dispatch.attempt, isEffectKnown: dispatch.phase == .action ? nil : dispatch.isEffectKnown)
        case .finish(let status): self.init(subject: .end(status))
        case .reopen: self.init(subject: .reopening)
        }
    }

    private init(subject: Subject, attempt: Int? = nil, isEffectKnown: Bool? = nil) {
        self.subject = subject
        self.attempt = attempt
        self.isEffectKnown = isEffectKnown
    }

    func isMet(by directed: SagaExpectation) -> Bool {
        subject == directed.subject && (attempt == nil || attempt == directed.attempt)
            && (isEffectKnown == nil || isEffectKnown == directed.isEffectKnown)
    }

    /// `compensation of 'create' (attempt 1)`.
    public var description: String {
        switch subject {
        case .command(let step, let phase):
            let notes = [
                attempt.map { "attempt \($0)" }, isEffectKnown.map { $0 ? "effect known" : "effect not known" },
            ].compactMap(\.self)
            let head = phase == .action ? "command for '\(step)'" : "compensation of '\(step)'"
            return notes.isEmpty ? head : "\(head) (\(notes.joined(separator: ", ")))"
        case .end(let status): return "end: \(status.rawValue)"
        case .reopening: return "a stuck saga goes on"
        }
    }
}

/// What a test's service answers.
public struct StepAnswer: Sendable, Hashable {
    let outcome: Reply.Outcome
    var result: String?
    var code: String?
    var retryAfter: Milliseconds?

    /// The step succeeded, and returned nothing.
    public static var succeeded: StepAnswer { StepAnswer(outcome: .succeeded) }

    /// The step succeeded, with a result (JSON).
    public static func succeeded(result: String) -> StepAnswer { StepAnswer(outcome: .succeeded, result: result) }

    /// The service refuses for good.
    public static func refused(_ code: String) -> StepAnswer { StepAnswer(outcome: .failed, code: code) }

    /// Passing trouble: to be tried again, not before this time has passed.
    public static func retry(after span: Duration? = nil) -> StepAnswer {
        StepAnswer(outcome: .retry, retryAfter: span?.milliseconds)
    }
}
