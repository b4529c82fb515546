import SagaCore

/// The steps of a document.
extension DraftReader {
    private static let stepKeys = [
        "name", "service", "action", "delay", "until", "signal", "saga", "inputFrom", "when", "forEach", "emits",
        "compensation", "timeout", "retry", "compensationRetry", "noRetry", "compensateOn", "stopOn", "after", "uses",
        "pivot",
    ]

    mutating func step(_ node: FileNode, _ path: Path) -> StepDraft {
        var draft = StepDraft(name: "")
        guard let fields = fields(of: node, path, Self.stepKeys, called: "a step") else {
            isOrderKnown = false
            return draft
        }
        readName(in: fields, node, path, into: &draft)
        readKind(in: fields, path, into: &draft)
        draft.when = read("when", in: fields, path) { $0.condition($1, $2) }
        draft.forEach = read("forEach", in: fields, path) { $0.forEach($1, $2) }
        draft.emits = read("emits", in: fields, path) { $0.emits($1, $2) }
        draft.compensation = fields["compensation"].map { compensation($0, path + [.key("compensation")]) } ?? .absent
        draft.timeout = read("timeout", in: fields, path) { $0.duration($1, $2) }
        draft.retry = read("retry", in: fields, path) { $0.retry($1, $2) }
        draft.compensationRetry = read("compensationRetry", in: fields, path) { $0.retry($1, $2) }
        draft.noRetry = read("noRetry", in: fields, path) { $0.codes($1, $2) }
        draft.compensateOn = read("compensateOn", in: fields, path) { $0.codes($1, $2) }
        draft.stopOn = read("stopOn", in: fields, path) { $0.codes($1, $2) }
        draft.after = read("after", in: fields, path) { $0.stepNames($1, $2) }
        draft.uses = read("uses", in: fields, path) { $0.stepNames($1, $2) }
        draft.isPivot = read("pivot", in: fields, path) { $0.bool($1, $2) } ?? false
        return draft
    }

    /// What the step does. A value that cannot be read still tells the kind.
    private mutating func readKind(in fields: [String: FileNode], _ path: Path, into draft: inout StepDraft) {
        draft.service = read("service", in: fields, path) { $0.text($1, $2) ?? Self.standIn }
        draft.action = read("action", in: fields, path) { $0.text($1, $2) ?? Self.standIn }
        draft.delay = read("delay", in: fields, path) { $0.duration($1, $2) ?? DefinitionLimits.span.lowerBound }
        draft.until = read("until", in: fields, path) { $0.moment($1, $2) ?? .at(DefinitionLimits.moment.lowerBound) }
        draft.signal = read("signal", in: fields, path) { $0.text($1, $2) ?? Self.standIn }
        draft.saga = read("saga", in: fields, path) { $0.text($1, $2) ?? Self.standIn }
        draft.inputFrom = read("inputFrom", in: fields, path) { $0.text($1, $2) }
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
            return .operation(Self.standIn)
        }
        return .operation(operation)
    }

    private mutating func forEach(_ node: FileNode, _ path: Path) -> ForEach? {
        guard case .mapping = node.value else { return valuePath(node, path).map { ForEach($0) } }
        guard let fields = fields(of: node, path, ["items", "parallel"], called: "forEach") else { return nil }
        let parallel = read("parallel", in: fields, path) { $0.integer($1, $2) }
        guard let items = fields["items"] else {
            missing("items", in: node, path)
            return nil
        }
        guard let items = valuePath(items, path + [.key("items")]) else { return nil }
        return ForEach(items, parallel: parallel ?? DefinitionLimits.defaultParallel)
    }

    private mutating func emits(_ node: FileNode, _ path: Path) -> Emits? {
        guard let fields = fields(of: node, path, ["succeeded", "failed"], called: "emits") else { return nil }
        return Emits(
            succeeded: read("succeeded", in: fields, path) { $0.text($1, $2) ?? Self.standIn },
            failed: read("failed", in: fields, path) { $0.text($1, $2) ?? Self.standIn })
    }

    private mutating func codes(_ node: FileNode, _ path: Path) -> [String]? {
        guard case .list(let elements) = node.value else {
            refuse(node, path, "\(name(path)) must be a list of error codes")
            return nil
        }
        return elements.indices.map { index in
            if case .text(let code) = elements[index].value { return code }
            refuse(
                elements[index], path + [.index(index)],
                "\(name(path)) must be a list of error codes, each a text (put numbers in quotes)")
            // Two stand-ins must not look like one code written twice.
            return "\(Self.standIn)\(index)"
        }
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
