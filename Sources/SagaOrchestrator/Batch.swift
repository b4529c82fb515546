import SagaCore
import SagaStore
import SagaWire

/// Decides what one round's messages and alarms change in one partition, and collects it in one commit.
///
/// Everything it needs is in memory: the lane has loaded the sagas that are meant. Not Sendable: it belongs to the lane.
struct Batch {
    let partition: OwnedPartition
    let registry: DefinitionRegistry
    let signer: TokenSigner
    let round: UInt64
    let now: Milliseconds
    let safeguards: Safeguards
    let confirmations: Confirmations
    private let confirmationAlarm: ClosedRange<Milliseconds>
    private let mostUnconfirmed: Int
    var commit: PartitionCommit
    /// What the commit may still grow by; the rest of what was read waits for the next one.
    var budget: CommitBudget
    var tally = Tally()
    private(set) var touched: [SagaCell] = []
    /// For each command of the commit whose it is.
    private var senders: [(cell: SagaCell, branch: Branch)] = []
    /// Whether the batch brings sagas to a new era that nobody has asked for yet.
    var isSweeping = false
    /// Sagas whose logs exist and cannot be read, with their length and the reason.
    var unreadable: [String: UnreadableLog] = [:]
    /// Sagas that ended and were removed.
    var tombstones: [String: Tombstone] = [:]

    struct UnreadableLog {
        var count: Int
        var reason: DeadReason
    }

    init(
        partition: OwnedPartition, registry: DefinitionRegistry, signer: TokenSigner, round: UInt64,
        now: Milliseconds, options: OrchestratorOptions, confirmations: Confirmations
    ) {
        self.partition = partition
        self.registry = registry
        self.signer = signer
        self.round = round
        self.now = now
        safeguards = options.safeguards
        self.confirmations = confirmations
        confirmationAlarm = options.confirmationAlarm
        mostUnconfirmed = options.cachedSagas
        budget = CommitBudget(options)
        commit = PartitionCommit(fence: partition.fence, positions: partition.positions)
    }

    // MARK: Messages

    /// Where a message stands: what its dead letter would name.
    struct Source {
        var stream: InboxStream
        var entry: String
        var position: Int
    }

    mutating func apply(_ message: DecodedMessage, from stream: InboxStream, entry: String) {
        let source = Source(stream: stream, entry: entry, position: message.position)
        switch message.content {
        case .failure(let reason):
            guard let saga = message.saga, let definition = message.definition, isUnknown(saga) else {
                return bury(source, reason, saga: message.saga)
            }
            refuseStart(of: saga, definition, version: nil, source, reason)
        case .success(.reply(let reply)): apply(reply, source)
        case .success(.heartbeat(let heartbeat)): apply(heartbeat, source)
        case .success(.start(let start)): apply(start, source)
        case .success(.signal(let signal)): apply(signal, source)
        case .success(.control(let control)): apply(control, source)
        case .success(.event(let event)): apply(event, source)
        }
    }

    mutating func bury(_ source: Source, _ reason: DeadReason, saga: String?) {
        tally.dead += 1
        commit.dead.append(
            DeadMark(
                stream: source.stream, entry: source.entry, position: source.position, reason: reason, saga: saga))
    }

    /// The open or ended saga that a message is about; buries the message where there is none.
    mutating func cell(for saga: String, _ source: Source) -> SagaCell? {
        if let cell = partition.sagas[saga] { return cell }
        bury(source, absence(of: saga), saga: saga)
        return nil
    }

    /// Why a saga is not in memory.
    func absence(of saga: String) -> DeadReason {
        unreadable[saga]?.reason ?? tombstones[saga]?.reason(of: saga)
            ?? DeadReason(.unknownSaga, "there is no saga '\(saga)'")
    }

    /// Whether nothing is known of a saga: neither in memory nor stored in any form.
    func isUnknown(_ saga: String) -> Bool {
        partition.sagas[saga] == nil && unreadable[saga] == nil && tombstones[saga] == nil
    }

    // MARK: Sagas

    /// Lets a saga decide on an event, after bringing it to the partition's era, and records what it accepts.
    @discardableResult
    mutating func feed(_ cell: SagaCell, _ event: Event) -> Decision {
        catchUp(cell)
        let decision = cell.saga.decide(event, at: now)
        if case .accept(let fact) = decision { record(fact, cell) }
        return decision
    }

    /// Begins the saga's verify round where the partition's history was rewound since the saga was last looked at.
    mutating func catchUp(_ cell: SagaCell) {
        touch(cell)
        guard cell.saga.era < partition.era, !cell.saga.status.isFinal else { return }
        if case .accept(let fact) = cell.saga.decide(.rewind(era: partition.era), at: now) { record(fact, cell) }
    }

    /// Rings the alarm of a saga; also where it came too early, so that the next one is set.
    mutating func ring(_ saga: String) {
        if let cell = partition.sagas[saga] {
            cell.storedAlarm = nil
            guard cell.saga.isAtRest, cell.newEntries.isEmpty else {
                feed(cell, .tick)
                return
            }
            // An end that the parent could not be told, as its log could not be read.
            commit.changes.append(
                SagaChange(saga: saga, firstIndex: cell.storedCount, alarm: alarm(ofResting: cell)))
            reportToParent(of: cell)
        } else if let log = unreadable[saga] {
            commit.changes.append(SagaChange(saga: saga, firstIndex: log.count, alarm: .at(nextLook)))
        } else {
            // An alarm without a log, or of a saga that was removed, rings for nobody.
            let count = tombstones[saga] == nil ? 0 : 1
            commit.changes.append(SagaChange(saga: saga, firstIndex: count, alarm: .gone))
        }
    }

    mutating func record(_ fact: Fact, _ cell: SagaCell) {
        let entry = LogEntry(index: cell.saga.entryCount, at: now, fact: fact)
        add(LogCodec.encode(entry), to: cell)
        var directives: [Directive] = []
        cell.saga.evolve(entry, directives: &directives)
        execute(directives, of: cell)
    }

    mutating func execute(_ directives: [Directive], of cell: SagaCell) {
        for directive in directives {
            switch directive {
            case .send(let dispatch):
                guard let service = cell.saga.definition.steps[dispatch.step].service else { continue }
                let token = cell.token(dispatch.branch, phase: dispatch.phase, signer: signer)
                let command = Command(dispatch, of: cell.saga, token: token)
                let fields = command.fields
                budget.spend(fields.bytes.count)
                commit.commands.append(
                    OutgoingCommand(service: service, fields: fields, replaced: cell.takeSent(dispatch.branch)))
                senders.append((cell, dispatch.branch))
            case .finish(let status):
                tally.ended += status.isFinal ? 1 : 0
                tally.stuck += status == .stuck ? 1 : 0
                commit.outcomes.append(outcome(of: cell.saga, status))
                if status.isFinal { reportToParent(of: cell) }
            case .reopen: break
            case .startChild(let step): startChild(step, of: cell)
            case .undoChild(let step): undoChild(step, of: cell)
            case .verifyChild(let step): verifyChild(step, of: cell)
            case .verified: reportToParent(of: cell)
            case .emit(let step, let outcome):
                guard let event = DomainEvent(of: cell.saga, step: step, outcome: outcome, at: now) else { continue }
                let fields = event.fields
                budget.spend(fields.bytes.count)
                commit.events.append(OutgoingEvent(topic: event.topic, fields: fields))
            }
        }
    }

    /// Makes a saga that the store doesn't have.
    mutating func enter(_ id: String, _ definition: Definition, _ started: Started) {
        var directives: [Directive] = []
        let saga = Saga(
            id: id, definition: definition, started: started, safeguards: safeguards, at: now, directives: &directives)
        let cell = SagaCell(saga: saga, storedCount: 0, storedAlarm: nil)
        add(LogCodec.encode(LogEntry(index: 0, at: now, fact: .started(started))), to: cell)
        partition.sagas[id] = cell
        touch(cell)
        execute(directives, of: cell)
        tally.started += 1
    }

    private mutating func add(_ entry: [UInt8], to cell: SagaCell) {
        budget.spend(entry.count)
        cell.newEntries.append(entry)
    }

    mutating func touch(_ cell: SagaCell) {
        cell.lastRound = round
        guard !cell.isTouched else { return }
        cell.isTouched = true
        touched.append(cell)
    }

    private func outcome(of saga: Saga, _ status: Saga.Status) -> Fields {
        OutcomeEntry(
            saga: saga.id, definition: saga.definition.name, version: saga.definition.version,
            status: OutcomeEntry.Status(status), error: saga.error, at: now
        ).fields
    }

    // MARK: The end

    /// Completes the commit with what has changed in the sagas.
    mutating func seal() {
        for cell in touched {
            let alarm = alarm(of: cell)
            guard !cell.newEntries.isEmpty || alarm != .keep else { continue }
            commit.changes.append(
                SagaChange(
                    saga: cell.saga.id, firstIndex: cell.storedCount, entries: cell.newEntries, alarm: alarm,
                    indexes: cell.indexChanges))
            if case .ended = alarm { release(restingDescendants(of: cell)) }
        }
    }

    /// Lets go of ended children: nothing will take them back.
    private mutating func release(_ cells: [SagaCell]) {
        for cell in cells where cell.newEntries.isEmpty {
            commit.changes.append(
                SagaChange(saga: cell.saga.id, firstIndex: cell.storedCount, alarm: .ended(removal(of: cell))))
        }
    }

    private func alarm(ofResting cell: SagaCell) -> SagaChange.Alarm {
        if isParentUnreadable(cell) { return .at(nextLook) }
        return isHeld(cell) ? .rested : .ended(removal(of: cell))
    }

    /// When what cannot be read is looked at again: the definition may be registered by then.
    private var nextLook: Milliseconds { now.adding(5_000) }

    /// When a saga that ends now is to be removed: a family together.
    private func removal(of cell: SagaCell) -> Milliseconds { now.adding(head(of: cell).saga.definition.retention) }

    /// An alarm that rings too early is harmless, so it is only moved forward: a saga that runs through sets one.
    private func alarm(of cell: SagaCell) -> SagaChange.Alarm {
        if cell.saga.isAtRest {
            return cell.newEntries.isEmpty ? .keep : alarm(ofResting: cell)
        }
        guard let next = nextLook(at: cell.saga) else { return cell.storedAlarm == .max ? .keep : .never }
        if let stored = cell.storedAlarm, stored <= next, stored > now { return .keep }
        return .at(next)
    }

    /// When to look at a saga again. One that waits for a confirmation is told by who asks for that; where it is forgotten,
    /// as its owner is gone, it is found by its alarm.
    private func nextLook(at saga: Saga) -> Milliseconds? {
        guard saga.isAwaitingConfirmation else { return saga.nextAlarm }
        let wait = min(max(now - saga.heldSince, confirmationAlarm.lowerBound), confirmationAlarm.upperBound)
        return min(saga.nextAlarm ?? .max, now.adding(wait))
    }

    /// The touched sagas that wait for a confirmation, with the lengths of their logs.
    var awaiting: [String: Int] {
        var awaiting: [String: Int] = [:]
        for cell in touched where cell.saga.isAwaitingConfirmation { awaiting[cell.saga.id] = cell.saga.entryCount }
        return awaiting
    }

    /// Takes over what the store has confirmed.
    ///
    /// - Parameter commands: Where the commit's commands are; empty where that isn't known.
    func confirm(_ commands: [StreamID]) {
        for (sender, id) in zip(senders, commands) { sender.cell.noteSent(sender.branch, id) }
        partition.committedPositions = commit.positions
        partition.fence.sequence += 1
        for change in commit.changes {
            switch change.alarm {
            case .at(let instant):
                partition.nextAlarm = min(partition.nextAlarm, instant)
                partition.sagas[change.saga]?.storedAlarm = instant
            case .never: partition.sagas[change.saga]?.storedAlarm = .max
            case .ended(let removal):
                partition.nextRemoval = min(partition.nextRemoval, removal)
                partition.sagas[change.saga]?.storedAlarm = nil
            // A child that is taken back later is among the open ones no more: its alarm has to be set anew.
            case .gone, .rested: partition.sagas[change.saga]?.storedAlarm = nil
            case .keep: break
            }
        }
        close()
    }

    /// Makes the sagas free for the next batch, once the store has all that was decided on them.
    func close() {
        for cell in touched {
            noteWait(of: cell.saga)
            cell.isTouched = false
            cell.storedCount = cell.saga.entryCount
            cell.storedStatus = cell.saga.status
            cell.newEntries.removeAll()
        }
        for cell in touched where cell.saga.isAtRest && !isHeld(cell) {
            for descendant in restingDescendants(of: cell) { partition.sagas[descendant.saga.id] = nil }
            partition.sagas[cell.saga.id] = nil
        }
    }

    /// There may be more of them than are remembered: the others are found by their alarms.
    private func noteWait(of saga: Saga) {
        guard saga.isAwaitingConfirmation else {
            partition.unconfirmed[saga.id] = nil
            return
        }
        guard partition.unconfirmed.count < mostUnconfirmed || partition.unconfirmed[saga.id] != nil else { return }
        partition.unconfirmed[saga.id] = saga.entryCount
    }

    /// Sagas that were taken to be new.
    var newSagas: [String] { commit.changes.lazy.filter { $0.firstIndex == 0 }.map(\.saga) }

    /// Forgets what the store has refused.
    func rollBack() {
        partition.positions = partition.committedPositions
        partition.nextAlarm = .min
        if isSweeping { partition.sweepCursor = "0" }
        for cell in touched { partition.sagas[cell.saga.id] = nil }
    }
}
