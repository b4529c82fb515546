public import SagaCore

/// Which sagas a listing shows.
public struct SagaFilter: Sendable, Hashable {
    public var status: Saga.Status?
    public var definition: String?
    /// Labels that a saga must have, all of them.
    public var labels: [String: String]

    public init(status: Saga.Status? = nil, definition: String? = nil, labels: [String: String] = [:]) {
        self.status = status
        self.definition = definition
        self.labels = labels
    }

    func matches(_ saga: Saga) -> Bool {
        (status.map { $0 == saga.status } ?? true) && (definition.map { $0 == saga.definition.name } ?? true)
            && labels.allSatisfy { saga.started.labels[$0.key] == $0.value }
    }
}
