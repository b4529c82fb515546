import ArgumentParser
import Foundation
import SagaClient
import SagaCore

/// Lists sagas.
struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List sagas, newest first.",
        discussion: """
            TIME is Unix milliseconds, an instant such as 2026-12-24T18:00:00Z, or how long ago: 90s, 2h, 7d. With --json, \
            the cursor of the next page goes to standard error.
            """)

    @OptionGroup var global: GlobalOptions
    @Option(help: "scheduled, running, compensating, completed, compensated or stuck.") var status: String?
    @Option(help: "Of this definition only.") var definition: String?
    @Option(
        name: .customLong("label"),
        help: ArgumentHelp("With this label only; several times: with all of them.", valueName: "name=value"))
    var labels: [String] = []
    @Option(help: ArgumentHelp("Started then or later.", valueName: "time")) var since: String?
    @Option(help: ArgumentHelp("Started before.", valueName: "time")) var until: String?
    @Option(help: "How many at most.") var limit = 50
    @Option(help: "Where the page before says that the next one begins.") var cursor: String?

    func run() async throws {
        let (filter, place) = (try filter(now: Milliseconds(Date.now.timeIntervalSince1970 * 1_000)), try place())
        guard limit > 0 else { throw ValidationError("--limit takes a number from 1") }
        try await global.withClient { client in
            let page = try await client.list(filter, after: place, limit: limit)
            let hint = page.next.map { "there is more: add --cursor \($0)" }
            if global.json {
                for saga in page.sagas { printJSON { saga.write(to: &$0) } }
                if let hint { FileHandle.standardError.write(Data("skald: \(hint)\n".utf8)) }
                return
            }
            let rows = page.sagas.map { saga in
                [
                    saga.id, "\(saga.definition)@\(saga.version)", saga.status.rawValue,
                    Terminal.time(saga.startedAt), Terminal.time(saga.finishedAt),
                ]
            }
            print(Terminal.table(["ID", "DEFINITION", "STATUS", "STARTED", "FINISHED"], rows))
            if let hint { print(hint) }
        }
    }

    private func filter(now: Milliseconds) throws -> SagaFilter {
        var filter = SagaFilter(definition: definition)
        if let status {
            guard let status = Saga.Status(rawValue: status) else {
                let all = Saga.Status.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--status takes one of \(all)")
            }
            filter.status = status
        }
        for text in labels {
            let (name, value) = try label(text)
            guard filter.labels.updateValue(value, forKey: name) ?? value == value else {
                throw ValidationError("--label \(name) is given twice, and no saga has two values of one label")
            }
        }
        filter.since = try since.map { try instant($0, "--since", now: now) }
        filter.until = try until.map { try instant($0, "--until", now: now) }
        return filter
    }

    private func place() throws -> SagaCursor? {
        guard let cursor else { return nil }
        guard let place = SagaCursor(cursor) else {
            throw ValidationError("--cursor takes what the page before ends with, not '\(cursor)'")
        }
        return place
    }
}
