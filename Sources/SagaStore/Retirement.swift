public import SagaCore

/// An ended saga that is due to be removed, with what its tombstone is made of.
public struct ExpiredSaga: Sendable, Hashable {
    public var saga: String
    /// Since when it is due.
    public var removal: Milliseconds
    /// The first and the last entry of its log; nil where that is empty.
    public var first: [UInt8]?
    public var last: [UInt8]?
    /// Whether it stands in the index of the compensated ones.
    public var isCompensated: Bool

    public init(saga: String, removal: Milliseconds, first: [UInt8]?, last: [UInt8]?, isCompensated: Bool) {
        self.saga = saga
        self.removal = removal
        self.first = first
        self.last = last
        self.isCompensated = isCompensated
    }
}

/// Ended sagas that are due to be removed, the longest due first.
public struct ExpiredSagas: Sendable, Hashable {
    public var sagas: [ExpiredSaga]
    /// When the next one is due that is not among them; nil where there is none.
    public var next: Milliseconds?

    public init(sagas: [ExpiredSaga], next: Milliseconds?) {
        self.sagas = sagas
        self.next = next
    }
}

/// The removal of one ended saga.
public struct Retirement: Sendable, Hashable {
    public var saga: String
    /// The instant under which it must stand among the ended sagas; else it is left alone.
    public var removal: Milliseconds
    /// Every index that it stands in.
    public var indexes: [SagaIndex]
    /// What the log is replaced by; nil for nothing.
    public var tombstone: [UInt8]?
    /// When the tombstone goes, on the server's clock.
    public var expiry: Milliseconds

    public init(
        saga: String, removal: Milliseconds, indexes: [SagaIndex], tombstone: [UInt8]?, expiry: Milliseconds
    ) {
        self.saga = saga
        self.removal = removal
        self.indexes = indexes
        self.tombstone = tombstone
        self.expiry = expiry
    }
}
