public import SagaCore

/// Something that happened in a domain, as it stands in a topic's stream.
public struct DomainEvent: Sendable, Hashable {
    /// Deduplicates: `SAGA/STEP/succeeded` where a saga emits it.
    public var id: String
    /// The routing key of what it is about.
    public var key: String
    public var topic: String
    public var payload: [UInt8]
    public var saga: String?
    public var step: String?
    public var traceparent: String?
    public var at: Milliseconds

    public init(
        id: String, key: String, topic: String, payload: [UInt8], saga: String? = nil, step: String? = nil,
        traceparent: String? = nil, at: Milliseconds
    ) {
        self.id = id
        self.key = key
        self.topic = topic
        self.payload = payload
        self.saga = saga
        self.step = step
        self.traceparent = traceparent
        self.at = at
    }

    /// What a saga tells of a step: its result, or as JSON why it failed. Nil where the step has no topic for that.
    public init?(of saga: Saga, step index: Int, outcome: Reply.Outcome, at instant: Milliseconds) {
        let step = saga.definition.steps[index]
        guard let topic = outcome == .succeeded ? step.emits.succeeded : step.emits.failed else { return nil }
        var payload = saga.steps[index].result ?? Array("null".utf8)
        if outcome != .succeeded {
            var writer = JSONWriter()
            writer.beginObject()
            writer.field("error", saga.steps[index].action.error)
            writer.endObject()
            payload = writer.bytes
        }
        self.init(
            id: "\(saga.id)/\(step.name)/\(outcome.rawValue)", key: String(Names.routingKey(of: saga.id)), topic: topic,
            payload: payload, saga: saga.id, step: step.name, traceparent: saga.started.traceparent, at: instant)
    }

    /// The stream entry's fields.
    public var fields: Fields {
        var fields = Fields()
        fields.append("id", id)
        fields.append("key", key)
        fields.append("topic", topic)
        fields.append("payload", payload)
        if let saga { fields.append("saga", saga) }
        if let step { fields.append("step", step) }
        if let traceparent { fields.append("traceparent", traceparent) }
        fields.append("at", at)
        return fields
    }

    /// Decodes an entry of a topic's stream; fields that are not known are ignored.
    public static func decode(_ fields: [FieldView]) throws(DeadReason) -> DomainEvent {
        var event = DomainEvent(id: "", key: "", topic: "", payload: [], at: 0)
        for field in fields {
            if field.isNamed("id") {
                event.id = field.text
            } else if field.isNamed("key") {
                event.key = field.text
            } else if field.isNamed("topic") {
                event.topic = field.text
            } else if field.isNamed("payload") {
                event.payload = field.bytes
            } else if field.isNamed("saga") {
                event.saga = field.text
            } else if field.isNamed("step") {
                event.step = field.text
            } else if field.isNamed("traceparent") {
                // No trace context is longer; one that is cut would be none.
                event.traceparent = field.value.count <= 256 ? field.text : nil
            } else if field.isNamed("at") {
                event.at = field.number ?? 0
            }
        }
        guard !event.id.isEmpty else { throw DeadReason(.malformed, "the event has no id") }
        guard Names.isSagaID(event.key), !event.key.contains("/") else {
            throw DeadReason(.malformed, "the event's key is missing or no routing key")
        }
        return event
    }

    /// The id of the saga that the event starts: `KEY/DEFINITION`, or `KEY/DEFINITION/EVENTID` where each event starts one.
    ///
    /// - Throws: where no saga can have that id.
    public func sagaID(for definition: Definition) throws(DeadReason) -> String {
        var saga = "\(key)/\(definition.name)"
        if let trigger = definition.trigger, trigger.isPerEvent {
            guard Names.isSagaID(id, limit: .max) else {
                throw DeadReason(
                    .malformed,
                    "each event starts a saga of '\(definition.name)', named after the event's id, which may have letters, "
                        + "digits and ._:@/- only")
            }
            saga += "/\(id)"
        }
        guard saga.utf8.count <= Names.maxDerivedSagaIDLength else {
            throw DeadReason(
                .malformed,
                "the id of the saga of '\(definition.name)' that it starts would have \(saga.utf8.count) bytes; the limit "
                    + "is \(Names.maxDerivedSagaIDLength)")
        }
        return saga
    }
}
