public import SagaCore

extension SelectedOrder {
    /// The word for ``answer`` in JSON: `accepted`, `refused`, `unanswered` or `unreadable`.
    public var status: String {
        switch answer {
        case .accepted: "accepted"
        case .refused: "refused"
        case .unanswered: "unanswered"
        case .unreadable: "unreadable"
        }
    }

    /// Why it was refused, or not sent.
    public var error: String? {
        switch answer {
        case .refused(let reason), .unreadable(let reason): reason
        case .accepted, .unanswered: nil
        }
    }

    /// The order as one JSON object, as `skald retry --status stuck --json` prints a line of it.
    public func write(to writer: inout JSONWriter, isDryRun: Bool) {
        writer.beginObject()
        writer.field("id", saga)
        writer.field("definition", definition)
        writer.field("version", version.map(Int64.init))
        writer.field("operation", operation.rawValue)
        writer.field("step", step)
        writer.field("status", status)
        writer.field("error", error)
        if isDryRun {
            writer.field("dryRun", true)
            writer.beginArray("steps")
            for step in steps { writer.value(step) }
            writer.endArray()
        }
        writer.endObject()
    }
}

extension FailingStep {
    /// The step as one JSON object, as `skald failing --json` prints a line of it.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("id", saga)
        writer.field("definition", definition)
        writer.field("version", version)
        writer.field("step", step)
        if let item { writer.field("item", item) }
        writer.field("service", service)
        writer.field("phase", phase.rawValue)
        writer.field("state", state.rawValue)
        writer.field("attempts", attempts)
        writer.field("since", since)
        writer.field("error", error)
        writer.field("nextAttemptAt", nextAttemptAt)
        writer.endObject()
    }
}
