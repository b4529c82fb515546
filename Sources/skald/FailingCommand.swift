import ArgumentParser
import Foundation
import SagaClient
import SagaCore
import SagaWire

/// Lists the steps that fail.
struct Failing: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the steps that have failed and wait for their next attempt, or are stuck, longest first.")

    @OptionGroup var global: GlobalOptions
    @Option(help: "Of this definition only.") var definition: String?
    @Option(help: "Of this service only.") var service: String?
    @Option(help: "How many at most.") var limit = 1_000

    func run() async throws {
        guard limit > 0 else { throw ValidationError("--limit takes a number from 1") }
        var longest = LongestFailing(limit: limit)
        try await global.withClient { client in
            try await client.failing(definition: definition, service: service) { longest.insert($0) }
        }
        let steps = longest.sorted
        if global.json {
            for step in steps { printJSON { step.write(to: &$0) } }
        } else if steps.isEmpty {
            print("nothing fails")
        } else {
            print(
                Terminal.table(
                    ["ID", "STEP", "PHASE", "STATE", "TRIES", "SINCE", "NEXT ATTEMPT", "ERROR"], steps.map(\.row)))
        }
        guard longest.count > steps.count else { return }
        FileHandle.standardError.write(
            Data("\(longest.count - steps.count) more are left out; --limit takes a greater number\n".utf8))
    }
}

extension FailingStep {
    fileprivate var row: [String] {
        [
            saga, step + (item.map { "#\($0)" } ?? ""), phase.rawValue, state.rawValue, String(attempts),
            Terminal.time(since),
            Terminal.time(nextAttemptAt), error ?? "",
        ]
    }
}

/// The steps that fail for the longest time, of all that are shown to it. Holds twice as many as it shows at most.
private struct LongestFailing {
    let limit: Int
    private(set) var count = 0
    private var steps: [FailingStep] = []

    init(limit: Int) {
        self.limit = limit
    }

    var sorted: [FailingStep] {
        Array(
            steps.sorted { ($0.since, $0.saga, $0.step, $0.item ?? 0) < ($1.since, $1.saga, $1.step, $1.item ?? 0) }
                .prefix(limit))
    }

    mutating func insert(_ step: FailingStep) {
        count += 1
        steps.append(step)
        if steps.count / 2 >= limit { steps = sorted }
    }
}
