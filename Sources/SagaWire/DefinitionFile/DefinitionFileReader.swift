import SagaCore

/// Reads the documents of one file, and puts what is wrong with each at its place.
struct DefinitionFileReader {
    var definitions: [Definition] = []
    var warnings: [TextFault] = []
    var faults: [TextFault] = []
    private var firstPlaces: [String: TextPosition] = [:]

    mutating func read(_ documents: [FileNode]) {
        if documents.isEmpty { faults.append(TextFault(.start, "there is no definition in this file")) }
        for document in documents { read(document) }
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
        faults += FileOrder.sort(reader.faults + validated)
        guard let definition, reader.faults.isEmpty else { return }
        let place = document.position(of: [.key("name")])
        if let first = firstPlaces[definition.id] {
            faults.append(TextFault(place, "\(definition.id) is defined already in line \(first.line) of this file"))
        }
        firstPlaces[definition.id] = firstPlaces[definition.id] ?? place
        definitions.append(definition)
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
