/// The two directions in which a step is executed.
public enum Phase: String, Sendable, Hashable, CaseIterable {
    /// The step's transaction.
    case action
    /// The transaction that semantically undoes it.
    case compensation
}

/// The rules for names that become parts of Redis keys or of idempotency keys.
///
/// None of the allowed alphabets has a brace, so no name can move a key to another hash slot.
///
/// Inlinable, because every command and every reply is checked: unspecialised, the checks cost more than the decoding.
public enum Names {
    public static let maxSagaIDLength = 128
    /// Longest id of a saga that was started by an event or by its parent.
    public static let maxDerivedSagaIDLength = 255

    /// A namespace: `[a-z0-9-]{1,32}`.
    @inlinable
    public static func isNamespace(_ name: some StringProtocol) -> Bool {
        isWithin(name, 1...32) { (0x61...0x7a).contains($0) || isDigit($0) || $0 == 0x2d }
    }

    /// A saga id: bytes of `[A-Za-z0-9._:@/-]`, at most `limit` of them.
    @inlinable
    public static func isSagaID(_ name: some StringProtocol, limit: Int = maxDerivedSagaIDLength) -> Bool {
        isWithin(name, 1...limit) {
            isAlphanumeric($0) || $0 == 0x2e || $0 == 0x5f || $0 == 0x3a || $0 == 0x40 || $0 == 0x2f || $0 == 0x2d
        }
    }

    /// A step's name: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`.
    @inlinable
    public static func isStep(_ name: some StringProtocol) -> Bool {
        startsAlphanumeric(name) && isWithin(name, 1...64) { isAlphanumeric($0) || $0 == 0x5f || $0 == 0x2d }
    }

    /// The name of a definition, service, operation, signal or topic: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
    @inlinable
    public static func isName(_ name: some StringProtocol) -> Bool {
        startsAlphanumeric(name)
            && isWithin(name, 1...64) { isAlphanumeric($0) || $0 == 0x2e || $0 == 0x5f || $0 == 0x2d }
    }

    /// The part of a saga id that decides its partition: up to the first `/`, or the whole id.
    public static func routingKey(of saga: String) -> Substring {
        saga.prefix { $0 != "/" }
    }

    @inlinable
    static func startsAlphanumeric(_ name: some StringProtocol) -> Bool {
        name.utf8.first.map(isAlphanumeric) ?? false
    }

    @inlinable
    static func isWithin(
        _ name: some StringProtocol, _ length: ClosedRange<Int>, _ allowed: (UInt8) -> Bool
    ) -> Bool {
        length.contains(name.utf8.count) && name.utf8.allSatisfy(allowed)
    }

    @inlinable
    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    @inlinable
    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }
}
