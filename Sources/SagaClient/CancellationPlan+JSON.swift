public import SagaCore

extension CancellationPlan {
    /// The plan's members, as `skald plan cancel --json` prints them, into an object that was begun.
    public func writeMembers(to writer: inout JSONWriter) {
        writer.field("refusal", refusal)
        writer.field("paused", isPaused)
        writer.beginArray("waves")
        for wave in waves {
            writer.beginArray()
            for compensation in wave { compensation.write(to: &writer) }
            writer.endArray()
        }
        writer.endArray()
        writer.beginArray("blocked")
        for compensation in blocked { compensation.write(to: &writer) }
        writer.endArray()
        writer.beginArray("exempt")
        for step in exempt {
            writer.beginObject()
            writer.field("step", step.step)
            writer.field("because", step.exemption.rawValue)
            writer.endObject()
        }
        writer.endArray()
        writer.field("end", end.rawValue)
    }
}

extension CancellationPlan.Compensation {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("step", step)
        if let item { writer.field("item", item) }
        writer.field("service", service)
        writer.field("operation", operation)
        writer.field("because", cause.rawValue)
        writer.field("error", error)
        writer.endObject()
    }
}
