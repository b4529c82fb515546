import ArgumentParser
import Foundation
import SagaClient
import SagaCore
import SagaWire

/// Starts a saga.
struct Start: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start a saga, and print its id.",
        discussion: "Starting is idempotent by the id: the same start again changes nothing.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The definition's name.") var definition: String
    @Option(help: "The saga's id. Default: a random one.") var id: String?
    @Option(help: ArgumentHelp("The input: JSON, @FILE, or - for standard input.", valueName: "json"))
    var input = "{}"
    @Option(help: "The definition's version. Default: the highest registered.") var version: Int?
    @Option(help: ArgumentHelp("Time for the whole saga.", valueName: "duration")) var deadline: String?
    @Option(name: .customLong("label"), help: ArgumentHelp("A label, any number of times.", valueName: "name=value"))
    var labels: [String] = []
    @Option(name: .customLong("in"), help: ArgumentHelp("Time to wait before the start.", valueName: "duration"))
    var delay: String?
    @Option(
        help: ArgumentHelp(
            "When to start: RFC 3339, as 2026-12-24T18:00:00+01:00, or Unix milliseconds.", valueName: "time"))
    var at: String?
    @Flag(help: "Wait for the end, and exit as 'wait' does.") var wait = false
    @Option(help: ArgumentHelp("Longest wait.", valueName: "duration")) var timeout = "1h"

    func run() async throws {
        var message = StartMessage(
            saga: id ?? UUID().uuidString.lowercased(), definition: definition, version: version,
            input: try payload(input, "--input"), deadline: try deadline.map { try milliseconds($0, "--deadline") })
        guard Names.isName(definition) else { throw fail("'\(definition)' is no definition's name") }
        for text in labels {
            let (name, value) = try label(text)
            message.labels[name] = value
        }
        guard at == nil || delay == nil else { throw ValidationError("either --at or --in, not both") }
        message.at = try at.map { try instant($0, "--at") }
        let delay = try delay.map { try milliseconds($0, "--in") }
        let limit = try milliseconds(timeout, "--timeout")
        try await global.withClient { [message] client in
            var message = message
            // On the clock that the coordinator goes by.
            if let delay { message.at = try await client.serverTime().adding(delay) }
            guard wait else {
                try await client.start(message)
                if global.json {
                    printJSON { writer in
                        writer.beginObject()
                        writer.field("id", message.saga)
                        writer.endObject()
                    }
                } else {
                    print(message.saga)
                }
                return
            }
            if !global.json { print(message.saga) }
            try report(
                try await client.startAndWait(message, timeout: .milliseconds(limit)), of: message.saga, global)
        }
    }
}

/// Waits for a saga's end.
struct Wait: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Wait for a saga's end: exits 0 completed, 2 compensated, 3 stuck, 4 timed out, 1 no such saga.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The saga's id.") var id: String
    @Option(help: ArgumentHelp("Longest wait.", valueName: "duration")) var timeout = "1h"

    func run() async throws {
        let limit = try milliseconds(timeout, "--timeout")
        try await global.withClient { client in
            try report(try await client.wait(for: id, timeout: .milliseconds(limit)), of: id, global)
        }
    }
}

/// Shows a saga.
struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a saga: status, steps, attempts, errors, and its whole timeline.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The saga's id.") var id: String

    func run() async throws {
        try await global.withClient { client in
            switch try await client.lookUp(id) {
            case .saga(let view):
                if global.json {
                    printJSON { view.write(to: &$0) }
                } else {
                    print(view.text)
                }
            case .removed(let tombstone): throw fail(tombstone.reason(of: id).sentence)
            case .absent: throw fail("there is no saga '\(id)'")
            }
        }
    }
}

/// Prints how a wait ended, and exits accordingly.
private func report(_ outcome: WaitOutcome, of saga: String, _ global: GlobalOptions) throws {
    func tell(_ status: String, _ error: String?) {
        guard global.json else {
            return print(Terminal.clean(([status] + [error].compactMap(\.self)).joined(separator: ": ")))
        }
        printJSON { writer in
            writer.beginObject()
            writer.field("id", saga)
            writer.field("status", status)
            writer.field("error", error)
            writer.endObject()
        }
    }
    switch outcome {
    case .ended(let status, let error):
        tell(status.rawValue, error)
        switch status {
        case .completed: return
        case .compensated: throw ExitCode.compensated
        default: throw ExitCode.stuck
        }
    case .refused(let reason): throw fail("the start was refused: \(reason)")
    case .timedOut: throw fail("saga '\(saga)' has not ended in time", .timedOut)
    case .absent: throw fail("there is no saga '\(saga)'")
    }
}
