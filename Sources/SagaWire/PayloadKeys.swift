import Crypto
import SagaCore

/// Keys by which starters and services keep payloads secret from Redis, its files and the coordinator: AES-256-GCM.
///
/// A payload is bound to its saga's routing key: moved to a saga of another one, it cannot be opened. Within one routing
/// key it can be, because there it does move: a child saga's input is its parent's, a triggered saga's an event's.
///
/// The nonce is derived from the payload, so that a repeated start is the same start, byte for byte. What shows is that
/// two payloads of one routing key are equal, and how long they are. Each routing key has a key of its own, derived from
/// the one in the file; nonces of 96 bits allow 2³² different payloads for each.
public struct PayloadKeys: Sendable {
    /// In front of every sealed payload. Its first byte begins no text in UTF-8, so no JSON either; the last is the
    /// version.
    static let magic: [UInt8] = [0xf5, 0x53, 0x4b, 0x01]
    static let (nonceBytes, tagBytes) = (12, 16)

    struct Key: Sendable {
        var id: String
        var secret: SymmetricKey
    }

    /// The first one seals; all of them open.
    let keys: [Key]
    /// Whether a payload that is not sealed is refused. Off, so that what was written before there were keys is readable.
    public var demandsSealed = false

    /// What the first of the keys seals with is called.
    public var currentID: String { keys[0].id }

    /// - Precondition: There is a key.
    init(_ keys: [Key]) {
        precondition(!keys.isEmpty, "no keys")
        self.keys = keys
    }

    /// Seals a payload of a saga. An empty one stays empty: there is nothing to hide.
    ///
    /// - Parameter saga: The saga's id, or the routing key of an event.
    public func seal(_ payload: [UInt8], of saga: String) throws(PayloadKeyError) -> [UInt8] {
        guard !payload.isEmpty else { return payload }
        let key = keys[0]
        let header = Self.magic + [UInt8(key.id.utf8.count)] + Array(key.id.utf8)
        let derived = Self.derive(key.secret, saga)
        let nonce = Array(HMAC<SHA256>.authenticationCode(for: header + payload, using: derived.nonces))
        do {
            let box = try AES.GCM.seal(
                payload, using: derived.content, nonce: try AES.GCM.Nonce(data: nonce.prefix(Self.nonceBytes)),
                authenticating: header)
            return header + Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
        } catch {
            throw PayloadKeyError(.damaged, "a payload cannot be encrypted: \(error)")
        }
    }

    /// Opens a payload of a saga. One that is not sealed comes back as it is, unless sealed ones are demanded.
    public func open(_ payload: [UInt8], of saga: String) throws(PayloadKeyError) -> [UInt8] {
        guard let id = Self.keyID(of: payload) else {
            if Self.isSealed(payload) { throw PayloadKeyError(.damaged, "an encrypted payload is cut off") }
            guard demandsSealed, !payload.isEmpty else { return payload }
            throw PayloadKeyError(.plain, "a payload is not encrypted, and that is demanded")
        }
        guard let key = keys.first(where: { $0.id == id }) else {
            throw PayloadKeyError(.unknownKey, "a payload is encrypted with key '\(id)', which is not among the keys")
        }
        let end = Self.magic.count + 1 + id.utf8.count
        do {
            let box = try AES.GCM.SealedBox(combined: payload[end...])
            return [UInt8](
                try AES.GCM.open(box, using: Self.derive(key.secret, saga).content, authenticating: payload[..<end]))
        } catch {
            throw PayloadKeyError(
                .damaged, "a payload is damaged, of another saga, or key '\(id)' is another one than its writer's")
        }
    }

    public static func isSealed(_ payload: [UInt8]) -> Bool { payload.starts(with: magic) }

    /// The id of the key that a payload was sealed with; nil where it is not a sealed one.
    public static func keyID(of payload: [UInt8]) -> String? {
        guard isSealed(payload), payload.count > magic.count else { return nil }
        let start = magic.count + 1
        let end = start + Int(payload[magic.count])
        guard payload.count >= end + nonceBytes + tagBytes,
            let id = String(validating: payload[start..<end], as: UTF8.self), Names.isStep(id)
        else { return nil }
        return id
    }

    private static func derive(_ secret: SymmetricKey, _ saga: String) -> (content: SymmetricKey, nonces: SymmetricKey)
    {
        let purpose = Array("skald payload 1\n\(Names.routingKey(of: saga))".utf8)
        let bytes = Array(HMAC<SHA512>.authenticationCode(for: purpose, using: secret))
        return (SymmetricKey(data: bytes[..<32]), SymmetricKey(data: bytes[32...]))
    }
}

/// Why a payload cannot be sealed or opened, or a file of keys not be used. One line; never holds a key.
public struct PayloadKeyError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// Heals when the key is given to whoever lacks it.
        case unknownKey
        case damaged
        /// Not sealed, where that is demanded.
        case plain
        /// The file of keys.
        case file
    }

    public let code: Code
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

extension PayloadKeys: CustomStringConvertible, CustomReflectable {
    public var description: String { "payload keys \(keys.map(\.id).joined(separator: ", "))" }
    /// Without the keys, so that `dump` does not print them.
    public var customMirror: Mirror { Mirror(self, children: ["ids": keys.map(\.id)]) }
}
