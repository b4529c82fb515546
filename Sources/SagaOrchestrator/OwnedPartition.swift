import SagaCore
import SagaStore

/// A partition that this orchestrator owns, as its lane keeps it in memory. All of it can be dropped and read again.
///
/// Not Sendable: it belongs to one lane.
final class OwnedPartition {
    let index: Int
    let claim: Claim
    var fence: Fence
    /// Applied and committed.
    var committedPositions: InboxPositions
    /// Applied in memory; where the next read goes on.
    var positions: InboxPositions
    var era: Int64
    var wasRewound: Bool
    var clock = PartitionClock()
    /// Open sagas in memory.
    var sagas: [String: SagaCell] = [:]
    /// No alarm that is set rings before this instant; `.min` where that isn't known.
    var nextAlarm = Milliseconds.min
    /// Where the verify round's sweep over the open sagas is; nil when it is done.
    var sweepCursor: String?
    /// Sagas that refused commits have taken to be new, one of which was not: the next batch looks for their logs.
    var suspects: Set<String> = []
    /// Sagas that wait for a confirmation, with the length of their logs that has to be confirmed.
    var unconfirmed: [String: Int] = [:]
    /// Those of them whose logs are confirmed up to there, to be told.
    var confirmed: [String: Int] = [:]
    /// Set when something told that the history was rewound: the lowest era that will do.
    var eraToExceed: Int64?
    /// Whether what is in memory may be another state than the store's: nothing is decided before it is taken anew.
    private(set) var isInDoubt = false
    /// No ended saga is to be removed before this instant; `.min` where that isn't known.
    var nextRemoval = Milliseconds.min
    var lastRemoval = Milliseconds.min
    var lastTrim = Milliseconds.min
    /// When consumers that are gone were last looked for.
    var lastConsumerLook = Milliseconds.min
    /// Positions at the last trim, to skip a trim that would find nothing.
    var hasChangedSinceTrim = true

    init(state: PartitionState, claim: Claim, monotonic: Milliseconds) {
        index = state.fence.partition
        self.claim = claim
        fence = state.fence
        committedPositions = state.positions
        positions = state.positions
        era = state.era
        wasRewound = state.wasRewound
        clock.synchronize(store: state.now, monotonic: monotonic)
        if state.wasRewound, state.verifiedEra < state.era { sweepCursor = "0" }
    }

    /// Forgets all that can be read again.
    func doubt() {
        isInDoubt = true
        sagas.removeAll()
        unconfirmed.removeAll()
        confirmed.removeAll()
        positions = committedPositions
        nextAlarm = .min
    }

    /// - Parameter holdsStarts: Whether nothing is read that starts sagas.
    func cursor(topics: [String], holdsStarts: Bool) -> InboxCursor {
        InboxCursor(
            partition: index, positions: positions, topics: holdsStarts ? [] : topics, readsIntake: !holdsStarts)
    }
}

/// One open saga in memory, with what the store has of it.
final class SagaCell {
    var saga: Saga
    /// The log's length in the store.
    var storedCount: Int
    /// The status under which the store's indexes have it; nil where they don't, since it is new.
    var storedStatus: Saga.Status?
    /// The alarm that is set in the store, `.max` where none rings; nil where that isn't known.
    var storedAlarm: Milliseconds?
    /// The lane's round that used it last.
    var lastRound: UInt64 = 0
    /// Entries of the batch under way.
    var newEntries: [[UInt8]] = []
    /// Whether the batch under way has touched it.
    var isTouched = false
    private var tokens: [String?]
    /// The last command of each branch that nobody is known to have been given.
    private var sent: [Branch: StreamID] = [:]

    init(saga: Saga, storedCount: Int, storedAlarm: Milliseconds?) {
        self.saga = saga
        self.storedCount = storedCount
        storedStatus = storedCount == 0 ? nil : saga.status
        self.storedAlarm = storedAlarm
        tokens = Array(repeating: nil, count: saga.steps.count * 2)
    }

    /// What has to change in the indexes for them to agree with the saga. They are written together with the entries
    /// that change them, so whoever reads a log knows what they hold.
    var indexChanges: [IndexChange] {
        guard saga.status != storedStatus else { return [] }
        var changes: [IndexChange] = []
        if let storedStatus {
            if let index = SagaIndex(storedStatus) { changes.append(.remove(index)) }
        } else {
            changes.append(.put(.definition(saga.definition.name), startedAt: saga.startedAt))
            for (name, value) in saga.started.labels {
                changes.append(.put(.label(name: name, value: value), startedAt: saga.startedAt))
            }
        }
        if let index = SagaIndex(saga.status) { changes.append(.put(index, startedAt: saga.startedAt)) }
        return changes
    }

    /// Notes where a branch's command is.
    func noteSent(_ branch: Branch, _ id: StreamID) { sent[branch] = id }

    /// The command that the next one of a branch replaces, if nobody was given it.
    func takeSent(_ branch: Branch) -> StreamID? { sent.isEmpty ? nil : sent.removeValue(forKey: branch) }

    /// The token of one phase of a step. Each is needed twice, to send a command and to check its reply.
    func token(_ branch: Branch, phase: Phase, signer: TokenSigner) -> String {
        let step = branch.step
        guard branch.item == nil else {
            let name = saga.definition.steps[step].name
            return signer.token(saga: saga.id, step: name, item: branch.item, phase: phase)
        }
        let place = step * 2 + (phase == .action ? 0 : 1)
        if let token = tokens[place] { return token }
        let token = signer.token(saga: saga.id, step: saga.definition.steps[step].name, phase: phase)
        tokens[place] = token
        return token
    }
}
