public import SagaCore

/// What stays of a saga that ended and was removed: enough to refuse its id to another one.
///
/// It is the only entry of the saga's log, one line of JSON as the other entries' heads are.
public struct Tombstone: Sendable, Hashable {
    /// When the saga was removed.
    public var at: Milliseconds
    /// Empty where the removed log could not be read.
    public var definition: String
    public var version: Int
    /// How the saga ended.
    public var status: Saga.Status
    public var startedAt: Milliseconds
    public var finishedAt: Milliseconds

    public init(
        at: Milliseconds, definition: String, version: Int, status: Saga.Status, startedAt: Milliseconds,
        finishedAt: Milliseconds
    ) {
        self.at = at
        self.definition = definition
        self.version = version
        self.status = status
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }

    static let type = "tombstone"

    /// The entry.
    public var encoded: [UInt8] {
        var writer = JSONWriter(reserving: 160)
        writer.beginObject()
        writer.field("i", 0)
        writer.field("at", at)
        writer.field("type", Self.type)
        writer.field("definition", definition)
        writer.field("version", version)
        writer.field("status", status.rawValue)
        writer.field("startedAt", startedAt)
        writer.field("finishedAt", finishedAt)
        writer.endObject()
        return writer.bytes
    }

    /// Why a message about the saga cannot be processed.
    public func reason(of saga: String) -> DeadReason {
        DeadReason(.ended, "saga '\(saga)' ended \(status.rawValue) and was removed by retention")
    }
}

/// The first entry of a log.
public enum LogHead: Sendable, Hashable {
    case started(Started, at: Milliseconds)
    /// The saga was removed; nothing follows.
    case tombstone(Tombstone)
}
