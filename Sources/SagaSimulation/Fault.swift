public import SagaCore

/// What a simulated service does with an attempt instead of succeeding.
public enum Fault: Sendable, Hashable {
    /// Answers `failed`: it refuses for good, and leaves no effect.
    case refusal(code: String)
    /// Answers `retry` to this many attempts; nil: to each.
    case trouble(times: Int?)
    /// Does not answer this many attempts, and may have executed them; nil: never answers. For a step that waits for a
    /// signal: the signal does not come.
    case silence(times: Int?)

    /// How many attempts it takes; nil: all that follow.
    var times: Int? {
        switch self {
        case .refusal: nil
        case .trouble(let times), .silence(let times): times
        }
    }

    /// The phase of a step that faults are written for.
    public struct Place: Sendable, Hashable {
        public var step: String
        public var phase: Phase

        public init(_ step: String, _ phase: Phase = .action) {
            self.step = step
            self.phase = phase
        }
    }
}

extension [Fault] {
    /// What happens to an attempt (from 1), where each fault takes its attempts before the next one has its turn.
    func fault(at attempt: Int) -> Fault? {
        var rest = attempt
        for fault in self {
            guard let times = fault.times, rest > times else { return fault }
            rest -= times
        }
        return nil
    }
}
