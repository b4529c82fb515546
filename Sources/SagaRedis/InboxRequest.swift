package import RedisTransport
import SagaCore
import SagaStore
package import SagaWire

/// One read of streams by position, and the decoding of what it brings.
struct InboxRequest {
    private struct Source {
        var key: String
        var partition: Int
        var stream: InboxStream
        var position: String

        init(_ cursor: InboxCursor, _ stream: InboxStream, _ keys: KeySpace) {
            key = keys.inbox(stream, cursor.partition)
            partition = cursor.partition
            self.stream = stream
            position = cursor.positions[stream]
        }
    }

    private let sources: [Source]

    /// Replies of all partitions come first, so that what is begun is finished before more is begun.
    init(_ cursors: [InboxCursor], keys: KeySpace) {
        let inbox = InboxStream.inbox.flatMap { stream in
            cursors.filter { $0.inbox.contains(stream) }.map { Source($0, stream, keys) }
        }
        sources = inbox + cursors.flatMap { cursor in cursor.topics.map { Source(cursor, .event($0), keys) } }
    }

    /// Reads one stream only.
    init(_ cursor: InboxCursor, stream: InboxStream, keys: KeySpace) {
        sources = [Source(cursor, stream, keys)]
    }

    func command(count: Int, block: Milliseconds) -> RedisCommand {
        var command = RedisCommand("XREAD", "COUNT")
        command.append(count)
        if block > 0 {
            command.append("BLOCK")
            command.append(block)
        }
        command.append("STREAMS")
        for source in sources { command.append(source.key) }
        for source in sources { command.append(source.position) }
        return command
    }

    /// Decodes the entries in place. Streams without news are not in a reply; those that are keep the request's order.
    func batches(of reply: RedisReply) -> [InboxBatch] {
        let streams = reply.value
        var batches: [InboxBatch] = []
        batches.reserveCapacity(streams.count)
        var next = sources.startIndex
        var views: [FieldView] = []
        for index in 0..<streams.count {
            let stream = streams[index]
            let key = stream[0].string
            guard let place = sources[next...].firstIndex(where: { $0.key == key }) else { continue }
            let source = sources[place]
            next = place + 1
            let entries = stream[1]
            let decoded = (0..<entries.count).compactMap { entry in
                Self.entry(entries[entry], of: source.stream, &views)
            }
            batches.append(InboxBatch(partition: source.partition, stream: source.stream, entries: decoded))
        }
        // The views point into the reply's tree, which lives until here.
        withExtendedLifetime(reply) {}
        return batches
    }

    private static func entry(
        _ entry: RedisValue, of stream: InboxStream, _ views: inout [FieldView]
    ) -> InboxEntry? {
        guard let id = entry[0].string else { return nil }
        entry[1].withFieldViews(reusing: &views) { _ in }
        return InboxEntry(id: id, messages: InboxMessage.decode(entry: views, of: stream))
    }
}

extension RedisValue {
    /// Lays views over an array of names and values, as a stream entry's fields are.
    ///
    /// - Important: The views are valid only as long as the reply: keep it alive while they are used.
    package func withFieldViews<Result>(
        reusing views: inout [FieldView], _ body: ([FieldView]) throws -> Result
    ) rethrows -> Result {
        views.removeAll(keepingCapacity: true)
        for index in stride(from: 0, to: count - 1, by: 2) {
            guard let name = self[index].unsafeBytes, let value = self[index + 1].unsafeBytes else { continue }
            views.append(FieldView(name: name, value: value))
        }
        return try body(views)
    }
}

extension KeySpace {
    func inbox(_ stream: InboxStream, _ partition: Int) -> String {
        switch stream {
        case .reply: reply(partition)
        case .control: control(partition)
        case .intake: intake(partition)
        case .event(let topic): event(partition, topic: topic)
        }
    }
}
