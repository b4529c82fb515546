public import SagaCore
import SagaWire

extension SagaView {
    /// The saga as one JSON object, as `skald show --json` prints it.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writeHead(to: &writer)
        writer.field("error", saga.error)
        writer.field("input", payload: shown(saga.started.input))
        writer.beginObject("labels")
        for (name, value) in saga.started.labels.sorted(by: { $0.key < $1.key }) {
            writer.name(text: name)
            writer.value(value)
        }
        writer.endObject()
        writer.field("paused", saga.isPaused)
        writer.beginArray("steps")
        for index in saga.steps.indices { writeStep(index, to: &writer) }
        writer.endArray()
        writer.beginArray("timeline")
        for entry in timeline { entry.write(to: &writer) }
        writer.endArray()
        writer.endObject()
    }

    private func writeHead(to writer: inout JSONWriter) {
        writer.field("id", saga.id)
        writer.field("definition", saga.definition.name)
        writer.field("version", saga.definition.version)
        writer.field("status", saga.status.rawValue)
        writer.field("startedAt", saga.startedAt)
        writer.field("finishedAt", saga.finishedAt)
    }

    private func writeStep(_ index: Int, to writer: inout JSONWriter) {
        let step = saga.steps[index]
        writer.beginObject()
        writer.field("name", saga.definition.steps[index].name)
        writer.field("status", stepStatus(index))
        writer.field("attempts", step.action.attempts)
        writer.field("result", payload: shown(step.result))
        writer.field("error", step.action.error)
        writer.field("startedAt", step.action.startedAt)
        writer.field("finishedAt", step.action.finishedAt)
        writer.beginObject("compensation")
        writer.field("status", compensationStatus(index))
        writer.field("attempts", step.compensation.attempts)
        writer.field("error", step.compensation.error)
        writer.endObject()
        if !step.items.isEmpty { writeItems(step.items, of: index, to: &writer) }
        writer.endObject()
    }

    private func writeItems(_ items: [ItemState], of index: Int, to writer: inout JSONWriter) {
        writer.beginArray("items")
        for item in items {
            writer.beginObject()
            writer.field("value", payload: item.value)
            writer.field("status", Self.text(item.action, isCommand: true))
            writer.field("attempts", item.action.attempts)
            writer.field("result", payload: shown(item.result))
            writer.field("error", item.action.error)
            writer.beginObject("compensation")
            writer.field("status", Self.compensationText(item.compensation))
            writer.field("attempts", item.compensation.attempts)
            writer.field("error", item.compensation.error)
            writer.endObject()
            writer.endObject()
        }
        writer.endArray()
    }

    /// One of `pending`, `running`, `waiting`, `succeeded`, `failed`, `skipped`. A step whose effect is unknown, and one
    /// that is stuck, count as failed; the error says more.
    public func stepStatus(_ index: Int) -> String {
        let step = saga.definition.steps[index]
        return Self.text(saga.steps[index].action, isCommand: step.service != nil)
    }

    private static func text(_ action: PhaseState, isCommand: Bool) -> String {
        switch action.status {
        case .none, .pending: "pending"
        case .running: isCommand ? "running" : "waiting"
        case .waiting: "waiting"
        case .succeeded: "succeeded"
        case .failed, .unknown, .stuck: "failed"
        case .skipped, .omitted: "skipped"
        }
    }

    /// One of `none`, `pending`, `running`, `succeeded`, `stuck`. Between two attempts it is `running`.
    public func compensationStatus(_ index: Int) -> String {
        Self.compensationText(saga.steps[index].compensation)
    }

    private static func compensationText(_ compensation: PhaseState) -> String {
        switch compensation.status {
        case .none, .omitted: "none"
        case .pending: "pending"
        case .running, .waiting: "running"
        case .succeeded, .skipped: "succeeded"
        case .stuck, .failed, .unknown: "stuck"
        }
    }
}

extension TimelineEntry {
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("at", at)
        writer.field("type", type)
        writer.field("step", step)
        if let phase { writer.field("phase", phase.rawValue) }
        if let attempt { writer.field("attempt", attempt) }
        if let what { writer.field(type == "reply" ? "outcome" : "what", what) }
        if let text { writer.field("text", text) }
        writer.endObject()
    }
}
