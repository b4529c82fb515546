import SagaCore
public import SagaWire

extension Phase {
    /// The other phase.
    var other: Phase { self == .action ? .compensation : .action }
}

extension Command {
    /// The key of the same step's other phase.
    ///
    /// - Precondition: the key ends with the phase, as a participant makes sure when it reads a command.
    public var counterpartKey: String {
        String(Substring(key.utf8.dropLast(phase.rawValue.utf8.count))) + phase.other.rawValue
    }

    /// What is wrong with the idempotency key; nil where it is `SAGA/STEP/PHASE` or `SAGA/STEP#ITEM/PHASE`.
    ///
    /// The barrier finds an action's record by its compensation's key, so a key of another form would let a
    /// compensation pass for an empty one.
    package var keyFault: DeadReason? {
        let slash = UInt8(ascii: "/")
        var key = key
        let isRight = key.withUTF8 { key in
            var rest = key[...]
            guard Self.take(saga, from: &rest), rest.popFirst() == slash, Self.take(step, from: &rest) else {
                return false
            }
            if rest.first == UInt8(ascii: "#") { rest = rest.drop { $0 != slash } }
            return rest.popFirst() == slash && Self.take(phase.rawValue, from: &rest) && rest.isEmpty
        }
        return isRight ? nil : Self.wrongKey
    }

    private static func take(_ text: String, from rest: inout Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    private static var wrongKey: DeadReason {
        DeadReason(.malformed, "the command's key is not SAGA/STEP/PHASE of its own saga, step and phase")
    }
}
