public import SagaCore

/// How a saga's log stands in the store: one line of JSON, a line feed, then the payload's own bytes.
///
/// The line holds what is small and structured; a payload is never parsed, escaped or copied through JSON. Defaults are
/// left out (a step's first attempt, phase `action`, outcome `succeeded`), because a log is mostly these.
public enum LogCodec {
    public static func encode(_ entry: LogEntry) -> [UInt8] {
        var writer = JSONWriter(reserving: 128)
        var payload: [UInt8]?
        writer.beginObject()
        writer.field("i", entry.index)
        writer.field("at", entry.at)
        switch entry.fact {
        case .started(let started):
            writer.field("type", "started")
            writer.append(started)
            payload = started.input
        case .replied(let reply):
            writer.field("type", "reply")
            writer.append(reply)
            payload = reply.result
        case .beat(let step, let item, let phase):
            writer.field("type", "beat")
            writer.field("step", step)
            if let item { writer.field("item", item) }
            writer.append(phase)
        case .ticked:
            writer.field("type", "tick")
        case .ordered(let order):
            writer.field("type", "order")
            writer.append(order)
            payload = order.result
        case .signaled(let signal):
            writer.field("type", "signal")
            writer.field("name", signal.name)
            if let id = signal.id { writer.field("id", id) }
            payload = signal.payload
        case .rewound(let era):
            writer.field("type", "rewind")
            writer.field("era", era)
        case .childReported(let report):
            writer.field("type", "child")
            writer.append(report)
            payload = report.result
        case .recalled(let reason):
            writer.field("type", "recall")
            writer.field("reason", reason)
        case .confirmed:
            writer.field("type", "confirmed")
        }
        writer.endObject()
        var bytes = writer.bytes
        if let payload {
            bytes.append(UInt8(ascii: "\n"))
            bytes.append(contentsOf: payload)
        }
        return bytes
    }

    /// Decodes an entry; unknown fields are ignored, an unknown type is an error.
    public static func decode(_ bytes: [UInt8]) throws(LogFault) -> LogEntry {
        let (line, payload) = try split(bytes)
        let (index, at) = try place(line)
        return LogEntry(index: index, at: at, fact: try fact(line, payload))
    }

    /// Decodes the first entry of a log.
    public static func decode(head bytes: [UInt8]) throws(LogFault) -> LogHead {
        let (line, payload) = try split(bytes)
        let (_, at) = try place(line)
        switch line["type"]?.string {
        case "started": return .started(try started(line, payload ?? []), at: at)
        case Tombstone.type:
            guard let status = Saga.Status(rawValue: try string(line, "status")) else {
                throw LogFault("unknown status of a removed saga")
            }
            return .tombstone(
                Tombstone(
                    at: at, definition: try string(line, "definition"), version: Int(try integer(line, "version")),
                    status: status, startedAt: try integer(line, "startedAt"),
                    finishedAt: line["finishedAt"]?.integer ?? at))
        default: throw LogFault("the log does not begin with the saga's start")
        }
    }

    /// When an entry was made; nothing else of it is looked at.
    public static func instant(of bytes: [UInt8]) throws(LogFault) -> Milliseconds {
        try place(try split(bytes).line).at
    }

    private static func place(_ line: JSON) throws(LogFault) -> (index: Int, at: Milliseconds) {
        guard let index = line["i"]?.integer, let at = line["at"]?.integer, index >= 0 else {
            throw LogFault("the entry has no index or no instant")
        }
        return (Int(index), at)
    }

    private static func split(_ bytes: [UInt8]) throws(LogFault) -> (line: JSON, payload: [UInt8]?) {
        let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
        let line: JSON
        do {
            line = try JSON.parse(Array(bytes[..<(end ?? bytes.count)]))
        } catch {
            throw LogFault("the entry's line is no JSON: \(error)")
        }
        // The writer escapes line feeds, so the first one ends the line; an empty payload is not an absent one.
        return (line, end.map { Array(bytes[($0 + 1)...]) })
    }

    private static func fact(_ line: JSON, _ payload: [UInt8]?) throws(LogFault) -> Fact {
        switch line["type"]?.string {
        case "started": .started(try started(line, payload ?? []))
        case "reply": .replied(try reply(line, payload))
        case "beat": .beat(step: try string(line, "step"), item: try item(line), phase: phase(line))
        case "tick": .ticked
        case "order": .ordered(try order(line, payload))
        case "signal":
            .signaled(Signal(try string(line, "name"), id: line["id"]?.string, payload: payload ?? []))
        case "rewind": .rewound(era: try integer(line, "era"))
        case "child": .childReported(try report(line, payload))
        case "recall": .recalled(reason: try string(line, "reason"))
        case "confirmed": .confirmed
        case let type: throw LogFault("unknown type of entry '\(type ?? "")'")
        }
    }

    private static func started(_ line: JSON, _ input: [UInt8]) throws(LogFault) -> Started {
        var labels: [String: String] = [:]
        for member in line["labels"]?.object ?? [] { labels[member.name] = member.value.string }
        return Started(
            definition: try string(line, "definition"), version: Int(try integer(line, "version")),
            era: try integer(line, "era"), isAfterRewind: line["rewound"]?.bool ?? false,
            deadline: line["deadline"]?.integer, notBefore: line["not-before"]?.integer, labels: labels,
            traceparent: line["traceparent"]?.string, isChild: line["child"]?.bool ?? false,
            isRecalled: line["recalled"]?.bool ?? false, isReplicated: line["replicated"]?.bool ?? false, input: input)
    }

    private static func reply(_ line: JSON, _ result: [UInt8]?) throws(LogFault) -> Reply {
        guard let outcome = Reply.Outcome(rawValue: line["outcome"]?.string ?? Reply.Outcome.succeeded.rawValue) else {
            throw LogFault("unknown outcome of a reply")
        }
        return Reply(
            step: try string(line, "step"), item: try item(line), phase: phase(line),
            attempt: Int(line["attempt"]?.integer ?? 1), outcome: outcome, result: result, error: line["error"]?.string,
            code: line["code"]?.string,
            retryAfter: line["retry-after"]?.integer)
    }

    private static func report(_ line: JSON, _ result: [UInt8]?) throws(LogFault) -> ChildReport {
        guard let outcome = ChildReport.Outcome(rawValue: try string(line, "outcome")) else {
            throw LogFault("unknown outcome of a child saga")
        }
        return ChildReport(
            step: try string(line, "step"), outcome: outcome, result: result, error: line["error"]?.string)
    }

    private static func item(_ line: JSON) throws(LogFault) -> Int? {
        guard let item = line["item"] else { return nil }
        guard let number = item.integer, number >= 0 else { throw LogFault("the entry's item is no place in a list") }
        return Int(number)
    }

    private static func order(_ line: JSON, _ result: [UInt8]?) throws(LogFault) -> Order {
        guard let operation = Order.Operation(rawValue: try string(line, "operation")) else {
            throw LogFault("unknown operation of an order")
        }
        return Order(
            operation, step: line["step"]?.string, by: line["by"]?.string, reason: line["reason"]?.string,
            result: result)
    }

    private static func phase(_ line: JSON) -> Phase {
        line["phase"]?.string.flatMap(Phase.init(rawValue:)) ?? .action
    }

    private static func string(_ line: JSON, _ name: String) throws(LogFault) -> String {
        guard let text = line[name]?.string else { throw LogFault("the entry has no \(name)") }
        return text
    }

    private static func integer(_ line: JSON, _ name: String) throws(LogFault) -> Int64 {
        guard let number = line[name]?.integer else { throw LogFault("the entry has no \(name)") }
        return number
    }
}

/// A stored entry that this version cannot read.
public struct LogFault: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String

    init(_ description: String) {
        self.description = description
    }
}

extension JSONWriter {
    fileprivate mutating func append(_ phase: Phase) {
        if phase != .action { field("phase", phase.rawValue) }
    }

    fileprivate mutating func append(_ started: Started) {
        field("definition", started.definition)
        field("version", started.version)
        field("era", started.era)
        if started.isAfterRewind { field("rewound", true) }
        if let deadline = started.deadline { field("deadline", deadline) }
        if let notBefore = started.notBefore { field("not-before", notBefore) }
        if !started.labels.isEmpty {
            beginObject("labels")
            for (name, value) in started.labels.sorted(by: { $0.key < $1.key }) {
                self.name(text: name)
                self.value(value)
            }
            endObject()
        }
        if let traceparent = started.traceparent { field("traceparent", traceparent) }
        if started.isChild { field("child", true) }
        if started.isRecalled { field("recalled", true) }
        if started.isReplicated { field("replicated", true) }
    }

    fileprivate mutating func append(_ report: ChildReport) {
        field("step", report.step)
        field("outcome", report.outcome.rawValue)
        if let error = report.error { field("error", error) }
    }

    fileprivate mutating func append(_ reply: Reply) {
        field("step", reply.step)
        if let item = reply.item { field("item", item) }
        append(reply.phase)
        if reply.attempt != 1 { field("attempt", reply.attempt) }
        if reply.outcome != .succeeded { field("outcome", reply.outcome.rawValue) }
        if let error = reply.error { field("error", error) }
        if let code = reply.code { field("code", code) }
        if let retryAfter = reply.retryAfter { field("retry-after", retryAfter) }
    }

    fileprivate mutating func append(_ order: Order) {
        field("operation", order.operation.rawValue)
        if let step = order.step { field("step", step) }
        if let by = order.by { field("by", by) }
        if let reason = order.reason { field("reason", reason) }
    }
}
