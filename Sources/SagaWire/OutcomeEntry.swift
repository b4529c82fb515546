public import SagaCore

/// The end of a saga, as it stands in the outcome stream.
public struct OutcomeEntry: Sendable, Hashable {
    public enum Status: String, Sendable, Hashable, CaseIterable {
        case completed, compensated, stuck
        /// A start that went to the dead letters.
        case refused

        public init(_ status: Saga.Status) {
            switch status {
            case .completed: self = .completed
            case .compensated: self = .compensated
            case .stuck, .running, .compensating, .scheduled: self = .stuck
            }
        }
    }

    public var saga: String
    public var definition: String
    public var version: Int?
    public var status: Status
    public var error: String?
    public var at: Milliseconds

    public init(
        saga: String, definition: String, version: Int?, status: Status, error: String?, at: Milliseconds
    ) {
        self.saga = saga
        self.definition = definition
        self.version = version
        self.status = status
        self.error = error
        self.at = at
    }

    public var fields: Fields {
        var fields = Fields()
        fields.append("saga", saga)
        fields.append("definition", definition)
        if let version { fields.append("version", version) }
        fields.append("status", status.rawValue)
        if let error { fields.append("error", error) }
        fields.append("at", at)
        return fields
    }
}

/// The answer to an operator's order, as it stands in the outcome stream.
public struct OrderAnswer: Sendable, Hashable {
    public var saga: String
    /// The order's id.
    public var control: String
    /// Why the order was refused; nil where it was accepted.
    public var error: String?
    public var at: Milliseconds

    public init(saga: String, control: String, error: String?, at: Milliseconds) {
        self.saga = saga
        self.control = control
        self.error = error
        self.at = at
    }

    public var fields: Fields {
        var fields = Fields()
        fields.append("saga", saga)
        fields.append("control", control)
        fields.append("status", error == nil ? "accepted" : "refused")
        if let error { fields.append("error", error) }
        fields.append("at", at)
        return fields
    }
}

/// What an outcome stream tells.
public enum Outcome: Sendable, Hashable {
    case end(OutcomeEntry)
    case answer(OrderAnswer)

    /// Decodes an entry; nil where it is neither, which a reader passes over.
    public static func decode(_ fields: [FieldView]) -> Outcome? {
        var saga: String?
        var definition: String?
        var version: Int?
        var status: String?
        var error: String?
        var control: String?
        var at: Milliseconds = 0
        for field in fields {
            if field.isNamed("saga") {
                saga = field.text
            } else if field.isNamed("definition") {
                definition = field.text
            } else if field.isNamed("version") {
                version = field.number.map { Int($0) }
            } else if field.isNamed("status") {
                status = field.text
            } else if field.isNamed("error") {
                error = field.text
            } else if field.isNamed("control") {
                control = field.text
            } else if field.isNamed("at") {
                at = field.number ?? 0
            }
        }
        guard let saga, let status else { return nil }
        if let control {
            let refusal = status == "accepted" ? nil : error ?? status
            return .answer(OrderAnswer(saga: saga, control: control, error: refusal, at: at))
        }
        guard let definition, let status = OutcomeEntry.Status(rawValue: status) else { return nil }
        return .end(
            OutcomeEntry(saga: saga, definition: definition, version: version, status: status, error: error, at: at))
    }
}
