import RedisTransport
public import SagaCore
import SagaWire

/// A message that could not be processed.
public struct DeadLetter: Sendable, Hashable {
    /// A field of the message itself.
    public struct Field: Sendable, Hashable {
        public var name: String
        /// Cut, and said so in it, where the message's was long.
        public var value: [UInt8]
    }

    /// The letter's own id: `PARTITION:STREAM-ID`.
    public var id: String
    /// The stream and the entry that the message came from, and which message of the entry it was.
    public var source = ""
    public var entry = ""
    public var message = 0
    /// A stable code, a colon, a sentence.
    public var reason = ""
    public var at: Milliseconds = 0
    public var saga: String?
    public var fields: [Field] = []

    /// Reads an entry of a dead stream; what it lacks stays empty.
    init(_ entry: RedisValue, of partition: Int) {
        id = "\(partition):\(entry[0].string ?? "")"
        let fields = entry[1]
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            let (name, value) = (fields[index].string ?? "", fields[index + 1])
            switch name {
            case "source": source = value.string ?? ""
            case "id": self.entry = value.string ?? ""
            case "message": message = value.string.flatMap(Int.init) ?? 0
            case "reason": reason = value.string ?? ""
            case "at": at = value.string.flatMap(Int64.init) ?? 0
            case "saga": saga = value.string
            default:
                guard name.hasPrefix("entry.") else { continue }
                let name = String(name.dropFirst("entry.".count))
                self.fields.append(Field(name: name, value: value.bytes ?? []))
            }
        }
    }

    /// The letter as one JSON object. A field that the message had several times is an array.
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
        var written: Set<String> = []
        for field in fields where written.insert(field.name).inserted {
            writer.name(text: field.name)
            let values = fields.filter { $0.name == field.name }.map { String(decoding: $0.value, as: UTF8.self) }
            if values.count == 1 {
                writer.value(values[0])
            } else {
                writer.beginArray()
                for value in values { writer.value(value) }
                writer.endArray()
            }
        }
        writer.endObject()
        writer.endObject()
    }
}
