/// A saga's definition: validated steps in an order of dependency that has no cycle.
///
/// A value of this type keeps every rule of the format, so the machine never meets a bad one. A registered
/// name and version never change; a saga ends under the version that it started with.
public struct Definition: Sendable, Hashable {
    public let name: String
    public let version: Int
    /// Time for the whole saga, from its start; when it passes before the pivot is due, the saga compensates.
    public let deadline: Milliseconds?
    public let durability: Durability
    public let order: CompensationOrder
    public let whenStuck: WhenStuck
    /// How long the log of an ended saga stays.
    public let retention: Milliseconds
    /// The events that start sagas of this definition.
    public let trigger: EventTrigger?
    /// In the order of the file. ``Step/after`` and ``Step/uses`` are indexes into it.
    public let steps: [Step]
    /// Index of the step from which on the saga only goes forward.
    public let pivot: Int?
    /// For each step, the steps that come after it directly.
    package let dependents: [[Int]]
    /// Every step before those that it waits for: an order in which steps can be undone.
    package let reverseOrder: [Int]
    /// The steps that are child sagas.
    package let children: [Int]
    /// The steps that emit events.
    package let emitting: [Int]

    /// `name@version`, the form in which people and keys name it.
    public var id: String { "\(name)@\(version)" }

    /// The index of the step with this name.
    public func step(named name: String) -> Int? {
        // At most a hundred steps: a scan costs less than hashing the name.
        steps.firstIndex { $0.name == name }
    }

    package init(
        name: String, version: Int, deadline: Milliseconds?, durability: Durability, order: CompensationOrder,
        whenStuck: WhenStuck, retention: Milliseconds, trigger: EventTrigger?, steps: [Step], pivot: Int?,
        dependents: [[Int]]
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
        self.pivot = pivot
        self.dependents = dependents
        children = steps.indices.filter { steps[$0].isChild }
        emitting = steps.indices.filter { steps[$0].emits != Emits() }
        reverseOrder = Self.reverseOrder(of: steps, dependents: dependents)
    }

    /// Kahn's algorithm from the ends towards the beginnings.
    private static func reverseOrder(of steps: [Step], dependents: [[Int]]) -> [Int] {
        var open = dependents.map(\.count)
        var order = steps.indices.filter { open[$0] == 0 }
        var next = 0
        while next < order.count {
            for earlier in steps[order[next]].after {
                open[earlier] -= 1
                if open[earlier] == 0 { order.append(earlier) }
            }
            next += 1
        }
        return order
    }
}

/// What a step does when it is due.
public enum StepKind: Sendable, Hashable {
    /// Sends a command to a service, and waits for its reply.
    case command(service: String, action: String)
    /// A durable timer: succeeds when this time has passed.
    case delay(Milliseconds)
    /// A durable timer: succeeds when this moment has come, at once where it is past.
    case until(Moment)
    /// Waits for a signal with this name, whose payload is the step's result.
    case signal(String)
    /// Runs a saga of another definition, and waits for its end. Its input is the saga's own, or that step's result.
    case child(definition: String, inputFrom: Int?)
}

/// One step of a definition.
public struct Step: Sendable, Hashable {
    public let name: String
    public let kind: StepKind
    /// Where it is not met the step is skipped.
    public let when: Condition?
    /// Where present, the command goes out once for each item of a list.
    public let forEach: ForEach?
    public let emits: Emits
    /// What particular error codes of the action mean.
    public let codes: ErrorCodes
    /// The operation that undoes a command's action; nil where there is nothing to undo.
    public let compensation: String?
    /// Whether the absence of a compensation was written down as meant.
    public let isCompensationWaived: Bool
    /// A command: time for one attempt, from dispatch to reply. A signal: time to wait for it, nil without end.
    public let timeout: Milliseconds?
    public let retry: RetryPolicy
    public let compensationRetry: RetryPolicy
    /// Steps that this one waits for.
    public let after: [Int]
    /// Steps whose results are delivered along with the input.
    public let uses: [Int]
    /// Whether this step comes after the pivot, and so is never compensated.
    public let isAfterPivot: Bool

    /// The service that executes the step; nil where the coordinator does by itself.
    public var service: String? {
        guard case .command(let service, _) = kind else { return nil }
        return service
    }

    /// Whether the step is a saga of its own.
    package var isChild: Bool {
        if case .child = kind { return true }
        return false
    }

    /// Whether there is something to run when the step has to be undone.
    package var hasCompensation: Bool { compensation != nil || isChild }

    /// The operation that the service executes in a phase.
    package func operation(of phase: Phase) -> String? {
        guard case .command(_, let action) = kind else { return nil }
        return phase == .action ? action : compensation
    }

    package init(
        name: String, kind: StepKind, when: Condition?, forEach: ForEach?, emits: Emits, codes: ErrorCodes,
        compensation: String?, isCompensationWaived: Bool, timeout: Milliseconds?,
        retry: RetryPolicy, compensationRetry: RetryPolicy, after: [Int], uses: [Int], isAfterPivot: Bool
    ) {
        self.name = name
        self.kind = kind
        self.when = when
        self.forEach = forEach
        self.emits = emits
        self.codes = codes
        self.compensation = compensation
        self.isCompensationWaived = isCompensationWaived
        self.timeout = timeout
        self.retry = retry
        self.compensationRetry = compensationRetry
        self.after = after
        self.uses = uses
        self.isAfterPivot = isAfterPivot
    }
}
