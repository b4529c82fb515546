import SagaWire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension CommandContext {
    /// The saga's input, decoded from JSON.
    public func input<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try PayloadCoding.decode(type, from: command.input, "the saga's input")
    }

    /// Of a `forEach` step: the item, decoded from JSON; nil where the command is about none.
    public func value<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value? {
        try command.value.map { try PayloadCoding.decode(type, from: $0, "the item") }
    }

    /// An earlier step's result, decoded from JSON; nil where the command carries none.
    public func result<Value: Decodable>(of step: String, as type: Value.Type = Value.self) throws -> Value? {
        try command.result(of: step).map { try PayloadCoding.decode(type, from: $0, "the result of \(step)") }
    }

    /// In a compensation: the result of the action to undo, decoded from JSON; nil where it is not known.
    public func actionResult<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value? {
        try result(of: command.step, as: type)
    }
}

/// JSON at the edge: what comes in and what goes out of typed handlers.
enum PayloadCoding {
    private static let decoder = JSONDecoder()
    private static let encoder = JSONEncoder()

    /// Decodes a payload. One that does not have the expected form never will: that is a refusal, not a retry.
    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8], _ what: String) throws -> Value {
        do {
            return try decoder.decode(type, from: Data(bytes))
        } catch {
            throw Refusal("invalid-input", "\(what) is no \(type): \(error)")
        }
    }

    static func encode(_ value: some Encodable) throws -> [UInt8] {
        do {
            return [UInt8](try encoder.encode(value))
        } catch {
            throw Refusal("invalid-result", "the handler's result cannot be encoded: \(error)")
        }
    }
}
