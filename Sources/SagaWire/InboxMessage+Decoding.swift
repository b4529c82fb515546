import SagaCore

/// One message of an inbox entry: which one of the entry it is, and what it says or why it cannot be processed.
public struct DecodedMessage: Sendable {
    /// From 0.
    public var position: Int
    public var content: Result<InboxMessage, DeadReason>
    /// The saga that even an unprocessable message names, for its dead letter.
    public var saga: String?
    /// Of an unprocessable start: the definition that it names, empty where that is no name.
    public var definition: String?

    public init(
        position: Int, content: Result<InboxMessage, DeadReason>, saga: String? = nil, definition: String? = nil
    ) {
        self.definition = definition
        self.position = position
        self.content = content
        self.saga = saga
    }
}

extension InboxMessage {
    /// The limits of what is accepted from outside.
    public struct Limits: Sendable, Hashable {
        /// Bytes of one message, names and values together.
        public var messageBytes: Int
        /// Bytes of an error text, a reason or a detail; longer ones are cut.
        public var textBytes: Int
        /// Labels of a start, and bytes of each one's value; more are refused.
        public var labels: Int
        public var labelBytes: Int
        /// Messages of one entry; the rest is refused as one.
        public var messages: Int

        public init(
            messageBytes: Int = 262_144, textBytes: Int = 4_096, labels: Int = 16, labelBytes: Int = 256,
            messages: Int = 4_096
        ) {
            self.messageBytes = messageBytes
            self.textBytes = textBytes
            self.labels = labels
            self.labelBytes = labelBytes
            self.messages = messages
        }
    }

    /// Decodes an entry of one inbox stream, which carries one message or several: each begins at its `type` field.
    ///
    /// Fields that are not known are ignored. A message that is malformed, too large, or of a kind that doesn't belong
    /// into this stream is returned with the reason; it does not spoil its neighbours.
    public static func decode(
        entry fields: [FieldView], of stream: InboxStream, limits: Limits = Limits()
    ) -> [DecodedMessage] {
        if case .event(let topic) = stream { return [decode(event: fields, of: topic, limits: limits)] }
        var messages: [DecodedMessage] = []
        var start = 0
        if let first = fields.first, !first.isNamed("type") {
            let end = fields.dropFirst().firstIndex { $0.isNamed("type") } ?? fields.count
            messages.append(
                DecodedMessage(
                    position: 0, content: .failure(DeadReason(.malformed, "a message begins with its type field")),
                    saga: sagaID(in: fields[..<end])))
            start = end
        } else if fields.isEmpty {
            return [DecodedMessage(position: 0, content: .failure(DeadReason(.malformed, "the entry has no fields")))]
        }
        while start < fields.count {
            guard messages.count < limits.messages else {
                let reason = DeadReason(.oversized, "the entry has more than \(limits.messages) messages")
                messages.append(
                    DecodedMessage(
                        position: messages.count, content: .failure(reason), saga: sagaID(in: fields[start...])))
                break
            }
            var end = start + 1
            while end < fields.count, !fields[end].isNamed("type") { end += 1 }
            let message = fields[start..<end]
            do throws(DeadReason) {
                let content = try decode(message: message, of: stream, limits: limits)
                messages.append(DecodedMessage(position: messages.count, content: .success(content)))
            } catch {
                messages.append(
                    DecodedMessage(
                        position: messages.count, content: .failure(error), saga: sagaID(in: message),
                        definition: definition(in: message)))
            }
            start = end
        }
        return messages
    }

    private static func definition(in fields: ArraySlice<FieldView>) -> String? {
        guard let type = fields.first, type.isNamed("type"), type.text == "start" else { return nil }
        let name = fields.first { $0.isNamed("definition") }?.text ?? ""
        return Names.isName(name) ? name : ""
    }

    private static func sagaID(in fields: ArraySlice<FieldView>) -> String? {
        guard let field = fields.first(where: { $0.isNamed("saga") }) else { return nil }
        let id = field.text
        return Names.isSagaID(id) ? id : nil
    }

    private static func decode(
        message fields: ArraySlice<FieldView>, of stream: InboxStream, limits: Limits
    ) throws(DeadReason) -> InboxMessage {
        try checkSize(fields, limits)
        guard let type = fields.first else { throw DeadReason(.malformed, "the message has no fields") }
        var reader = MessageReader(fields: fields.dropFirst(), limits: limits)
        switch (stream, type.text) {
        case (.reply, "reply"): return .reply(try reader.reply())
        case (.reply, "heartbeat"): return .heartbeat(try reader.heartbeat())
        case (.intake, "start"): return .start(try reader.start())
        case (.intake, "signal"): return .signal(try reader.signal())
        case (.control, "control"): return .control(try reader.control())
        default:
            throw DeadReason(
                .malformed, "a message of type '\(type.text.prefix(32))' does not belong into \(stream.name)")
        }
    }

    private static func checkSize(_ fields: some Sequence<FieldView>, _ limits: Limits) throws(DeadReason) {
        var bytes = 0
        for field in fields { bytes += field.name.count + field.value.count }
        guard bytes <= limits.messageBytes else {
            throw DeadReason(.oversized, "the message has \(bytes) bytes; the limit is \(limits.messageBytes)")
        }
    }

    /// An entry of a topic's stream is one event, whatever its fields are called.
    private static func decode(event fields: [FieldView], of topic: String, limits: Limits) -> DecodedMessage {
        do throws(DeadReason) {
            try checkSize(fields, limits)
            var event = try DomainEvent.decode(fields)
            if event.topic.isEmpty { event.topic = topic }
            guard event.topic == topic else {
                throw DeadReason(
                    .malformed, "the event's topic is '\(event.topic.prefix(64))', but it stands in that of '\(topic)'")
            }
            return DecodedMessage(position: 0, content: .success(.event(event)))
        } catch {
            return DecodedMessage(position: 0, content: .failure(error), saga: sagaID(in: fields[...]))
        }
    }
}
