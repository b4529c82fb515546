import SagaCore
import SagaWire

/// An entry that cannot be processed, with the reason, as it goes to the partition's dead letters.
struct DeadLetter: Sendable {
    /// Longest value that is copied whole, and the most fields that are copied.
    static let valueBytes = 4_096
    static let fieldCount = 256

    /// Complete but for `at`.
    private var fields: Fields

    init(source: String, entry: String, reason: DeadReason, saga: String?, original: [FieldView]) {
        fields = Fields()
        fields.append("source", source)
        fields.append("id", entry)
        fields.append("message", 0)
        fields.append("reason", reason.description)
        if let saga { fields.append("saga", saga) }
        for field in original.prefix(Self.fieldCount) {
            let name = String(decoding: field.name.prefix(Self.valueBytes), as: UTF8.self)
            fields.append("entry.", suffix: name, Self.cut(field.value))
        }
    }

    /// The entry's fields, complete.
    func fields(at now: Milliseconds) -> Fields {
        var fields = fields
        fields.append("at", now)
        return fields
    }

    private static func cut(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        guard value.count > valueBytes else { return [UInt8](value) }
        return [UInt8](value.prefix(valueBytes)) + Array("… (cut from \(value.count) bytes)".utf8)
    }
}
