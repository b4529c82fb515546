public import SagaCore

/// A part of a listing.
public struct SagaPage: Sendable, Hashable {
    /// The one that was started last first; of those started in one millisecond, the one with the highest id.
    public var sagas: [SagaSummary]
    /// Where the next page begins; nil where there is nothing more.
    public var next: SagaCursor?

    public init(sagas: [SagaSummary], next: SagaCursor?) {
        self.sagas = sagas
        self.next = next
    }
}

/// A saga in a listing.
public struct SagaSummary: Sendable, Hashable {
    public var id: String
    public var definition: String
    public var version: Int
    public var status: Saga.Status
    public var startedAt: Milliseconds
    /// Nil for one that has not ended. Of a child saga that was verified after a rewind: the end of that.
    public var finishedAt: Milliseconds?

    public init(
        id: String, definition: String, version: Int, status: Saga.Status, startedAt: Milliseconds,
        finishedAt: Milliseconds?
    ) {
        self.id = id
        self.definition = definition
        self.version = version
        self.status = status
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }

    /// The saga as one object of `skald list --json`.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("id", id)
        writer.field("definition", definition)
        writer.field("version", version)
        writer.field("status", status.rawValue)
        writer.field("startedAt", startedAt)
        writer.field("finishedAt", finishedAt)
        writer.endObject()
    }
}

/// Where a listing goes on: behind the last saga of the page before.
///
/// A place, not a count: sagas that start, end or are removed meanwhile neither repeat nor hide others.
public struct SagaCursor: Sendable, Hashable, Comparable, CustomStringConvertible {
    var startedAt: Milliseconds
    var id: String

    init(startedAt: Milliseconds, id: String) {
        self.startedAt = startedAt
        self.id = id
    }

    /// Reads what ``description`` wrote; nil where it is nothing of that kind.
    public init?(_ text: String) {
        guard let dash = text.firstIndex(of: "-"), let startedAt = Milliseconds(text[..<dash]), startedAt >= 0 else {
            return nil
        }
        let id = text[text.index(after: dash)...]
        guard Names.isSagaID(id) else { return nil }
        self.init(startedAt: startedAt, id: String(id))
    }

    /// Text for the next call. What it is made of may change.
    public var description: String { "\(startedAt)-\(id)" }

    /// The order of sorted sets: by the instant, then by the id's bytes.
    public static func < (one: SagaCursor, other: SagaCursor) -> Bool {
        (one.startedAt, one.id) < (other.startedAt, other.id)
    }
}
