/// Where one step of a saga is.
public struct StepState: Sendable, Hashable, MutableTwoPhased {
    public package(set) var action = PhaseState()
    public package(set) var compensation = PhaseState()
    /// What the action returned, or what an operator gave in its place.
    public package(set) var result: [UInt8]?
    /// Present while the verify round after a rewind waits for this step's answer.
    public package(set) var verification: Verification?
    /// Of a `forEach` step that was due: one for each element of its list.
    public package(set) var items: [ItemState] = []

    public init() {}
}

/// Where one item of a `forEach` step is.
public struct ItemState: Sendable, Hashable, MutableTwoPhased {
    /// The element of the list, as JSON.
    public let value: [UInt8]
    public package(set) var action = PhaseState()
    public package(set) var compensation = PhaseState()
    public package(set) var result: [UInt8]?
    public package(set) var verification: Verification?

    package init(value: [UInt8]) {
        self.value = value
    }
}

/// What has an action and a compensation.
package protocol TwoPhased {
    var action: PhaseState { get }
    var compensation: PhaseState { get }
    var verification: Verification? { get }
    var result: [UInt8]? { get }
}

extension TwoPhased {
    /// The state of one direction.
    package subscript(phase: Phase) -> PhaseState {
        switch phase {
        case .action: action
        case .compensation: compensation
        }
    }
}

/// The machine's own view of it.
protocol MutableTwoPhased: TwoPhased {
    var action: PhaseState { get set }
    var compensation: PhaseState { get set }
}

extension MutableTwoPhased {
    subscript(phase: Phase) -> PhaseState {
        get {
            switch phase {
            case .action: action
            case .compensation: compensation
            }
        }
        set {
            switch phase {
            case .action: action = newValue
            case .compensation: compensation = newValue
            }
        }
    }
}

/// Where one phase of a step is.
public struct PhaseState: Sendable, Hashable {
    public enum Status: String, Sendable, Hashable, CaseIterable {
        /// Not due. Can become `pending` (compensation) or `running` (action).
        case none
        /// A compensation that is needed and has not been sent. Can become `running`.
        case pending
        /// An attempt was sent and not answered. Can become every one below.
        case running
        /// Between two attempts. Can become `running`, `succeeded` or `failed` (a late answer), `unknown`, `skipped`.
        case waiting
        /// Final for an action; final for a compensation.
        case succeeded
        /// The participant refused and left no effect. Final.
        case failed
        /// An action that may have taken effect and will not be tried again. Final; it is compensated.
        case unknown
        /// Out of attempts, or refused where a refusal can't be accepted. Waits for an operator, or a late success. When
        /// the saga turns back, a stuck action becomes `failed` or `unknown`.
        case stuck
        /// Declared done by an operator. Final.
        case skipped
        /// An action whose condition was not met when it was due. Final; there is nothing to undo.
        case omitted
    }

    public package(set) var status = Status.none
    /// Attempts sent so far.
    public package(set) var attempts = 0
    /// Attempts that count against the policy: those since an operator last gave a fresh set.
    public package(set) var budget = 0
    /// Running: the end of this attempt. Waiting: the beginning of the next; `.max` where an item waits for room.
    public package(set) var due: Milliseconds = 0
    /// When the current attempt was sent, or its last sign of life came.
    public package(set) var seenAt: Milliseconds = 0
    public package(set) var startedAt: Milliseconds?
    public package(set) var finishedAt: Milliseconds?
    public package(set) var error: String?
    /// A stuck action that was refused, and so left no effect.
    public package(set) var isRefused = false

    package init() {}

    /// Whether an alarm is set for this phase.
    package var isActive: Bool { status == .running || status == .waiting }
    /// An item that was granted attempts, and waits for room among those under way.
    var isQueued: Bool { status == .waiting && due == .max }
    /// Whether later steps need not wait for this one any longer.
    package var isDone: Bool { status == .succeeded || status == .skipped || status == .omitted }

    mutating func finish(_ status: Status, at instant: Milliseconds, error: String? = nil) {
        self.status = status
        isRefused = false
        finishedAt = instant
        self.error = error ?? (status == .succeeded || status == .skipped ? nil : self.error)
    }
}

/// The question, put again under a new era, what became of a recorded action.
public struct Verification: Sendable, Hashable {
    /// Times the question was put.
    public package(set) var attempts = 0
    /// When to put it again; `.max` where the answer comes by itself.
    public package(set) var due: Milliseconds = 0

    package init(attempts: Int = 0, due: Milliseconds) {
        self.attempts = attempts
        self.due = due
    }
}
