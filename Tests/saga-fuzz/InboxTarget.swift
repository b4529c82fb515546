import SagaCore
import SagaWire
import TestSupport

/// Messages to the coordinator; what is decoded is told to the saga that it names.
struct InboxTarget: FuzzTarget {
    static let name = "inbox"

    private let sagas = SagaSamples(count: 200)
    private let mutator = Mutator([
        "type", "reply", "start", "signal", "control", "heartbeat", "saga", "step", "phase", "compensation", "attempt",
        "era", "token", "outcome", "succeeded", "stale", "label.", "label.a", "retry-after", "deadline", "at", ".0",
    ])

    mutating func attempt(_ random: inout SeededRandom) throws(Flaw) -> Bool {
        let sample = random.pick(sagas.samples)
        var stream = random.pick([InboxStream.reply, .reply, .control, .intake, .event("Paid")])
        let messages = (0..<(random.chance(0.8) ? 1 : 3)).map { _ in message(sample.saga, stream, &random) }
        var entry = Fields()
        for message in messages { entry.append(contentsOf: message.entryFields) }
        var list = FieldList(entry)
        let isWhole = random.chance(0.1)
        if !isWhole {
            list.spoil(mutator, &random)
            if random.chance(0.02) { stream = .intake }
        }
        let decoded = list.withViews { InboxMessage.decode(entry: $0, of: stream) }
        let contents = decoded.compactMap { try? $0.content.get() }
        if isWhole, stream.topic == nil, contents != messages {
            throw Flaw("a message reads as it was written", list.bytes)
        }
        var saga = sample.saga
        for content in contents {
            if list.isText {
                let again = content.entryFields.withViews { InboxMessage.decode(entry: $0, of: stream) }
                guard again.count == 1, (try? again[0].content.get()) == content else {
                    throw Flaw("what was read and is written reads the same", list.bytes)
                }
            }
            try tell(content, &saga, list.bytes)
        }
        return contents.count == decoded.count
    }

    private func tell(_ message: InboxMessage, _ saga: inout Saga, _ input: [UInt8]) throws(Flaw) {
        guard let event = Event(message) else { return }
        let now = (saga.finishedAt ?? saga.startedAt) + 60_000
        guard case .accept(let fact) = saga.decide(event, at: now) else { return }
        let entry = LogEntry(index: saga.entryCount, at: now, fact: fact)
        guard (try? LogCodec.decode(LogCodec.encode(entry))) == entry else {
            throw Flaw("what a message becomes in the log reads as it was written", input)
        }
        var directives: [Directive] = []
        saga.evolve(entry, directives: &directives)
        _ = saga.nextAlarm
    }

    private func message(_ saga: Saga, _ stream: InboxStream, _ random: inout SeededRandom) -> InboxMessage {
        let step = random.pick(saga.definition.steps)
        let payload = SagaSamples.payload(&random)
        switch stream {
        case .reply:
            let item = step.forEach == nil ? "" : ".\(Int.random(in: 0...3, using: &random))"
            let id = AttemptID(
                saga: saga.id, step: step.name, phase: random.pick(Phase.allCases),
                attempt: Int.random(in: 1...3, using: &random), era: saga.era, token: "t" + item)
            if random.chance(0.1) { return .heartbeat(HeartbeatMessage(id: id, details: random.maybe { _ in "d" })) }
            return .reply(
                ReplyMessage(
                    id: id, outcome: random.pick(ReplyOutcome.allCases), result: random.maybe { _ in payload },
                    error: random.maybe { _ in "no" }, code: random.maybe { _ in "no-stock" },
                    retryAfter: random.maybe { _ in 5 }, seen: random.maybe { _ in 9 }))
        case .control:
            return .control(
                ControlMessage(
                    saga: saga.id, operation: random.pick(Order.Operation.allCases),
                    step: random.maybe { _ in step.name }, result: random.maybe { _ in payload },
                    reason: random.maybe { _ in "why" }, by: random.maybe { _ in "ann" }, id: random.maybe { _ in "1" })
            )
        case .intake:
            if random.chance(0.5) {
                return .signal(
                    SignalMessage(saga: saga.id, name: random.pick(["go", "ok"]), payload: payload, id: "1"))
            }
            return .start(
                StartMessage(
                    saga: saga.id, definition: saga.definition.name, version: random.maybe { _ in 1 }, input: payload,
                    deadline: random.maybe { _ in 1_000 }, labels: ["a": "b"],
                    traceparent: random.maybe { _ in "00-1" },
                    at: random.maybe { _ in 7 }))
        case .event(let topic):
            return .event(DomainEvent(id: "e1", key: "k", topic: topic, payload: payload, saga: saga.id, at: 3))
        }
    }
}

extension InboxMessage {
    /// The entry that carries it.
    var entryFields: Fields {
        switch self {
        case .start(let message): message.fields
        case .signal(let message): message.fields
        case .reply(let message): message.fields
        case .heartbeat(let message): message.fields
        case .control(let message): message.fields
        case .event(let event): event.fields
        }
    }
}

extension Event {
    /// What a message is to its saga; nil where it is nothing.
    init?(_ message: InboxMessage) {
        switch message {
        case .reply(let reply):
            guard let outcome = Reply.Outcome(rawValue: reply.outcome.rawValue) else { return nil }
            self = .reply(
                Reply(
                    step: reply.id.step, item: reply.id.item, phase: reply.id.phase, attempt: reply.id.attempt,
                    outcome: outcome, result: reply.result, error: reply.error, code: reply.code,
                    retryAfter: reply.retryAfter))
        case .heartbeat(let beat):
            self = .heartbeat(step: beat.id.step, item: beat.id.item, phase: beat.id.phase, attempt: beat.id.attempt)
        case .signal(let signal): self = .signal(Signal(signal.name, id: signal.id, payload: signal.payload))
        case .control(let order):
            self = .order(
                Order(order.operation, step: order.step, by: order.by, reason: order.reason, result: order.result))
        case .start, .event: return nil
        }
    }
}
