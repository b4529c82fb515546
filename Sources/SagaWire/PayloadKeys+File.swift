import Crypto
import SagaCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension PayloadKeys {
    /// Reads lines `ID BASE64`: a key's id (as a step's name) and its 32 bytes. Empty lines and those that begin with `#`
    /// are passed over. The first key seals.
    public init(parsing text: String, name: String) throws(PayloadKeyError) {
        var keys: [Key] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            let place = "\(name):\(index + 1)"
            guard words.count == 2, Names.isStep(first) else {
                throw PayloadKeyError(
                    .file, "\(place): a line is ID BASE64, the id 1 to 64 of A-Z a-z 0-9 _ -: 'skald key generate'")
            }
            guard let secret = Data(base64Encoded: String(words[1])), secret.count == 32 else {
                throw PayloadKeyError(.file, "\(place): key '\(first)' is not 32 bytes in Base64: 'skald key generate'")
            }
            guard !keys.contains(where: { $0.id == first }) else {
                throw PayloadKeyError(.file, "\(place): key '\(first)' is there twice")
            }
            keys.append(Key(id: String(first), secret: SymmetricKey(data: secret)))
        }
        guard !keys.isEmpty else { throw PayloadKeyError(.file, "\(name) holds no key: 'skald key generate'") }
        self.init(keys)
    }

    /// Reads a file of keys, which nobody but its owner and the owner's group may read.
    public init(file path: String) throws(PayloadKeyError) {
        let text: String
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            let mode = attributes[.posixPermissions] as? Int ?? 0
            guard mode & 0o027 == 0 else {
                throw PayloadKeyError(
                    .file, "the key file \(path) can be read by everybody, or written by others: chmod 600 \(path)")
            }
            text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        } catch let error as PayloadKeyError {
            throw error
        } catch {
            throw PayloadKeyError(.file, "the key file \(path) cannot be read")
        }
        try self.init(parsing: text, name: path)
    }

    /// The keys that the environment names; nil where it names none: `SKALD_PAYLOAD_KEYS_FILE`, and with
    /// `SKALD_PAYLOAD_KEYS_DEMANDED=yes` payloads that are not sealed are refused.
    public static func read(from environment: [String: String]) throws(PayloadKeyError) -> PayloadKeys? {
        let isDemanded = environment["SKALD_PAYLOAD_KEYS_DEMANDED"] == "yes"
        guard let file = environment["SKALD_PAYLOAD_KEYS_FILE"], !file.isEmpty else {
            guard !isDemanded else {
                throw PayloadKeyError(.file, "SKALD_PAYLOAD_KEYS_DEMANDED is set, and SKALD_PAYLOAD_KEYS_FILE is not")
            }
            return nil
        }
        var keys = try PayloadKeys(file: file)
        keys.demandsSealed = isDemanded
        return keys
    }

    /// A line of a key file, with a new random key.
    public static func newLine(id: String) -> String {
        let secret = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        return "\(id) \(secret.base64EncodedString())"
    }
}
