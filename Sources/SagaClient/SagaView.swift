public import SagaCore
public import SagaWire

/// One saga as a person looks at it: its state, and its log as a timeline.
public struct SagaView: Sendable {
    public let saga: Saga
    public let timeline: [TimelineEntry]
    let payloadKeys: PayloadKeys?

    public init(saga: Saga, timeline: [TimelineEntry], payloadKeys: PayloadKeys? = nil) {
        self.payloadKeys = payloadKeys
        self.saga = saga
        self.timeline = timeline
    }

    /// A payload as it is shown: opened where its key is at hand, else as it is stored.
    public func shown(_ payload: [UInt8]?) -> [UInt8]? {
        // What cannot be opened is shown as what it is.
        payload.map { (try? payloadKeys?.open($0, of: saga.id)) ?? $0 }
    }

    /// The saga's end, or `stuck`; nil while it is under way.
    public var end: Saga.Status? {
        switch saga.status {
        case .completed, .compensated, .stuck: saga.status
        case .scheduled, .running, .compensating: nil
        }
    }
}

/// Something that happened to a saga, or that it did.
public struct TimelineEntry: Sendable, Hashable {
    public var at: Milliseconds
    /// `started`, `sent`, `reply`, `heartbeat`, `order`, `signal`, `rewind`, `alarm`, `child`, `recall`, `confirmed`, `event`,
    /// `completed`, `compensated`, `stuck` or `resumed`.
    public var type: String
    public var step: String?
    public var phase: Phase?
    public var attempt: Int?
    /// A reply's outcome, an order's operation, a signal's name, a child's outcome or id, an event's topic.
    public var what: String?
    public var text: String?

    public init(
        at: Milliseconds, type: String, step: String? = nil, phase: Phase? = nil, attempt: Int? = nil,
        what: String? = nil, text: String? = nil
    ) {
        self.at = at
        self.type = type
        self.step = step
        self.phase = phase
        self.attempt = attempt
        self.what = what
        self.text = text
    }

    /// What an entry of the log and the directives that followed from it look like.
    static func entries(of entry: LogEntry, _ directives: [Directive], _ saga: Saga) -> [TimelineEntry] {
        var entries = [TimelineEntry(fact: entry)]
        for directive in directives {
            switch directive {
            case .send(let dispatch):
                entries.append(
                    TimelineEntry(
                        at: entry.at, type: "sent", step: saga.name(of: dispatch.branch),
                        phase: dispatch.phase, attempt: dispatch.attempt))
            case .finish(let status):
                entries.append(TimelineEntry(at: entry.at, type: status.rawValue, text: saga.error))
            case .reopen: entries.append(TimelineEntry(at: entry.at, type: "resumed"))
            case .startChild(let step), .undoChild(let step):
                let isStart = directive == .startChild(step: step)
                entries.append(
                    TimelineEntry(
                        at: entry.at, type: "sent", step: saga.definition.steps[step].name,
                        phase: isStart ? .action : .compensation, what: saga.childID(of: step)))
            case .emit(let step, let outcome):
                let emits = saga.definition.steps[step].emits
                entries.append(
                    TimelineEntry(
                        at: entry.at, type: "event", step: saga.definition.steps[step].name,
                        what: outcome == .succeeded ? emits.succeeded : emits.failed))
            case .verifyChild, .verified: break
            }
        }
        return entries
    }

    private init(fact entry: LogEntry) {
        self.init(at: entry.at, type: "")
        switch entry.fact {
        case .started(let started):
            type = "started"
            what = "\(started.definition)@\(started.version)"
        case .replied(let reply):
            type = "reply"
            let name = reply.step + (reply.item.map { "#\($0)" } ?? "")
            (step, phase, attempt, what) = (name, reply.phase, reply.attempt, reply.outcome.rawValue)
            text = [reply.error, reply.code.map { "(\($0))" }].compactMap(\.self).joined(separator: " ")
            if text == "" { text = nil }
        case .beat(let step, let item, let phase):
            type = "heartbeat"
            (self.step, self.phase) = (step + (item.map { "#\($0)" } ?? ""), phase)
        case .ticked: type = "alarm"
        case .ordered(let order):
            type = "order"
            (step, what) = (order.step, order.operation.rawValue)
            text = [order.by.map { "by \($0)" }, order.reason].compactMap(\.self).joined(separator: ": ")
        case .signaled(let signal):
            type = "signal"
            what = signal.name
        case .rewound(let era):
            type = "rewind"
            text = "era \(era)"
        case .childReported(let report):
            type = "child"
            (step, what, text) = (report.step, report.outcome.rawValue, report.error)
        case .recalled(let reason):
            type = "recall"
            text = reason
        case .confirmed: type = "confirmed"
        }
    }
}
