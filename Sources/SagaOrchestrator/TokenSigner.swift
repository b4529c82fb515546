import Crypto
public import SagaCore

/// Makes and checks the tokens that prove that a reply's sender was given the command.
///
/// HMAC-SHA256 over saga, step and phase, cut to 128 bits, in hexadecimal. The secret never leaves the coordinator's
/// side, so a participant can answer its own commands and nobody else's. A token is the same for every attempt: an
/// attempt proves nothing that the era and the attempt's number don't. The token of an item of a `forEach` step has the
/// item's number behind a dot, and in what is signed: it is the one part of a reply that can tell which item it is about.
public struct TokenSigner: Sendable {
    private let keyed: HMAC<SHA256>

    public init(secret: [UInt8]) {
        keyed = HMAC(key: SymmetricKey(data: secret))
    }

    public func token(saga: String, step: String, item: Int? = nil, phase: Phase) -> String {
        guard let item else { return digest(saga, step, phase) }
        return digest(saga, "\(step)#\(item)", phase) + ".\(item)"
    }

    private func digest(_ saga: String, _ step: String, _ phase: Phase) -> String {
        var mac = keyed
        // None of the three can hold a line feed, so no two triples have one text.
        var text = saga
        text.reserveCapacity(saga.utf8.count + step.utf8.count + 4)
        text.append("\n")
        text.append(step)
        text.append(phase == .action ? "\na" : "\nc")
        text.withUTF8 { mac.update(data: UnsafeRawBufferPointer($0)) }
        return String(unsafeUninitializedCapacity: 32) { buffer in
            var place = 0
            for byte in mac.finalize().prefix(16) {
                buffer[place] = Self.digit(byte >> 4)
                buffer[place + 1] = Self.digit(byte & 15)
                place += 2
            }
            return place
        }
    }

    /// Compares in a time that doesn't depend on where the two differ.
    static func areEqual(_ one: String, _ other: String) -> Bool {
        guard one.utf8.count == other.utf8.count else { return false }
        var difference: UInt8 = 0
        for (left, right) in zip(one.utf8, other.utf8) { difference |= left ^ right }
        return difference == 0
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x57 + value
    }
}
