import SagaCore
public import SagaWire

extension Phase {
    /// The other phase.
    var other: Phase { self == .action ? .compensation : .action }
}

extension Command {
    /// The key of the same step's other phase.
    ///
    /// - Precondition: the key ends with the phase, as ``keyFault`` tells.
    public var counterpartKey: String {
        String(Substring(key.utf8.dropLast(phase.rawValue.utf8.count))) + phase.other.rawValue
    }

    /// What is wrong with the idempotency key; nil where it is `SAGA/STEP/PHASE` or `SAGA/STEP#ITEM/PHASE`.
    ///
    /// The barrier finds an action's record by its compensation's key, so a key of another form would let a
    /// compensation pass for an empty one.
    package var keyFault: DeadReason? {
        var rest = key.utf8[...]
        for part in [saga, "/", step] {
            guard rest.starts(with: part.utf8) else { return Self.wrongKey }
            rest = rest.dropFirst(part.utf8.count)
        }
        if rest.first == UInt8(ascii: "#") {
            rest = rest.drop { $0 != UInt8(ascii: "/") }
        }
        guard rest.first == UInt8(ascii: "/"), rest.dropFirst().elementsEqual(phase.rawValue.utf8) else {
            return Self.wrongKey
        }
        return nil
    }

    private static var wrongKey: DeadReason {
        DeadReason(.malformed, "the command's key is not SAGA/STEP/PHASE of its own saga, step and phase")
    }
}
