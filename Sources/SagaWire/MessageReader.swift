import SagaCore

/// Reads the fields of one message into its type. A field given twice counts once: the last one wins.
struct MessageReader {
    let fields: ArraySlice<FieldView>
    let limits: InboxMessage.Limits

    mutating func start() throws(DeadReason) -> StartMessage {
        var saga: String?
        var definition: String?
        var message = StartMessage(saga: "", definition: "", input: [])
        for field in fields {
            if field.isNamed("saga") {
                saga = field.text
            } else if field.isNamed("definition") {
                definition = field.text
            } else if field.isNamed("input") {
                message.input = field.bytes
            } else if field.isNamed("version") {
                message.version = Int(try number(field, "version", Self.versions))
            } else if field.isNamed("deadline") {
                message.deadline = try number(field, "deadline", 1...Self.longest)
            } else if field.isNamed("at") {
                message.at = try number(field, "at", 0...Self.latest)
            } else if field.isNamed("traceparent") {
                message.traceparent = text(field, limit: 256)
            } else if let label = field.suffix(after: "label.") {
                guard Names.isName(label) else { throw DeadReason(.malformed, "a label's name is not allowed") }
                // Each label is an index of its own, under its whole value: none of it may be cut.
                guard field.value.count <= limits.labelBytes else {
                    throw DeadReason(.malformed, "label '\(label)' has more than \(limits.labelBytes) bytes")
                }
                message.labels[label] = field.text
                guard message.labels.count <= limits.labels else {
                    throw DeadReason(.malformed, "more than \(limits.labels) labels")
                }
            }
        }
        message.saga = try sagaID(saga, limit: Names.maxSagaIDLength)
        message.definition = try name(definition, "definition")
        return message
    }

    mutating func signal() throws(DeadReason) -> SignalMessage {
        var saga: String?
        var signal: String?
        var message = SignalMessage(saga: "", name: "")
        for field in fields {
            if field.isNamed("saga") {
                saga = field.text
            } else if field.isNamed("name") {
                signal = field.text
            } else if field.isNamed("payload") {
                message.payload = field.bytes
            } else if field.isNamed("id") {
                message.id = text(field, limit: 128)
            }
        }
        message.saga = try sagaID(saga)
        message.name = try name(signal, "name")
        return message
    }

    mutating func control() throws(DeadReason) -> ControlMessage {
        var saga: String?
        var message = ControlMessage(saga: "", operation: .cancel)
        var operation: Order.Operation?
        for field in fields {
            if field.isNamed("saga") {
                saga = field.text
            } else if field.isNamed("operation") {
                operation = Order.Operation(rawValue: field.text)
                guard operation != nil else {
                    throw DeadReason(.malformed, "operation is none of cancel, pause, resume, retry, skip")
                }
            } else if field.isNamed("step") {
                message.step = field.text
            } else if field.isNamed("result") {
                message.result = field.bytes
            } else if field.isNamed("reason") {
                message.reason = text(field, limit: limits.textBytes)
            } else if field.isNamed("by") {
                message.by = text(field, limit: 256)
            } else if field.isNamed("id") {
                message.id = text(field, limit: 128)
            }
        }
        message.saga = try sagaID(saga)
        guard let operation else { throw DeadReason(.malformed, "operation is missing") }
        message.operation = operation
        if let step = message.step, !Names.isStep(step) { throw DeadReason(.malformed, "step is no step's name") }
        return message
    }

    mutating func reply() throws(DeadReason) -> ReplyMessage {
        var attempt = AttemptReader()
        var outcome: ReplyOutcome?
        var message = ReplyMessage(
            id: AttemptID(saga: "", step: "", phase: .action, attempt: 1, era: 0, token: ""), outcome: .retry)
        for field in fields where !(try attempt.take(field)) {
            if field.isNamed("outcome") {
                outcome = ReplyOutcome(rawValue: field.text)
                guard outcome != nil else {
                    throw DeadReason(.malformed, "outcome is none of succeeded, failed, retry, stale")
                }
            } else if field.isNamed("result") {
                message.result = field.bytes
            } else if field.isNamed("error") {
                message.error = text(field, limit: limits.textBytes)
            } else if field.isNamed("code") {
                message.code = text(field, limit: 64)
            } else if field.isNamed("retry-after") {
                message.retryAfter = try number(field, "retry-after", 0...Self.longest)
            } else if field.isNamed("seen") {
                message.seen = try number(field, "seen", 0...Self.latest)
            }
        }
        guard let outcome else { throw DeadReason(.malformed, "outcome is missing") }
        message.outcome = outcome
        message.id = try attempt.finish()
        return message
    }

    mutating func heartbeat() throws(DeadReason) -> HeartbeatMessage {
        var attempt = AttemptReader()
        var details: String?
        for field in fields where !(try attempt.take(field)) {
            if field.isNamed("details") { details = text(field, limit: limits.textBytes) }
        }
        return HeartbeatMessage(id: try attempt.finish(), details: details)
    }

    private static let versions =
        Int64(DefinitionLimits.version.lowerBound)...Int64(DefinitionLimits.version.upperBound)
    /// Longest span that a peer may ask for: ten years.
    static let longest: Milliseconds = 315_360_000_000
    /// Latest instant, and highest era, that a peer may name: the end of the year 2500.
    static let latest: Milliseconds = 16_756_761_600_000

    private func text(_ field: FieldView, limit: Int) -> String {
        guard field.value.count > limit else { return field.text }
        return String(decoding: field.value[..<limit], as: UTF8.self) + "…"
    }

    private func number(
        _ field: FieldView, _ name: String, _ range: ClosedRange<Int64>
    ) throws(DeadReason) -> Int64 {
        guard let number = field.number, range.contains(number) else {
            throw DeadReason(.malformed, "\(name) is no decimal number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

/// Collects the fields that name an attempt; replies and heartbeats share them.
private struct AttemptReader {
    private var saga: String?
    private var step: String?
    private var phase: Phase?
    private var attempt: Int64?
    private var era: Int64?
    private var token: String?

    /// Takes the field if it is one of these.
    mutating func take(_ field: FieldView) throws(DeadReason) -> Bool {
        if field.isNamed("saga") {
            saga = field.text
        } else if field.isNamed("step") {
            step = field.text
        } else if field.isNamed("phase") {
            phase = Phase(rawValue: field.text)
            guard phase != nil else { throw DeadReason(.malformed, "phase is neither action nor compensation") }
        } else if field.isNamed("attempt") {
            attempt = field.number
        } else if field.isNamed("era") {
            era = field.number
        } else if field.isNamed("token") {
            token = String(decoding: field.value.prefix(64), as: UTF8.self)
        } else {
            return false
        }
        return true
    }

    func finish() throws(DeadReason) -> AttemptID {
        let saga = try sagaID(saga)
        guard let step, Names.isStep(step) else { throw DeadReason(.malformed, "step is missing or no step's name") }
        guard let phase else { throw DeadReason(.malformed, "phase is missing") }
        guard let attempt, (1...Int64(Int32.max)).contains(attempt) else {
            throw DeadReason(.malformed, "attempt is missing or no number from 1")
        }
        guard let era, (0...MessageReader.latest).contains(era) else {
            throw DeadReason(.malformed, "era is missing or no number")
        }
        guard let token else { throw DeadReason(.malformed, "token is missing") }
        return AttemptID(saga: saga, step: step, phase: phase, attempt: Int(attempt), era: era, token: token)
    }
}

private func sagaID(_ id: String?, limit: Int = Names.maxDerivedSagaIDLength) throws(DeadReason) -> String {
    guard let id else { throw DeadReason(.malformed, "saga is missing") }
    guard Names.isSagaID(id, limit: limit) else { throw DeadReason(.malformed, "saga is no saga id") }
    return id
}

private func name(_ name: String?, _ field: String) throws(DeadReason) -> String {
    guard let name else { throw DeadReason(.malformed, "\(field) is missing") }
    guard Names.isName(name) else { throw DeadReason(.malformed, "\(field) is no allowed name") }
    return name
}
