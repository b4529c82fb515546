import ArgumentParser
import SagaCore
import SagaWire

/// Keys of payloads.
struct KeyCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Make keys by which payloads are encrypted.", subcommands: [GenerateKey.self])
}

struct GenerateKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Print a line for a key file, with a new random key.",
        discussion: """
            The first line of the file that SKALD_PAYLOAD_KEYS_FILE names (chmod 600) encrypts, all of them decrypt: add a \
            new line at the end everywhere and restart, then move it to the front everywhere and restart.
            """)

    @OptionGroup var global: GlobalOptions
    @Option(help: "The key's id, which stands in every payload that it encrypts.") var id = "k1"

    func run() throws {
        guard Names.isStep(id) else { throw ValidationError("--id takes 1 to 64 of A-Z a-z 0-9 _ -, not '\(id)'") }
        print(PayloadKeys.newLine(id: id))
    }
}
