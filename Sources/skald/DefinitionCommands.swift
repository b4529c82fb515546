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
    static let configuration = CommandConfiguration(abstract: "List the registered definitions.")

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try await global.withClient { client in
            let definitions = try await client.definitions()
            if global.json {
                for definition in definitions { printJSON { $0.raw(definition.canonicalJSON) } }
            } else {
                let rows = definitions.map { definition in
                    [
                        definition.name, String(definition.version), definition.durability.rawValue,
                        definition.steps.map(\.name).joined(separator: " "),
                    ]
                }
                print(Terminal.table(["NAME", "VERSION", "DURABILITY", "STEPS"], rows))
            }
        }
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
