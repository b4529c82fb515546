/// How much of a store's memory is used.
public struct StoreMemory: Sendable, Hashable {
    /// In bytes.
    public var used: Int64
    /// In bytes; 0 where there is no limit.
    public var limit: Int64

    public init(used: Int64, limit: Int64) {
        self.used = used
        self.limit = limit
    }

    /// The used part of the limit in per cent, rounded up; nil where there is no limit.
    public var percent: Int? {
        guard limit > 0, used >= 0 else { return nil }
        let (hundredfold, overflow) = used.multipliedReportingOverflow(by: 100)
        return overflow ? nil : Int(clamping: hundredfold / limit + (hundredfold % limit == 0 ? 0 : 1))
    }
}

/// That no sagas are begun, because the store's memory would not hold them.
public struct Overload: Sendable, Hashable, CustomStringConvertible {
    /// How much of the memory is used, and how much may be, in per cent.
    public var used: Int
    public var allowed: Int

    public init(used: Int, allowed: Int) {
        self.used = used
        self.allowed = allowed
    }

    public var description: String { "Redis uses \(used) % of its memory (limit \(allowed) %)" }
}
