import SagaCore
import SagaStore
import SagaWire

/// What each kind of message means for its saga.
extension Batch {
    mutating func apply(_ message: ReplyMessage, _ source: Source) {
        guard let cell = answered(message.id, source, seen: message.seen ?? 0) else { return }
        // A `stale` that names no era above the partition's has nothing to tell; the lane has seen to the others.
        guard let outcome = Reply.Outcome(message.outcome),
            safeguards.admitAnswer(of: message.id.era, in: partition.era)
        else {
            tally.ignored += 1
            return
        }
        let reply = Reply(
            step: message.id.step, item: message.id.item, phase: message.id.phase, attempt: message.id.attempt,
            outcome: outcome,
            result: message.result, error: message.error, code: message.code, retryAfter: message.retryAfter)
        let decision = feed(cell, .reply(reply))
        // It was delivered, or an earlier attempt's answer has made it superfluous.
        if case .accept = decision, let step = cell.saga.definition.step(named: message.id.step) {
            _ = cell.takeSent(Branch(step: step, item: message.id.item))
        }
        count(decision)
    }

    mutating func apply(_ message: HeartbeatMessage, _ source: Source) {
        guard let cell = answered(message.id, source) else { return }
        guard safeguards.admitAnswer(of: message.id.era, in: partition.era) else {
            tally.ignored += 1
            return
        }
        let id = message.id
        count(feed(cell, .heartbeat(step: id.step, item: id.item, phase: id.phase, attempt: id.attempt)))
    }

    /// The saga of an answer whose step exists and whose token is right; buries it otherwise.
    private mutating func answered(_ id: AttemptID, _ source: Source, seen: Int64 = 0) -> SagaCell? {
        guard let cell = cell(for: id.saga, source) else { return nil }
        guard let step = cell.saga.definition.step(named: id.step) else {
            bury(
                source, DeadReason(.unknownStep, "\(cell.saga.definition.id) has no step '\(id.step)'"), saga: id.saga)
            return nil
        }
        let branch = Branch(step: step, item: id.item)
        guard TokenSigner.areEqual(cell.token(branch, phase: id.phase, signer: signer), id.token) else {
            bury(source, DeadReason(.forged, "the token is not that of the command"), saga: id.saga)
            return nil
        }
        let latest = Self.latestEra(of: partition, at: now)
        guard max(id.era, seen) <= latest else {
            let reason = "era \(max(id.era, seen)) lies beyond \(latest), a day after now: no history can have it"
            bury(source, DeadReason(.futureEra, reason), saga: id.saga)
            return nil
        }
        return cell
    }

    /// The highest era that an answer may name. Eras are raised to about the time of the clock, so a higher one is a
    /// mistake or an attack; if it were believed, the partition's era could not be raised beyond it for good.
    static func latestEra(of partition: OwnedPartition, at now: Milliseconds) -> Int64 {
        max(partition.era, now.adding(86_400_000))
    }

    private mutating func count(_ decision: Decision) {
        if case .accept = decision { tally.applied += 1 } else { tally.ignored += 1 }
    }

    mutating func apply(_ message: StartMessage, _ source: Source) {
        if let log = unreadable[message.saga] { return bury(source, log.reason, saga: message.saga) }
        if let tombstone = tombstones[message.saga] {
            var reason = tombstone.reason(of: message.saga)
            reason.sentence += ": start it under another id"
            return refuse(message, source, reason)
        }
        if let cell = partition.sagas[message.saga] { return compare(message, with: cell.saga, source) }
        guard let definition = registry.definition(message.definition, version: message.version) else {
            let name = message.version.map { "\(message.definition)@\($0)" } ?? message.definition
            return refuse(message, source, DeadReason(.unknownDefinition, "'\(name)' is not registered"))
        }
        let started = Started(
            definition: definition.name, version: definition.version, era: partition.era,
            isAfterRewind: partition.wasRewound, deadline: message.deadline, notBefore: message.at,
            labels: message.labels, traceparent: message.traceparent, isReplicated: confirmations.hold(definition),
            input: message.input)
        commit.startsSagas = true
        enter(message.saga, definition, started)
    }

    /// A start whose saga exists changes nothing; where it asks for something else, it is a conflict.
    private mutating func compare(_ message: StartMessage, with saga: Saga, _ source: Source) {
        let isSame =
            saga.started.definition == message.definition && saga.started.input == message.input
            && (message.version.map { $0 == saga.started.version } ?? true)
        if isSame {
            tally.ignored += 1
        } else {
            let what = saga.started.definition == message.definition ? "input or version" : "definition"
            bury(
                source, DeadReason(.conflict, "saga '\(saga.id)' was started with another \(what)"), saga: saga.id)
        }
    }

    private mutating func refuse(_ message: StartMessage, _ source: Source, _ reason: DeadReason) {
        refuseStart(of: message.saga, message.definition, version: message.version, source, reason)
    }

    /// Buries a start whose saga there is not, and tells whoever waits for its end.
    mutating func refuseStart(
        of saga: String, _ definition: String, version: Int?, _ source: Source, _ reason: DeadReason
    ) {
        bury(source, reason, saga: saga)
        commit.outcomes.append(
            OutcomeEntry(
                saga: saga, definition: definition, version: version, status: .refused, error: reason.description,
                at: now
            ).fields)
    }

    mutating func apply(_ message: SignalMessage, _ source: Source) {
        guard let cell = cell(for: message.saga, source) else { return }
        let signal = Signal(message.name, id: message.id, payload: message.payload)
        switch feed(cell, .signal(signal)) {
        case .accept: tally.applied += 1
        case .ignore: tally.ignored += 1
        case .refuse(let reason): bury(source, DeadReason(.unexpectedSignal, reason), saga: message.saga)
        }
    }

    mutating func apply(_ message: ControlMessage, _ source: Source) {
        guard let cell = partition.sagas[message.saga] else {
            let reason = absence(of: message.saga)
            bury(source, reason, saga: message.saga)
            return answer(message, refusal: reason.description)
        }
        let order = Order(
            message.operation, step: message.step, by: message.by, reason: message.reason, result: message.result)
        switch feed(cell, .order(order)) {
        case .accept: answer(message, refusal: nil)
        case .refuse(let reason): answer(message, refusal: reason)
        case .ignore: answer(message, refusal: "nothing to \(message.operation.rawValue)")
        }
    }

    private mutating func answer(_ message: ControlMessage, refusal: String?) {
        guard let id = message.id else { return }
        commit.outcomes.append(OrderAnswer(saga: message.saga, control: id, error: refusal, at: now).fields)
    }
}

extension Reply.Outcome {
    init?(_ outcome: ReplyOutcome) {
        switch outcome {
        case .succeeded: self = .succeeded
        case .failed: self = .failed
        case .retry: self = .retry
        case .stale: return nil
        }
    }
}

extension Command {
    /// The command of one attempt of a saga's step.
    init(_ dispatch: Dispatch, of saga: Saga, token: String) {
        let step = saga.definition.steps[dispatch.step]
        var results: [StepResult] = []
        func add(_ index: Int, _ payload: [UInt8]?) {
            guard let payload else { return }
            results.append(StepResult(step: saga.definition.steps[index].name, payload: payload))
        }
        for index in step.uses { add(index, saga.steps[index].result) }
        if dispatch.phase == .compensation {
            let own = saga.steps[dispatch.step]
            add(dispatch.step, dispatch.item.map { own.items[$0].result } ?? own.result)
        }
        self.init(
            saga: saga.id, definition: saga.definition.name, version: saga.definition.version, step: step.name,
            item: dispatch.item, value: dispatch.item.map { saga.steps[dispatch.step].items[$0].value },
            phase: dispatch.phase,
            operation: step.operation(of: dispatch.phase) ?? "",
            isEffectKnown: dispatch.isEffectKnown, attempt: dispatch.attempt, era: saga.era, token: token,
            input: saga.started.input, results: results, deadline: dispatch.deadline,
            traceparent: saga.started.traceparent)
    }
}
