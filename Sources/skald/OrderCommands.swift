import ArgumentParser
import Foundation
import SagaClient
import SagaCore
import SagaWire

/// What the five orders to one saga share.
struct OrderArguments: ParsableArguments {
    @OptionGroup var global: GlobalOptions
    @Argument(help: "The saga's id.") var id: String
    @Option(help: "The step that is meant.") var step: String?
    @Option(help: ArgumentHelp("Why; kept in the saga's log.", valueName: "text")) var reason: String?
    @Option(help: "Who; kept in the saga's log. Default: the user's name.") var by: String?

    /// Gives the order, and waits for the coordinator's answer.
    func give(_ operation: Order.Operation, result: [UInt8]? = nil) async throws {
        let user = ProcessInfo.processInfo.environment["USER"] ?? NSUserName()
        let message = ControlMessage(
            saga: id, operation: operation, step: step, result: result, reason: reason, by: by ?? user)
        try await global.withClient { client in
            guard Names.isSagaID(id) else { throw fail("'\(id)' is no saga id") }
            if let refusal = try await client.order(message) {
                throw fail("\(operation.rawValue) of '\(id)' was refused: \(refusal)")
            }
            if global.json {
                printJSON { writer in
                    writer.beginObject()
                    writer.field("id", id)
                    writer.field("operation", operation.rawValue)
                    writer.field("status", "accepted")
                    writer.endObject()
                }
            } else {
                print("accepted: \(operation.rawValue) \(id)")
            }
        }
    }
}

struct Cancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn a saga back: compensate what was done. Refused once the pivot is due.")
    @OptionGroup var order: OrderArguments
    func run() async throws { try await order.give(.cancel) }
}

struct Pause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Send nothing more for a saga until 'resume'.")
    @OptionGroup var order: OrderArguments
    func run() async throws { try await order.give(.pause) }
}

struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let a paused saga go on; alarms catch up.")
    @OptionGroup var order: OrderArguments
    func run() async throws { try await order.give(.resume) }
}

struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give stuck or waiting steps a fresh set of attempts, at once.")
    @OptionGroup var order: OrderArguments
    func run() async throws { try await order.give(.retry) }
}

struct Skip: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Declare a step done by hand (with --step).")
    @OptionGroup var order: OrderArguments
    @Option(help: ArgumentHelp("The result that later steps need: JSON, @FILE or -.", valueName: "json"))
    var result: String?
    func run() async throws { try await order.give(.skip, result: try result.map { try payload($0, "--result") }) }
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
