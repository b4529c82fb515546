import ArgumentParser
import SagaCore
import SagaSimulation
import SagaWire

/// Draws definitions.
struct Graph: ParsableCommand {
    enum Format: String, CaseIterable, ExpressibleByArgument { case text, mermaid }

    static let configuration = CommandConfiguration(
        abstract: "Draw a definition: what runs side by side, what waits for what, and how it is undone.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var source: DefinitionArgument
    @Option(help: "text or mermaid (a flowchart).") var format = Format.text

    func run() throws {
        for (place, definition) in try source.definitions().enumerated() {
            let graph = DefinitionGraph(definition)
            let lines = format == .text ? graph.text : graph.mermaid
            guard global.json else {
                if place > 0 { print("") }
                for line in lines { print(Terminal.clean(line)) }
                continue
            }
            printJSON { writer in
                writer.beginObject()
                writer.field("definition", definition.name)
                writer.field("version", definition.version)
                writer.field("format", format.rawValue)
                writer.field("graph", lines.joined(separator: "\n"))
                writer.endObject()
            }
        }
    }
}
