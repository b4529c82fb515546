public import SagaCore

/// What a participant is told to do, as it stands in a service's command stream.
public struct Command: Sendable, Hashable {
    public var saga: String
    public var definition: String
    public var version: Int
    public var step: String
    /// Of a `forEach` step: place in its list, from 0, and the element there, as JSON.
    public var item: Int?
    public var value: [UInt8]?
    public var phase: Phase
    /// The operation that the service shall execute.
    public var operation: String
    /// The idempotency key, the same for every attempt and re-delivery.
    public var key: String
    /// On a compensation: the action's success stands in the saga log.
    public var isEffectKnown: Bool
    /// From 1.
    public var attempt: Int
    public var era: Int64
    public var token: String
    public var input: [UInt8]
    /// Results of earlier steps by their names, in the definition's order.
    public var results: [StepResult]
    /// Instant after which the coordinator stops waiting for this attempt.
    public var deadline: Milliseconds
    public var traceparent: String?

    public struct StepResult: Sendable, Hashable {
        public var step: String
        public var payload: [UInt8]

        public init(step: String, payload: [UInt8]) {
            self.step = step
            self.payload = payload
        }
    }

    public init(
        saga: String, definition: String, version: Int, step: String, item: Int? = nil, value: [UInt8]? = nil,
        phase: Phase, operation: String,
        isEffectKnown: Bool = false, attempt: Int, era: Int64, token: String, input: [UInt8],
        results: [StepResult] = [], deadline: Milliseconds, traceparent: String? = nil
    ) {
        self.saga = saga
        self.definition = definition
        self.version = version
        self.step = step
        self.item = item
        self.value = value
        self.phase = phase
        self.operation = operation
        self.key = Command.key(saga: saga, step: step, item: item, phase: phase)
        self.isEffectKnown = isEffectKnown
        self.attempt = attempt
        self.era = era
        self.token = token
        self.input = input
        self.results = results
        self.deadline = deadline
        self.traceparent = traceparent
    }

    /// The idempotency key: `SAGA/STEP/PHASE`, or `SAGA/STEP#ITEM/PHASE` of a `forEach` step.
    public static func key(saga: String, step: String, item: Int? = nil, phase: Phase) -> String {
        guard let item else { return "\(saga)/\(step)/\(phase.rawValue)" }
        return "\(saga)/\(step)#\(item)/\(phase.rawValue)"
    }

    /// What the reply has to echo.
    public var id: AttemptID {
        AttemptID(saga: saga, step: step, phase: phase, attempt: attempt, era: era, token: token)
    }

    /// The result of an earlier step, where the command carries it.
    public func result(of step: String) -> [UInt8]? {
        results.first { $0.step == step }?.payload
    }

    /// The stream entry's fields.
    public var fields: Fields {
        var fields = Fields()
        fields.append("saga", saga)
        fields.append("definition", definition)
        fields.append("version", version)
        fields.append("step", step)
        if let item { fields.append("item", item) }
        if let value { fields.append("value", value) }
        fields.append("phase", phase.rawValue)
        fields.append("operation", operation)
        fields.append("key", key)
        if isEffectKnown { fields.append("effect", "known") }
        fields.append("attempt", attempt)
        fields.append("era", era)
        fields.append("token", token)
        fields.append("input", input)
        for result in results { fields.append("result.", suffix: result.step, result.payload) }
        fields.append("deadline", deadline)
        if let traceparent { fields.append("traceparent", traceparent) }
        return fields
    }
}
