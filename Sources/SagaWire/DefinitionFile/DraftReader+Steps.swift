import SagaCore

/// The steps of a document.
extension DraftReader {
    /// Keys that make a step something else than a command to a service.
    private static let kinds = ["saga", "forEach"]

    private static let stepKeys = KeySet(
        known: [
            "name", "service", "action", "delay", "signal", "compensation", "timeout", "retry", "compensationRetry",
            "after", "uses",
            "pivot",
        ],
        unsupported: [
            "saga": "child saga steps", "forEach": "forEach steps",
            "when": "conditions (when)", "emits": "events (emits)", "inputFrom": "child saga inputs (inputFrom)",
        ])

    mutating func step(_ node: FileNode, _ path: Path) -> StepDraft {
        var draft = StepDraft(name: "")
        guard let fields = fields(of: node, path, Self.stepKeys, called: "a step") else {
            isOrderKnown = false
            return draft
        }
        if case .mapping(let entries) = node.value, entries.contains(where: { Self.kinds.contains($0.key) }) {
            // Nothing is known yet of what such a step must and must not have.
            unreadable.append(path)
        }
        readName(in: fields, node, path, into: &draft)
        let standIn = "unreadable"
        draft.service = fields["service"].map { text($0, path + [.key("service")]) ?? standIn }
        draft.action = fields["action"].map { text($0, path + [.key("action")]) ?? standIn }
        draft.delay = read("delay", in: fields, path) { $0.duration($1, $2) }
        draft.signal = fields["signal"].map { text($0, path + [.key("signal")]) ?? standIn }
        if fields["delay"] != nil, draft.delay == nil { draft.delay = DefinitionLimits.span.lowerBound }
        draft.compensation = fields["compensation"].map { compensation($0, path + [.key("compensation")]) } ?? .absent
        draft.timeout = read("timeout", in: fields, path) { $0.duration($1, $2) }
        draft.retry = read("retry", in: fields, path) { $0.retry($1, $2) }
        draft.compensationRetry = read("compensationRetry", in: fields, path) { $0.retry($1, $2) }
        draft.after = read("after", in: fields, path) { $0.stepNames($1, $2) }
        draft.uses = read("uses", in: fields, path) { $0.stepNames($1, $2) }
        draft.isPivot = read("pivot", in: fields, path) { $0.bool($1, $2) } ?? false
        return draft
    }

    private mutating func readName(
        in fields: [String: FileNode], _ node: FileNode, _ path: Path, into draft: inout StepDraft
    ) {
        let path = path + [.key("name")]
        guard let field = fields["name"] else {
            missing("name", in: node, path)
            isOrderKnown = false
            return
        }
        guard let name = text(field, path) else {
            isOrderKnown = false
            return
        }
        draft.name = name
    }

    private mutating func compensation(_ node: FileNode, _ path: Path) -> StepDraft.CompensationDraft {
        if node.value == .null { return .none }
        guard case .text(let operation) = node.value else {
            refuse(node, path, "compensation must be an operation's name, or null where there is nothing to undo")
            return .operation("unreadable")
        }
        return .operation(operation)
    }

    /// Names of other steps. One that cannot be read leaves the order unknown.
    private mutating func stepNames(_ node: FileNode, _ path: Path) -> [String]? {
        let faultsBefore = faults.count
        defer { if faults.count > faultsBefore { isOrderKnown = false } }
        guard case .list(let elements) = node.value else {
            refuse(node, path, "\(name(path)) must be a list of steps' names")
            return nil
        }
        return elements.indices.compactMap { index in
            let element = elements[index]
            if case .text(let name) = element.value { return name }
            refuse(element, path + [.index(index)], "\(name(path)) must be a list of steps' names")
            return nil
        }
    }
}
