import SagaCore

/// Reads the documents of one file, and puts what is wrong with each at its place.
struct DefinitionFileReader {
    var definitions: [Definition] = []
    var warnings: [TextFault] = []
    var faults: [TextFault] = []
    /// Where each of the definitions stands.
    private var places: [FileNode] = []
    private var firstPlaces: [String: TextPosition] = [:]

    mutating func read(_ documents: [FileNode]) {
        if documents.isEmpty { faults.append(TextFault(.start, "there is no definition in this file")) }
        for document in documents { read(document) }
        checkChildren()
    }

    /// A child with a pivot makes its parent's step the pivot, which the parent must say. Where the child is in another
    /// file, that shows when the step is due.
    private mutating func checkChildren() {
        var newest: [String: Definition] = [:]
        for definition in definitions where definition.version > newest[definition.name]?.version ?? 0 {
            newest[definition.name] = definition
        }
        for (parent, document) in zip(definitions, places) {
            for index in parent.steps.indices where index != parent.pivot && !parent.steps[index].isAfterPivot {
                guard case .child(let name, _) = parent.steps[index].kind, let child = newest[name],
                    let pivot = child.pivot
                else { continue }
                let path: [DefinitionFault.Component] = [.key("steps"), .index(index), .key("saga")]
                faults.append(
                    TextFault(
                        document.position(of: path),
                        "\(child.id) has a pivot, \(FaultText.quoted(child.steps[pivot].name)), so step "
                            + "\(FaultText.quoted(parent.steps[index].name)) must be the pivot (pivot: true)"
                            + (parent.pivot == nil ? "" : ", or come after it")))
            }
        }
        faults = FileOrder.sort(faults)
    }

    private mutating func read(_ document: FileNode) {
        var reader = DraftReader()
        guard let draft = reader.read(document) else {
            faults += reader.faults
            return
        }
        var validator = DefinitionValidator(draft, isOrderKnown: reader.isOrderKnown)
        let definition = validator.validate()
        let validated = validator.faults
            .filter { fault in !reader.unreadable.contains { fault.path.starts(with: $0) } }
            .map { TextFault(document.position(of: $0.path), $0.reason) }
        for fault in FileOrder.sort(reader.faults + validated) where faults.last != fault { faults.append(fault) }
        guard let definition, reader.faults.isEmpty else { return }
        let place = document.position(of: [.key("name")])
        if let first = firstPlaces[definition.id] {
            faults.append(TextFault(place, "\(definition.id) is defined already in line \(first.line) of this file"))
        }
        firstPlaces[definition.id] = firstPlaces[definition.id] ?? place
        definitions.append(definition)
        places.append(document)
        warnings += Definition.warnings(of: definition).map { TextFault(document.position(of: $0.path), $0.reason) }
    }
}

/// Faults in the order of their places.
enum FileOrder {
    static func sort(_ faults: [TextFault]) -> [TextFault] {
        // Stable: faults at one place keep the order in which they were found.
        faults.indices
            .sorted { (faults[$0].position, $0) < (faults[$1].position, $1) }
            .map { faults[$0] }
    }
}
