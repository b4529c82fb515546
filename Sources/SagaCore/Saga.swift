/// One run of a definition: the durable machine at the heart of the coordinator.
///
/// A copyable value without I/O, clock or randomness. ``decide(_:at:)`` says which fact an event makes (if any),
/// ``evolve(_:directives:)`` applies a fact and says what has to be done because of it. Live and replayed sagas run the
/// same `evolve`, so a saga reloaded from its log is the saga that wrote it. The forward and backward recovery of a
/// long-lived transaction follow Garcia-Molina and Salem, *Sagas* (SIGMOD 1987); the pivot is Richardson's.
public struct Saga: Sendable, Hashable {
    public enum Status: String, Sendable, Hashable, CaseIterable {
        /// Accepted, but not to begin yet. Can become `running` or, when cancelled, `compensated`.
        case scheduled
        /// Going forward. Can become every other one.
        case running
        /// Undoing what was done. Can become `compensated` or `stuck`.
        case compensating
        /// Every step that was due succeeded. Final.
        case completed
        /// Every step that took or may have taken effect was compensated. Final.
        case compensated
        /// Waits for an operator. Can become `running` or `compensating` again.
        case stuck

        /// Whether nothing will ever change this saga again.
        public var isFinal: Bool { self == .completed || self == .compensated }
    }

    public let id: String
    public let definition: Definition
    public let started: Started
    public let startedAt: Milliseconds
    public package(set) var status = Status.running
    /// Whether the saga goes backward; with ``status``, what a stuck saga was doing.
    public package(set) var isCompensating = false
    public package(set) var steps: [StepState]
    /// Entries applied so far; the index of the next one.
    public internal(set) var entryCount = 1
    /// The partition's history that this saga has been brought to.
    public package(set) var era: Int64
    /// Whether a compensation covers every step of the definition, known to have run or not.
    public package(set) var compensatesAll: Bool
    public internal(set) var isPaused = false
    /// When a saga that goes forward, and whose pivot is not due, turns back.
    public package(set) var deadline: Milliseconds?
    /// Why the saga turned back, or what it is stuck at.
    public internal(set) var error: String?
    public internal(set) var finishedAt: Milliseconds?
    /// Steps whose answer the verify round waits for.
    package var unverified = 0
    /// Signals that came before their steps were due, oldest first.
    var bufferedSignals: [Signal] = []
    var signalIDs: Set<String> = []
    /// All of them, but where a test shows what one is good for.
    let safeguards: Safeguards

    /// Applies the first entry of a log.
    ///
    /// - Parameter directives: Receives what has to be done, the first commands above all.
    public init(
        id: String, definition: Definition, started: Started, at instant: Milliseconds,
        directives: inout [Directive]
    ) {
        self.init(
            id: id, definition: definition, started: started, safeguards: .all, at: instant, directives: &directives)
    }

    package init(
        id: String, definition: Definition, started: Started, safeguards: Safeguards, at instant: Milliseconds,
        directives: inout [Directive]
    ) {
        self.id = id
        self.safeguards = safeguards
        self.definition = definition
        self.started = started
        startedAt = instant
        steps = Array(repeating: StepState(), count: definition.steps.count)
        era = started.era
        compensatesAll =
            started.isAfterRewind && safeguards.contains(.everyStepCompensated) || started.isRecalled
        deadline = (started.deadline ?? definition.deadline).map { instant.adding($0) }
        if let notBefore = started.notBefore, notBefore > instant { status = .scheduled }
        if started.isRecalled {
            beginCompensating(because: "entered to be undone: its history was lost", at: instant)
        }
        let before = emittingStatuses
        advance(at: instant, &directives)
        emit(since: before, &directives)
    }

    /// Whether the step from which there is no return is due: deadline and cancel are refused from here on.
    public var isPivotDue: Bool {
        guard let pivot = definition.pivot else { return false }
        return steps[pivot].action.status != .none
    }

    /// Whether the saga only goes forward, whatever an operator, a parent or its deadline wants.
    var isBeyondReturn: Bool { isPivotDue && safeguards.contains(.noReturnFromPivot) }

    /// Whether a deadline still turns the saga back.
    var canTurnBack: Bool { !status.isFinal && !isCompensating && !isBeyondReturn }

    /// Whether the verify round after a rewind is under way.
    public var isVerifying: Bool { unverified > 0 }

    /// Whether the saga has ended, and nothing is to be asked of it. A child saga can still be taken back.
    public var isAtRest: Bool { status.isFinal && !isVerifying }

    /// When the saga has to be looked at next; nil where only a message can move it.
    public var nextAlarm: Milliseconds? {
        guard !isAtRest, !isPaused else { return nil }
        var next = Milliseconds.max
        if let deadline, canTurnBack { next = deadline }
        if status == .scheduled, let notBefore = started.notBefore { next = min(next, notBefore) }
        for step in steps {
            next = min(next, alarm(of: step))
            for item in step.items { next = min(next, alarm(of: item)) }
        }
        return next == .max ? nil : next
    }

    private func alarm(of part: some TwoPhased) -> Milliseconds {
        if let verification = part.verification { return verification.due }
        // While the verify round runs, only its own alarms count.
        guard unverified == 0 else { return .max }
        return min(
            part.action.isActive ? part.action.due : .max, part.compensation.isActive ? part.compensation.due : .max)
    }

    /// Applies the next entry of the log.
    ///
    /// An entry that has been applied already (its index is below ``entryCount``) changes nothing.
    public mutating func evolve(_ entry: LogEntry, directives: inout [Directive]) {
        guard entry.index == entryCount else { return }
        entryCount += 1
        let (before, former) = (emittingStatuses, status)
        var isInRound = isVerifying
        switch entry.fact {
        case .started: break
        case .replied(let reply): apply(reply, at: entry.at)
        case .beat(let step, let item, let phase): applyBeat(of: step, item, phase, at: entry.at)
        case .ticked: applyTick(at: entry.at, &directives)
        case .ordered(let order): apply(order, at: entry.at, &directives)
        case .signaled(let signal): apply(signal, at: entry.at)
        case .rewound(let era):
            beginVerifying(era: era, at: entry.at, &directives)
            isInRound = true
        case .childReported(let report): apply(report, at: entry.at)
        case .recalled(let reason): recall(because: reason, at: entry.at)
        }
        let isRoundOver = isInRound && !isVerifying
        if isRoundOver { closeRound(at: entry.at) }
        if isVerifying { askItems(at: entry.at, &directives) }
        advance(at: entry.at, &directives)
        if former == .stuck || former.isFinal, status == .running || status == .compensating {
            directives.append(.reopen)
        }
        emit(since: before, &directives)
        if isRoundOver, started.isChild { directives.append(.verified) }
    }

    private var emittingStatuses: [PhaseState.Status] { definition.emitting.map { steps[$0].action.status } }

    /// Tells topics which steps have reached an outcome.
    private func emit(since before: [PhaseState.Status], _ directives: inout [Directive]) {
        for (index, earlier) in zip(definition.emitting, before) where steps[index].action.status != earlier {
            switch steps[index].action.status {
            case .succeeded where definition.steps[index].emits.succeeded != nil:
                directives.append(.emit(step: index, outcome: .succeeded))
            case .failed where definition.steps[index].emits.failed != nil:
                directives.append(.emit(step: index, outcome: .failed))
            default: break
            }
        }
    }
}
