import SagaCore
import SagaWire

/// An entry that cannot be processed, with the reason, as it goes to the partition's dead letters.
struct DeadLetter: Sendable {
    /// Longest value that is copied whole.
    static let valueBytes = 4_096

    /// Complete but for `at`.
    private var fields: Fields

    init(source: String, entry: String, reason: DeadReason, saga: String?, original: [FieldView]) {
        fields = Fields()
        fields.append("source", source)
        fields.append("id", entry)
        fields.append("message", 0)
        let cut = original.filter { $0.value.count > Self.valueBytes }.map { $0.name.text.cut(to: 64) }
        let note = cut.isEmpty ? "" : " (cut to \(Self.valueBytes) bytes: \(cut.prefix(8).joined(separator: ", ")))"
        fields.append("reason", reason.description + note)
        if let saga { fields.append("saga", saga) }
        for field in original {
            fields.append("entry.", suffix: field.name.text, [UInt8](field.value.prefix(Self.valueBytes)))
        }
    }

    /// The entry's fields, complete.
    func fields(at now: Milliseconds) -> Fields {
        var fields = fields
        fields.append("at", now)
        return fields
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
