/// How a store's server can confirm that what was written survives the loss of the server that took it.
public enum ConfirmationMeans: Sendable, Hashable {
    /// As many replicas as are asked for have it.
    case replicas(Int)
    /// There are no replicas, and the server answers a write only when it is on the disk.
    case disk
    /// It cannot: why, and what is to be done, in one line.
    case none(String)
}

/// A confirmation under way.
public protocol PendingConfirmation: Sendable {
    /// The partitions, of those asked about, in which all that the session has written before is confirmed. Others may be
    /// asked about again.
    ///
    /// - Throws: Where the connection that wrote is lost: what it wrote is confirmed by a later write only.
    func outcome() async throws(StoreError) -> Set<Int>
}
