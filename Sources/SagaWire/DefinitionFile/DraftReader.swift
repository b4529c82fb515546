import SagaCore

/// Makes a draft of one document.
///
/// Goes on after a fault, with a stand-in for what could not be read, so that the validator can judge the rest; what
/// it would say about a stand-in is in ``unreadable``.
struct DraftReader {
    var faults: [TextFault] = []
    /// Paths at and below which the validator's words don't count.
    var unreadable: [[DefinitionFault.Component]] = []
    /// False where a step's name or links could not be read.
    var isOrderKnown = true

    typealias Path = [DefinitionFault.Component]

    /// Stands for a text that could not be read.
    static let standIn = "unreadable"

    private static let keys = [
        "name", "version", "deadline", "durability", "compensation", "retention", "trigger", "steps",
    ]
    private static let compensationKeys = ["order", "whenStuck"]
    private static let retryKeys = ["attempts", "initial", "factor", "max", "jitter"]

    /// Nil where the document is no mapping.
    mutating func read(_ document: FileNode) -> DefinitionDraft? {
        guard let fields = fields(of: document, [], Self.keys, called: "a definition") else { return nil }
        var draft = DefinitionDraft(name: "", version: 1)
        draft.name = read(required: "name", in: fields, document) { $0.text($1, $2) } ?? draft.name
        draft.version = read(required: "version", in: fields, document) { $0.integer($1, $2) } ?? draft.version
        draft.deadline = read("deadline", in: fields, []) { $0.duration($1, $2) }
        draft.durability = read("durability", in: fields, []) { $0.choice($1, $2) }
        if let node = fields["compensation"] { readCompensation(node, into: &draft) }
        draft.retention = read("retention", in: fields, []) { $0.duration($1, $2) }
        draft.trigger = read("trigger", in: fields, []) { $0.trigger($1, $2) }
        draft.steps = read(required: "steps", in: fields, document) { $0.steps($1, $2) } ?? []
        return draft
    }

    private mutating func readCompensation(_ node: FileNode, into draft: inout DefinitionDraft) {
        let path: Path = [.key("compensation")]
        guard let fields = fields(of: node, path, Self.compensationKeys, called: "compensation") else { return }
        draft.order = read("order", in: fields, path) { $0.choice($1, $2) }
        draft.whenStuck = read("whenStuck", in: fields, path) { $0.choice($1, $2) }
    }

    private mutating func trigger(_ node: FileNode, _ path: Path) -> EventTrigger? {
        guard let fields = fields(of: node, path, ["event", "each"], called: "trigger") else { return nil }
        let each: Each? = read("each", in: fields, path) { $0.choice($1, $2) }
        guard let event = fields["event"] else {
            missing("event", in: node, path)
            return nil
        }
        return EventTrigger(
            event: text(event, path + [.key("event")]) ?? Self.standIn, isPerEvent: each == .event)
    }

    /// What a trigger starts a saga for, other than each key once.
    private enum Each: String, CaseIterable {
        case event
    }

    private mutating func steps(_ node: FileNode, _ path: Path) -> [StepDraft]? {
        guard case .list(let elements) = node.value else {
            refuse(node, path, "steps must be a list of steps")
            return nil
        }
        guard elements.count <= DefinitionLimits.steps.upperBound else {
            // Too many is the one fault to tell.
            return elements.map { _ in StepDraft(name: "") }
        }
        return elements.indices.map { step(elements[$0], path + [.index($0)]) }
    }

    mutating func retry(_ node: FileNode, _ path: Path) -> RetryPolicyDraft? {
        guard let fields = fields(of: node, path, Self.retryKeys, called: name(path)) else { return nil }
        let faultsBefore = faults.count
        let draft = RetryPolicyDraft(
            attempts: read("attempts", in: fields, path) { $0.integer($1, $2) },
            initial: read("initial", in: fields, path) { $0.duration($1, $2) },
            factor: read("factor", in: fields, path) { $0.number($1, $2) },
            max: read("max", in: fields, path) { $0.duration($1, $2) },
            jitter: read("jitter", in: fields, path) { $0.number($1, $2) })
        // The parts are judged against each other: without one of them there is nothing to say.
        if faults.count > faultsBefore { unreadable.append(path) }
        return draft
    }

    /// Reads a key where it is there.
    mutating func read<Value>(
        _ key: String, in fields: [String: FileNode], _ path: Path,
        _ body: (inout DraftReader, FileNode, Path) -> Value?
    ) -> Value? {
        fields[key].flatMap { body(&self, $0, path + [.key(key)]) }
    }

    /// Reads a key of the document, whose absence is a fault.
    private mutating func read<Value>(
        required key: String, in fields: [String: FileNode], _ document: FileNode,
        _ body: (inout DraftReader, FileNode, Path) -> Value?
    ) -> Value? {
        guard let node = fields[key] else {
            missing(key, in: document, [.key(key)])
            return nil
        }
        return body(&self, node, [.key(key)])
    }
}
