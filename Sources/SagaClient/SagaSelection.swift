public import SagaCore

/// Which of the sagas that are not ended an order is given to.
public struct SagaSelection: Sendable, Hashable {
    /// One of `scheduled`, `running`, `compensating` and `stuck`: ended sagas take no orders.
    public var status: Saga.Status?
    public var definition: String?
    /// Labels that a saga must have, all of them.
    public var labels: [String: String]
    /// With `retry`: the service whose steps are meant.
    public var service: String?
    /// How many sagas at most.
    public var limit: Int?

    public init(
        status: Saga.Status? = nil, definition: String? = nil, labels: [String: String] = [:],
        service: String? = nil, limit: Int? = nil
    ) {
        self.status = status
        self.definition = definition
        self.labels = labels
        self.service = service
        self.limit = limit
    }

    private func matches(_ saga: Saga) -> Bool {
        !saga.status.isFinal && (status.map { $0 == saga.status } ?? true)
            && (definition.map { $0 == saga.definition.name } ?? true)
            && labels.allSatisfy { saga.started.labels[$0.key] == $0.value }
    }

    /// The orders that a saga is given: none where it isn't meant, one for each step with ``service``, else one.
    ///
    /// Only a saga that has something to retry is meant by a retry.
    func orders(_ order: Order, for saga: Saga) -> [Order] {
        guard matches(saga) else { return [] }
        guard order.operation == .retry else { return [order] }
        let names = saga.steps.indices.compactMap { index -> String? in
            let step = saga.definition.steps[index]
            guard order.step.map({ $0 == step.name }) ?? true, service.map({ $0 == step.service }) ?? true else {
                return nil
            }
            let phase: Phase = saga.isCompensating ? .compensation : .action
            let isRetriable = saga.progress(of: index, phase).contains {
                $0.state.status == .stuck || $0.state.status == .waiting
            }
            return isRetriable ? step.name : nil
        }
        guard service != nil else { return names.isEmpty ? [] : [order] }
        return names.map { name in
            var order = order
            order.step = name
            return order
        }
    }
}

/// An order that was given to one of many sagas, or would be.
public struct SelectedOrder: Sendable, Hashable {
    /// What became of it.
    public enum Answer: Sendable, Hashable {
        /// The coordinator accepted it. Of a dry run: it would.
        case accepted
        /// The coordinator refused it. Of a dry run: it would, as the saga stands.
        case refused(String)
        /// It was sent, or may have been, and nobody has answered: it stands, and is carried out when an orchestrator runs.
        case unanswered
        /// It was not sent, because the saga cannot be read.
        case unreadable(String)
    }

    public var saga: String
    /// The definition's name and version; nil where the saga cannot be read.
    public var definition: String?
    public var version: Int?
    public var operation: Order.Operation
    /// The step that the order names.
    public var step: String?
    /// Of a dry run: the steps that it would change, a cancellation's in the order in which they would be undone.
    public var steps: [String] = []
    public var answer: Answer

    init(_ order: Order, saga: String, definition: Definition?, answer: Answer) {
        self.saga = saga
        self.definition = definition?.name
        version = definition?.version
        operation = order.operation
        step = order.step
        self.answer = answer
    }

    /// What the machine would say to an order, were it given at this instant.
    init(preview order: Order, of saga: Saga, at instant: Milliseconds) {
        self.init(order, saga: saga.id, definition: saga.definition, answer: .accepted)
        switch saga.decide(.order(order), at: instant) {
        case .refuse(let reason): answer = .refused(reason)
        case .ignore: answer = .refused("nothing to \(order.operation.rawValue)")
        case .accept where order.operation == .cancel:
            for compensation in saga.cancellationPlan(at: instant).waves.joined() where steps.last != compensation.step
            {
                steps.append(compensation.step)
            }
        case .accept(let fact):
            var copy = saga
            var directives: [Directive] = []
            copy.evolve(LogEntry(index: saga.entryCount, at: instant, fact: fact), directives: &directives)
            steps = saga.steps.indices.filter { saga.steps[$0] != copy.steps[$0] }.map {
                saga.definition.steps[$0].name
            }
        }
    }
}
