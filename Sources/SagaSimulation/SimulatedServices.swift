import SagaCore

/// What is known of a step's effect at its service.
public enum Effect: String, Sendable, Hashable, CaseIterable {
    /// Nothing was done, or it was refused.
    case none
    /// A command was not answered: it may have been executed.
    case possible
    /// The action succeeded, and was not undone.
    case taken
    /// The compensation succeeded.
    case undone
}

/// The services' side of a simulation: what each attempt is answered, by the script, and which effects stand.
struct SimulatedServices {
    let script: SimulationScript
    private(set) var effects: [String: Effect] = [:]

    init(script: SimulationScript) {
        self.script = script
    }

    /// The answer to an attempt; nil where none comes.
    mutating func answer(_ step: Step, _ dispatch: Dispatch) -> Reply? {
        var reply = Reply(step: step.name, phase: dispatch.phase, attempt: dispatch.attempt, outcome: .succeeded)
        switch fault(of: step.name, dispatch.phase, at: dispatch.attempt) {
        case .silence:
            if dispatch.phase == .action { note(.possible, of: step.name) }
            return nil
        case .trouble:
            reply.outcome = .retry
            reply.error = "simulated trouble"
        case .refusal(let code):
            reply.outcome = .failed
            // A refusal is proof that no earlier attempt left an effect.
            if dispatch.phase == .action { note(.none, of: step.name) }
            reply.error = "simulated refusal"
            reply.code = code
        case nil:
            note(dispatch.phase == .action ? .taken : .undone, of: step.name)
            if dispatch.phase == .action { reply.result = script.results[step.name] }
        }
        return reply
    }

    func fault(of step: String, _ phase: Phase, at attempt: Int) -> Fault? {
        script.faults[Fault.Place(step, phase)]?.fault(at: attempt)
    }

    private mutating func note(_ effect: Effect, of step: String) {
        effects[step] = effect
    }
}
