public import SagaCore

/// Which sagas a listing shows: those to which all that is set applies.
public struct SagaFilter: Sendable, Hashable {
    public var status: Saga.Status?
    /// The name, whatever the version.
    public var definition: String?
    /// Labels that a saga must have, all of them.
    public var labels: [String: String]
    /// Started at this instant or later.
    public var since: Milliseconds?
    /// Started before this instant.
    public var until: Milliseconds?

    public init(
        status: Saga.Status? = nil, definition: String? = nil, labels: [String: String] = [:],
        since: Milliseconds? = nil, until: Milliseconds? = nil
    ) {
        self.status = status
        self.definition = definition
        self.labels = labels
        self.since = since
        self.until = until
    }
}
