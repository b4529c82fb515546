import RedisTransport
public import SagaCore
import SagaRedis
public import SagaWire

/// A message that could not be processed.
public struct DeadLetter: Sendable, Hashable {
    /// The letter's own id: `PARTITION:STREAM-ID`.
    public var id: String
    /// The stream and the entry that the message came from, and which message of the entry it was.
    public var source: String
    public var entry: String
    public var message: Int
    /// A stable code, a colon, a sentence.
    public var reason: String
    public var at: Milliseconds
    public var saga: String?
    /// The message's own fields; long values are cut.
    public var fields: [(name: String, value: [UInt8])]

    public static func == (one: DeadLetter, other: DeadLetter) -> Bool { one.id == other.id }
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }

    /// The letter as one JSON object.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("id", id)
        writer.field("source", source)
        writer.field("entry", entry)
        writer.field("message", message)
        writer.field("reason", reason)
        writer.field("at", at)
        writer.field("saga", saga)
        writer.beginObject("fields")
        for (name, value) in fields {
            writer.name(text: name)
            writer.value(String(decoding: value, as: UTF8.self))
        }
        writer.endObject()
        writer.endObject()
    }
}

extension SagaClient {
    /// Dead letters, newest first.
    ///
    /// Redis: O(limit) for each partition.
    public func deadLetters(limit: Int = 50) async throws(ClientError) -> [DeadLetter] {
        let keys = try await keys()
        let commands = (0..<keys.partitions).map {
            RedisCommand("XREVRANGE", keys.dead($0), "+", "-", "COUNT", "\(limit)")
        }
        var letters: [DeadLetter] = []
        for (partition, result) in await client.pipeline(commands).enumerated() {
            let reply = try await asking { () throws(RedisError) in try result.get() }
            for index in 0..<reply.value.count { letters.append(letter(reply.value[index], partition)) }
        }
        letters.sort { ($0.at, $0.id) > ($1.at, $1.id) }
        return Array(letters.prefix(limit))
    }

    /// One dead letter by its id; nil where there is none.
    public func deadLetter(_ id: String) async throws(ClientError) -> DeadLetter? {
        let keys = try await keys()
        let parts = id.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let partition = Int(parts[0]), (0..<keys.partitions).contains(partition) else {
            throw .refused("'\(id)' is no dead letter's id: they look like 3:1700000000000-0")
        }
        let command = RedisCommand("XRANGE", keys.dead(partition), String(parts[1]), String(parts[1]))
        let reply = try await asking { () async throws(RedisError) in try await client.send(command) }
        return reply.value.count == 0 ? nil : letter(reply.value[0], partition)
    }

    private func letter(_ entry: RedisValue, _ partition: Int) -> DeadLetter {
        var letter = DeadLetter(
            id: "\(partition):\(entry[0].string ?? "")", source: "", entry: "", message: 0, reason: "", at: 0,
            saga: nil, fields: [])
        let fields = entry[1]
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            let (name, value) = (fields[index].string ?? "", fields[index + 1])
            switch name {
            case "source": letter.source = value.string ?? ""
            case "id": letter.entry = value.string ?? ""
            case "message": letter.message = value.string.flatMap(Int.init) ?? 0
            case "reason": letter.reason = value.string ?? ""
            case "at": letter.at = value.string.flatMap(Int64.init) ?? 0
            case "saga": letter.saga = value.string
            default:
                guard name.hasPrefix("entry.") else { continue }
                letter.fields.append((String(name.dropFirst("entry.".count)), value.bytes ?? []))
            }
        }
        return letter
    }
}
