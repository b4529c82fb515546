import ArgumentParser
import SagaCore

/// A definition file whose definitions are looked at, not registered.
struct DefinitionArgument: ParsableArguments {
    @Argument(help: "A definition file (YAML or JSON).") var file: String
    @Option(help: ArgumentHelp("The definition, where the file has several.", valueName: "name"))
    var definition: String?

    /// Those that are meant: the one that was named, else all of the file.
    func definitions() throws -> [Definition] {
        let all = try read(file)
        guard let definition else { return all }
        let named = all.filter { $0.name == definition || $0.id == definition }
        guard !named.isEmpty else {
            let names = all.map(\.id)
            throw ValidationError(
                "\(file) has no definition \(FaultText.quoted(definition)), but \(names.joined(separator: ", "))")
        }
        return named
    }

    func onlyDefinition() throws -> Definition {
        let all = try definitions()
        guard let first = all.first, all.count == 1 else {
            let names = all.map(\.id).joined(separator: ", ")
            throw ValidationError("\(file) has several definitions: choose one of \(names) with --definition")
        }
        return first
    }
}
