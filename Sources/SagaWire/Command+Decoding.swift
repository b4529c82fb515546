import SagaCore

extension Command {
    /// Decodes a command as it stands in a service's stream; fields that are not known are ignored.
    public static func decode(_ fields: [FieldView]) throws(DeadReason) -> Command {
        var command = Command(
            saga: "", definition: "", version: 0, step: "", phase: .action, operation: "", attempt: 0, era: -1,
            token: "", input: [], deadline: 0)
        command.key = ""
        var hasPhase = false
        for field in fields {
            if field.isNamed("saga") {
                command.saga = field.text
            } else if field.isNamed("definition") {
                command.definition = field.text
            } else if field.isNamed("version") {
                command.version = Int(field.number ?? 0)
            } else if field.isNamed("step") {
                command.step = field.text
            } else if field.isNamed("item") {
                command.item = field.number.flatMap { Int(exactly: $0) }
                guard let item = command.item, item >= 0 else {
                    throw DeadReason(.malformed, "item is no place in a list")
                }
            } else if field.isNamed("value") {
                command.value = field.bytes
            } else if field.isNamed("phase") {
                guard let phase = Phase(rawValue: field.text) else {
                    throw DeadReason(.malformed, "phase is neither action nor compensation")
                }
                command.phase = phase
                hasPhase = true
            } else if field.isNamed("operation") {
                command.operation = field.text
            } else if field.isNamed("key") {
                command.key = field.text
            } else if field.isNamed("effect") {
                command.isEffectKnown = field.text == "known"
            } else if field.isNamed("attempt") {
                command.attempt = Int(field.number ?? 0)
            } else if field.isNamed("era") {
                command.era = field.number ?? -1
            } else if field.isNamed("token") {
                command.token = field.text
            } else if field.isNamed("input") {
                command.input = field.bytes
            } else if field.isNamed("deadline") {
                command.deadline = field.number ?? 0
            } else if field.isNamed("traceparent") {
                command.traceparent = field.text
            } else if let step = field.suffix(after: "result.") {
                command.results.append(StepResult(step: step, payload: field.bytes))
            }
        }
        if let missing = hasPhase ? command.firstMissingField : "phase" {
            throw DeadReason(.malformed, "the command's \(missing) is missing or not allowed")
        }
        return command
    }

    private var firstMissingField: String? {
        if !Names.isSagaID(saga) { return "saga" }
        if !Names.isStep(step) { return "step" }
        if !Names.isName(operation) { return "operation" }
        if key.isEmpty { return "key" }
        if attempt < 1 { return "attempt" }
        if era < 0 { return "era" }
        if token.isEmpty { return "token" }
        return nil
    }
}
