public import SagaCore

/// Something that a saga directs, as a test expects it.
public struct SagaExpectation: Sendable, Hashable, CustomStringConvertible {
    enum Subject: Sendable, Hashable {
        case command(step: String, item: Int?, phase: Phase)
        case child(step: String, Child)
        case event(topic: String)
        case verified
        case end(Saga.Status)
        case reopening
    }

    enum Child: String { case start, undoing, verification }

    let subject: Subject
    /// Nil: whichever.
    var attempt: Int?
    var isEffectKnown: Bool?

    /// The command for a step's action.
    ///
    /// - Parameters:
    ///   - item: Of a `forEach` step: place in its list, from 0.
    ///   - attempt: From 1; nil: whichever it is.
    public static func command(_ step: String, item: Int? = nil, attempt: Int? = nil) -> SagaExpectation {
        SagaExpectation(subject: .command(step: step, item: item, phase: .action), attempt: attempt)
    }

    /// The command for a step's compensation.
    ///
    /// - Parameters:
    ///   - item: Of a `forEach` step: place in its list, from 0.
    ///   - attempt: From 1; nil: whichever it is.
    ///   - effectKnown: Whether the action's success stands in the log; nil: either.
    public static func compensation(
        _ step: String, item: Int? = nil, attempt: Int? = nil, effectKnown: Bool? = nil
    ) -> SagaExpectation {
        SagaExpectation(
            subject: .command(step: step, item: item, phase: .compensation), attempt: attempt,
            isEffectKnown: effectKnown)
    }

    /// The start of a step's child saga.
    public static func childStart(_ step: String) -> SagaExpectation {
        SagaExpectation(subject: .child(step: step, .start))
    }

    /// A step's child saga is taken back.
    public static func childUndoing(_ step: String) -> SagaExpectation {
        SagaExpectation(subject: .child(step: step, .undoing))
    }

    /// An event to a topic.
    public static func event(_ topic: String) -> SagaExpectation { SagaExpectation(subject: .event(topic: topic)) }

    /// The saga is `completed`, `compensated` or `stuck`.
    public static func end(_ status: Saga.Status) -> SagaExpectation { SagaExpectation(subject: .end(status)) }

    /// A stuck saga goes on.
    public static var reopening: SagaExpectation { SagaExpectation(subject: .reopening) }

    /// What the machine directed.
    init(_ directive: Directive, of definition: Definition) {
        switch directive {
        case .send(let dispatch):
            self.init(
                subject: .command(
                    step: definition.steps[dispatch.step].name, item: dispatch.item, phase: dispatch.phase),
                attempt: dispatch.attempt, isEffectKnown: dispatch.phase == .action ? nil : dispatch.isEffectKnown)
        case .startChild(let index): self.init(subject: .child(step: definition.steps[index].name, .start))
        case .undoChild(let index): self.init(subject: .child(step: definition.steps[index].name, .undoing))
        case .verifyChild(let index): self.init(subject: .child(step: definition.steps[index].name, .verification))
        case .verified: self.init(subject: .verified)
        case .emit(let index, let outcome):
            let emits = definition.steps[index].emits
            self.init(subject: .event(topic: (outcome == .succeeded ? emits.succeeded : emits.failed) ?? ""))
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
        case .command(let step, let item, let phase):
            let name = item.map { "\(step)#\($0)" } ?? step
            let notes = [
                attempt.map { "attempt \($0)" }, isEffectKnown.map { $0 ? "effect known" : "effect not known" },
            ].compactMap(\.self)
            let head = phase == .action ? "command for '\(name)'" : "compensation of '\(name)'"
            return notes.isEmpty ? head : "\(head) (\(notes.joined(separator: ", ")))"
        case .child(let step, let what): return "\(what.rawValue) of child saga '\(step)'"
        case .event(let topic): return "event to topic '\(topic)'"
        case .verified: return "the verify round is over"
        case .end(let status): return "end: \(status.rawValue)"
        case .reopening: return "a stuck saga goes on"
        }
    }
}
