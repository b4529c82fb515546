import SagaCore

extension StartMessage {
    /// The intake message.
    public var fields: Fields {
        var fields = Fields()
        fields.append("type", "start")
        fields.append("saga", saga)
        fields.append("definition", definition)
        if let version { fields.append("version", version) }
        fields.append("input", input)
        if let deadline { fields.append("deadline", deadline) }
        if let at { fields.append("at", at) }
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) {
            fields.append("label.", suffix: name, Array(value.utf8))
        }
        if let traceparent { fields.append("traceparent", traceparent) }
        return fields
    }
}

extension SignalMessage {
    /// The intake message.
    public var fields: Fields {
        var fields = Fields()
        fields.append("type", "signal")
        fields.append("saga", saga)
        fields.append("name", name)
        fields.append("payload", payload)
        if let id { fields.append("id", id) }
        return fields
    }
}

extension ControlMessage {
    /// The control message.
    public var fields: Fields {
        var fields = Fields()
        fields.append("type", "control")
        fields.append("saga", saga)
        fields.append("operation", operation.rawValue)
        if let step { fields.append("step", step) }
        if let result { fields.append("result", result) }
        if let reason { fields.append("reason", reason) }
        if let by { fields.append("by", by) }
        if let id { fields.append("id", id) }
        return fields
    }
}

extension ReplyMessage {
    /// The reply message.
    public var fields: Fields {
        var fields = Fields()
        append(to: &fields)
        return fields
    }

    /// Appends the message to an entry that may carry others.
    package func append(to fields: inout Fields) {
        fields.append("type", "reply")
        id.append(to: &fields)
        fields.append("outcome", outcome.rawValue)
        if let result { fields.append("result", result) }
        if let error { fields.append("error", error) }
        if let code { fields.append("code", code) }
        if let retryAfter { fields.append("retry-after", retryAfter) }
        if let seen { fields.append("seen", seen) }
    }
}

extension HeartbeatMessage {
    /// The reply stream's message.
    public var fields: Fields {
        var fields = Fields()
        fields.append("type", "heartbeat")
        id.append(to: &fields)
        if let details { fields.append("details", details) }
        return fields
    }
}

extension AttemptID {
    fileprivate func append(to fields: inout Fields) {
        fields.append("saga", saga)
        fields.append("step", step)
        fields.append("phase", phase.rawValue)
        fields.append("attempt", attempt)
        fields.append("era", era)
        fields.append("token", token)
    }
}
