import ArgumentParser
import Foundation
import SagaClient
import SagaCore
import SagaWire

/// Registers definitions.
struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Register the definitions in files (YAML or JSON).",
        discussion: "A registered name and version never change: write a new version instead.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "Definition files.") var files: [String]

    func run() async throws {
        let definitions = try files.flatMap(read)
        try await global.withClient { client in
            for definition in definitions {
                guard try await client.register(definition) else {
                    throw fail(
                        "\(definition.id) is registered with other content: a registered version never changes, "
                            + "so write version \(definition.version + 1)")
                }
                if global.json {
                    printJSON { writer in
                        writer.beginObject()
                        writer.field("name", definition.name)
                        writer.field("version", definition.version)
                        writer.endObject()
                    }
                } else {
                    print("registered \(definition.id)")
                }
            }
        }
    }
}

/// Checks definition files.
struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check definition files: every fault with its file, line and column.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "Definition files.") var files: [String]

    func run() throws {
        var areSound = true
        for file in files {
            do {
                for definition in try read(file) {
                    guard global.json else {
                        let count = definition.steps.count
                        print("\(file): \(definition.id) is sound: \(count) \(count == 1 ? "step" : "steps")")
                        continue
                    }
                    printJSON { writer in
                        writer.beginObject()
                        writer.field("file", file)
                        writer.field("name", definition.name)
                        writer.field("version", definition.version)
                        writer.field("steps", definition.steps.count)
                        writer.endObject()
                    }
                }
            } catch let code as ExitCode {
                guard code == .failure else { throw code }
                areSound = false
            }
        }
        if !areSound { throw ExitCode.failure }
    }
}

/// Lists what is registered.
struct Definitions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the registered definitions, with how many sagas of each are not ended.",
        discussion: "A version without open sagas can be retired.")

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try await global.withClient { client in
            let definitions = try await client.definitions()
            let counts = try await client.openCounts()
            if global.json {
                for definition in definitions {
                    printJSON { write(definition, open: counts.map { $0[definition.id] ?? 0 }, to: &$0) }
                }
            } else {
                let rows = definitions.map { definition in
                    [
                        definition.name, String(definition.version), definition.durability.rawValue,
                        counts.map { String($0[definition.id] ?? 0) } ?? "-",
                        definition.steps.map(\.name).joined(separator: " "),
                    ]
                }
                print(Terminal.table(["NAME", "VERSION", "DURABILITY", "OPEN", "STEPS"], rows))
            }
        }
    }

    /// The definition as it is registered, and how many of its sagas are not ended: null where one may not look.
    private func write(_ definition: Definition, open: Int?, to writer: inout JSONWriter) {
        writer.raw(Array(definition.canonicalJSON.dropLast()))
        writer.field("open", open.map(Int64.init))
        writer.endObject()
    }
}

/// Reads a file; says every fault and warning on standard error.
func read(_ file: String) throws -> [Definition] {
    guard let text = FileManager.default.contents(atPath: file) else {
        throw fail("the file '\(file)' cannot be read")
    }
    do {
        let read = try DefinitionFile(
            parsing: Array(text), name: file, format: file.hasSuffix(".json") ? .json : .yaml)
        for warning in read.warnings {
            FileHandle.standardError.write(Data("\(Terminal.clean("\(warning)")) (warning)\n".utf8))
        }
        return read.definitions
    } catch {
        for fault in error.faults {
            FileHandle.standardError.write(Data("\(Terminal.clean("\(fault)"))\n".utf8))
        }
        throw ExitCode.failure
    }
}
