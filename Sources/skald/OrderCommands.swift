import ArgumentParser
import SagaClient
import SagaCore
import SagaWire

struct Cancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn sagas back: compensate what was done. Refused once the pivot is due.",
        discussion: "'skald plan cancel ID' shows what would be undone.")
    @OptionGroup var order: OrderArguments
    func run() async throws { try await order.give(.cancel) }
}

struct Pause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Send nothing more for sagas until 'resume'.")
    @OptionGroup var order: OrderArguments
    func run() async throws { try await order.give(.pause) }
}

struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let paused sagas go on; alarms catch up.")
    @OptionGroup var order: OrderArguments
    func run() async throws { try await order.give(.resume) }
}

struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give stuck or waiting steps a fresh set of attempts, at once.",
        discussion: "After an outage of a service, '--service NAME' retries all that waits for it.")
    @OptionGroup var order: OrderArguments
    @Option(help: "All steps of this service that are stuck or wait for their next attempt.") var service: String?

    func run() async throws {
        if let service, !Names.isName(service) { throw ValidationError("'\(service)' is no service's name") }
        try await order.give(.retry, service: service)
    }
}

struct Skip: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Declare a step done by hand.")
    @OptionGroup var global: GlobalOptions
    @OptionGroup var signature: OrderSignature
    @Argument(help: "The saga's id.") var id: String
    @Option(help: "The step that is meant.") var step: String
    @Option(help: ArgumentHelp("The result that later steps need: JSON, @FILE or -.", valueName: "json"))
    var result: String?
    @Flag(help: "Send nothing; say what would be done.") var dryRun = false

    func run() async throws {
        let order = Order(.skip, step: step, result: try result.map { try payload($0, "--result") })
        try await global.give(signature.sign(order), to: id, isDryRun: dryRun)
    }
}

/// Sends a signal.
struct Signal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Send a saga the signal that one of its steps waits for.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The saga's id.") var id: String
    @Argument(help: "The signal's name.") var name: String
    @Option(help: ArgumentHelp("JSON, @FILE or -.", valueName: "json")) var payload = "{}"
    @Option(name: .customLong("signal-id"), help: "A signal with an id that was seen before is ignored.")
    var signalID: String?

    func run() async throws {
        guard Names.isSagaID(id) else { throw fail("'\(id)' is no saga id") }
        guard Names.isName(name) else { throw fail("'\(name)' is no signal's name") }
        let content = try skald.payload(payload, "--payload")
        let message = SignalMessage(saga: id, name: name, payload: content, id: signalID)
        try await global.withClient { client in
            guard try await client.saga(id) != nil else { throw fail("there is no saga '\(id)'") }
            try await client.signal(message)
            guard global.json else { return }
            printJSON { writer in
                writer.beginObject()
                writer.field("id", id)
                writer.field("signal", name)
                writer.endObject()
            }
        }
    }
}
