import SagaCore

/// What is known of a step's effect where it is executed.
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

/// The other side of a simulation: what each attempt is answered, by the script, and which effects stand.
struct SimulatedServices {
    enum Answer {
        case success(result: [UInt8]?)
        case refusal(code: String)
        case trouble(code: String?)
        case silence
    }

    static let refusal = "simulated refusal"
    static let trouble = "simulated trouble"

    let script: SimulationScript
    /// By step, or by item (`reserve#3`).
    private(set) var effects: [String: Effect] = [:]

    init(script: SimulationScript) {
        self.script = script
    }

    /// The answer to an attempt (from 1).
    mutating func answer(_ step: String, item: Int? = nil, _ phase: Phase, attempt: Int) -> Answer {
        let name = branchName(step, item)
        switch fault(of: step, item: item, phase, at: attempt) {
        case .silence:
            if phase == .action { effects[name] = .possible }
            return .silence
        case .trouble(_, let code):
            return .trouble(code: code)
        case .refusal(let code):
            // A refusal is proof that no earlier attempt left an effect.
            if phase == .action { effects[name] = Effect.none }
            return .refusal(code: code)
        case nil:
            effects[name] = phase == .action ? .taken : .undone
            return .success(result: phase == .action ? script.results[step] : nil)
        }
    }

    func fault(of step: String, item: Int? = nil, _ phase: Phase, at attempt: Int) -> Fault? {
        let own = item.flatMap { script.faults[Fault.Place(step, item: $0, phase)] }
        return (own ?? script.faults[Fault.Place(step, phase)])?.fault(at: attempt)
    }
}
