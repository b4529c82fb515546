/// A definition as somebody wrote it: names not yet resolved, rules not yet checked.
///
/// Definition files and the Swift result builder make drafts; only ``Definition/init(validating:)`` makes a
/// ``Definition`` of one. An absent value is nil, so that defaults are decided in one place.
public struct DefinitionDraft: Sendable, Hashable {
    public var name: String
    public var version: Int
    public var deadline: Milliseconds?
    public var durability: Durability?
    public var order: CompensationOrder?
    public var whenStuck: WhenStuck?
    public var retention: Milliseconds?
    public var trigger: EventTrigger?
    public var steps: [StepDraft]

    public init(
        name: String, version: Int, deadline: Milliseconds? = nil, durability: Durability? = nil,
        order: CompensationOrder? = nil, whenStuck: WhenStuck? = nil, retention: Milliseconds? = nil,
        trigger: EventTrigger? = nil, steps: [StepDraft] = []
    ) {
        self.name = name
        self.version = version
        self.deadline = deadline
        self.durability = durability
        self.order = order
        self.whenStuck = whenStuck
        self.retention = retention
        self.trigger = trigger
        self.steps = steps
    }
}

/// A step as somebody wrote it.
public struct StepDraft: Sendable, Hashable {
    /// Whether the step says how it is undone.
    public enum CompensationDraft: Sendable, Hashable {
        /// Not mentioned: nothing to undo, perhaps by oversight.
        case absent
        /// Written as `null`: nothing to undo, and that is meant.
        case none
        /// The operation that undoes the action.
        case operation(String)
    }

    public var name: String
    public var service: String?
    public var action: String?
    /// Makes the step a timer.
    public var delay: Milliseconds?
    /// Makes the step a timer that waits for a moment.
    public var until: Moment?
    /// Makes the step wait for the signal with this name.
    public var signal: String?
    /// Makes the step a child saga of the definition with this name.
    public var saga: String?
    /// Name of the step whose result is the child saga's input; nil gives it the saga's own.
    public var inputFrom: String?
    /// Else the step is skipped.
    public var when: Condition?
    /// Makes the step send one command for each item of a list.
    public var forEach: ForEach?
    public var emits: Emits?
    public var noRetry: [String]?
    public var compensateOn: [String]?
    public var stopOn: [String]?
    public var compensation: CompensationDraft
    public var timeout: Milliseconds?
    public var retry: RetryPolicyDraft?
    public var compensationRetry: RetryPolicyDraft?
    /// Names of the steps to wait for; nil is the step before, empty starts at once.
    public var after: [String]?
    /// Names of the steps whose results are delivered along with the input.
    public var uses: [String]?
    public var isPivot: Bool

    public init(
        name: String, service: String? = nil, action: String? = nil, delay: Milliseconds? = nil,
        until: Moment? = nil, signal: String? = nil, saga: String? = nil, inputFrom: String? = nil,
        when: Condition? = nil, forEach: ForEach? = nil, emits: Emits? = nil,
        compensation: CompensationDraft = .absent, timeout: Milliseconds? = nil,
        retry: RetryPolicyDraft? = nil, compensationRetry: RetryPolicyDraft? = nil, noRetry: [String]? = nil,
        compensateOn: [String]? = nil, stopOn: [String]? = nil,
        after: [String]? = nil, uses: [String]? = nil, isPivot: Bool = false
    ) {
        self.name = name
        self.service = service
        self.action = action
        self.delay = delay
        self.until = until
        self.signal = signal
        self.saga = saga
        self.inputFrom = inputFrom
        self.when = when
        self.forEach = forEach
        self.emits = emits
        self.compensation = compensation
        self.timeout = timeout
        self.retry = retry
        self.compensationRetry = compensationRetry
        self.noRetry = noRetry
        self.compensateOn = compensateOn
        self.stopOn = stopOn
        self.after = after
        self.uses = uses
        self.isPivot = isPivot
    }
}

/// The parts of a retry policy that were written down; the others keep their defaults.
public struct RetryPolicyDraft: Sendable, Hashable {
    public var attempts: Int?
    public var initial: Milliseconds?
    public var factor: Double?
    public var max: Milliseconds?
    public var jitter: Double?

    public init(
        attempts: Int? = nil, initial: Milliseconds? = nil, factor: Double? = nil, max: Milliseconds? = nil,
        jitter: Double? = nil
    ) {
        self.attempts = attempts
        self.initial = initial
        self.factor = factor
        self.max = max
        self.jitter = jitter
    }
}

/// When a definition's writes count as made (see the protocol's durability section).
public enum Durability: String, Sendable, Hashable, CaseIterable {
    /// Redis' own persistence.
    case async
    /// Confirmed by replicas, or by an fsync on a server without replicas.
    case replicated
}

/// In which order the compensations of one saga run.
public enum CompensationOrder: String, Sendable, Hashable, CaseIterable {
    /// Reverse order of dependency; independent ones side by side.
    case reverse
    /// All at once.
    case parallel
}

/// What a stuck compensation means for those that come after it.
public enum WhenStuck: String, Sendable, Hashable, CaseIterable {
    /// The others go on.
    case `continue`
    /// Those that wait for the stuck one keep waiting.
    case hold
}

/// One fault of a draft: where, and what is wrong.
public struct DefinitionFault: Sendable, Hashable, Error, CustomStringConvertible {
    /// A way through the file's structure: `steps`, `2`, `after`, `0`.
    public enum Component: Sendable, Hashable, CustomStringConvertible {
        case key(String)
        case index(Int)

        public var description: String {
            switch self {
            case .key(let key): key
            case .index(let index): String(index)
            }
        }
    }

    public var path: [Component]
    public var reason: String

    public init(_ path: [Component], _ reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String {
        let place = path.map(\.description).joined(separator: ".")
        return place.isEmpty ? reason : "\(place): \(reason)"
    }
}
