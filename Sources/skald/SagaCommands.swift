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
        for label in labels {
            let (name, value) = try nameAndValue(label, "--label")
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
            guard let view = try await client.saga(id) else { throw fail("there is no saga '\(id)'") }
            if global.json {
                printJSON { view.write(to: &$0) }
            } else {
                print(view.text)
            }
        }
    }
}

/// Lists sagas.
struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List sagas, newest first.")

    @OptionGroup var global: GlobalOptions
    @Option(help: "scheduled, running, compensating, completed, compensated or stuck.") var status: String?
    @Option(help: "Of this definition only.") var definition: String?
    @Option(help: ArgumentHelp("With this label only.", valueName: "name=value")) var label: String?
    @Option(help: "How many at most.") var limit = 50

    func run() async throws {
        var filter = SagaFilter(definition: definition)
        if let status {
            guard let status = Saga.Status(rawValue: status) else {
                let all = Saga.Status.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--status takes one of \(all)")
            }
            filter.status = status
        }
        if let label {
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw ValidationError("--label takes NAME=VALUE, not '\(label)'") }
            filter.labels = [String(parts[0]): String(parts[1])]
        }
        guard limit > 0 else { throw ValidationError("--limit takes a number from 1") }
        try await global.withClient { [filter] client in
            let views = try await client.list(filter, limit: limit)
            if global.json {
                for view in views { printJSON { view.writeSummary(to: &$0) } }
                return
            }
            let rows = views.map { view in
                [
                    view.saga.id, view.saga.definition.id, view.saga.status.rawValue,
                    Terminal.time(view.saga.startedAt), view.saga.error ?? "",
                ]
            }
            print(Terminal.table(["ID", "DEFINITION", "STATUS", "STARTED", "ERROR"], rows))
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

/// A duration of an option.
func milliseconds(_ text: String, _ option: String) throws -> Milliseconds {
    guard let span = DurationText.parse(text) else {
        throw ValidationError("\(option) takes a duration such as 250ms, 30s, 15m, 48h or 7d, not '\(text)'")
    }
    return span
}

/// An instant of an option.
func instant(_ text: String, _ option: String) throws -> Milliseconds {
    let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard let instant = isNumber ? Milliseconds(text) : InstantText.parse(text) else {
        throw ValidationError(
            "\(option) takes a time such as 2026-12-24T18:00:00Z, or Unix milliseconds, not '\(text)'")
    }
    return instant
}

/// A payload: JSON as it was written, or whatever a file or standard input holds.
func payload(_ text: String, _ option: String) throws -> [UInt8] {
    if text == "-" { return Array(FileHandle.standardInput.readDataToEndOfFile()) }
    guard text.hasPrefix("@") else {
        do {
            _ = try JSON.parse(Array(text.utf8))
        } catch {
            throw ValidationError("\(option) takes JSON, @FILE or -: \(error)")
        }
        return Array(text.utf8)
    }
    let file = String(text.dropFirst())
    guard let content = FileManager.default.contents(atPath: file) else {
        throw fail("the file '\(file)' cannot be read")
    }
    return Array(content)
}
