extension Command {
    /// The key that one of the payloads is sealed with.
    package var sealingKey: String? {
        for payload in [input] + results.map(\.payload) {
            if let id = PayloadKeys.keyID(of: payload) { return id }
        }
        return nil
    }

    /// Opens the payloads that starters and services have sealed.
    package mutating func open(with keys: PayloadKeys) throws(PayloadKeyError) {
        input = try keys.open(input, of: saga)
        for index in results.indices { results[index].payload = try keys.open(results[index].payload, of: saga) }
    }
}

extension PayloadKeyError {
    /// Of who has no keys at all.
    package static func noKeys(_ id: String) -> PayloadKeyError {
        PayloadKeyError(.unknownKey, "a payload is encrypted with key '\(id)', and no keys are given")
    }
}
