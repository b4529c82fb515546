public import SagaCore

/// One of a partition's indexes: sagas by the instant of their start.
///
/// A saga stands in the index of its definition and in one for each of its labels until it is removed, and in that of
/// its status as long as it has that. Two statuses have none, which spares a saga that runs through the changes: `running`
/// are the open sagas, and `completed` the ended ones, that stand in none of the others.
public enum SagaIndex: Sendable, Hashable {
    /// Sagas of all versions of the definition with this name.
    case definition(String)
    case label(name: String, value: String)
    case status(Saga.Status)

    /// The statuses that are indexed.
    public static let statuses: [Saga.Status] = [.scheduled, .compensating, .compensated, .stuck]

    /// The index of a status; nil for one that has none.
    public init?(_ status: Saga.Status) {
        switch status {
        case .scheduled, .compensating, .compensated, .stuck: self = .status(status)
        case .running, .completed: return nil
        }
    }
}

/// What changes in an index with a saga's change.
public struct IndexChange: Sendable, Hashable {
    public var index: SagaIndex
    /// The instant of the saga's start, to put it in; nil to take it out.
    public var startedAt: Milliseconds?

    public static func put(_ index: SagaIndex, startedAt: Milliseconds) -> IndexChange {
        IndexChange(index: index, startedAt: startedAt)
    }

    public static func remove(_ index: SagaIndex) -> IndexChange { IndexChange(index: index, startedAt: nil) }
}
