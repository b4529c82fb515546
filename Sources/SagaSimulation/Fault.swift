public import SagaCore

/// What a simulated service does with an attempt instead of succeeding.
public enum Fault: Sendable, Hashable {
    /// Answers `failed`: it refuses for good, and leaves no effect.
    case refusal(code: String)
    /// Answers `retry` to this many attempts; nil: to each.
    case trouble(times: Int?, code: String? = nil)
    /// Does not answer this many attempts, and may have executed them; nil: never answers. For a step that waits for a
    /// signal or for a child saga: that does not come.
    case silence(times: Int?)

    /// How many attempts it takes; nil: all that follow.
    var times: Int? {
        switch self {
        case .refusal: nil
        case .trouble(let times, _), .silence(let times): times
        }
    }

    /// What faults are written for: a phase of a step, or of one item of a `forEach` step.
    public struct Place: Sendable, Hashable {
        public var step: String
        /// Place in the step's list, from 0; nil: the step, and each of its items that has no faults of its own.
        public var item: Int?
        public var phase: Phase

        public init(_ step: String, item: Int? = nil, _ phase: Phase = .action) {
            self.step = step
            self.item = item
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
