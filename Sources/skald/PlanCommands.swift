import ArgumentParser
import SagaClient
import SagaCore
import SagaWire

/// What an order would do.
struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what an order would do.", subcommands: [PlanCancel.self])
}

struct PlanCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Show what cancelling a saga would undo, in which order and why; exits 1 where it would be refused.",
        discussion: "The steps of one wave are undone side by side, one wave after the other. Nothing is sent.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The saga's id.") var id: String

    func run() async throws {
        try await global.withClient { client in
            guard let saga = try await client.saga(id)?.saga else { throw fail("there is no saga '\(id)'") }
            let plan = saga.cancellationPlan(at: try await client.serverTime())
            if global.json {
                printJSON { writer in
                    writer.beginObject()
                    writer.field("id", saga.id)
                    writer.field("definition", saga.definition.name)
                    writer.field("version", saga.definition.version)
                    writer.field("status", saga.status.rawValue)
                    plan.writeMembers(to: &writer)
                    writer.endObject()
                }
            } else {
                print(plan.text(of: saga))
            }
            if let refusal = plan.refusal { throw fail("cancel of '\(id)' would be refused: \(refusal)") }
        }
    }
}

extension CancellationPlan {
    /// The plan for people.
    fileprivate func text(of saga: Saga) -> String {
        var lines = ["\(saga.id)   \(saga.definition.id)   \(saga.status.rawValue)"]
        if isPaused { lines.append("paused: nothing is sent before 'resume'") }
        var rows: [[String]] = []
        for (index, wave) in waves.enumerated() { rows += wave.map { $0.row(String(index + 1)) } }
        rows += blocked.map { $0.row("blocked") }
        if !rows.isEmpty {
            lines += ["", Terminal.table(["WAVE", "STEP", "SERVICE", "OPERATION", "WHY"], rows)]
        } else if refusal == nil {
            lines += ["", "nothing to undo"]
        }
        if !exempt.isEmpty {
            lines += ["", Terminal.table(["STEP", "NEEDS NOTHING:"], exempt.map { [$0.step, $0.exemption.text] })]
        }
        if refusal == nil || !rows.isEmpty { lines += ["", "in the end: \(end.rawValue)"] }
        return lines.joined(separator: "\n")
    }
}

extension CancellationPlan.Compensation {
    fileprivate func row(_ wave: String) -> [String] {
        let why = error.map { "\(cause.text); the last attempt failed: \($0)" } ?? cause.text
        return [
            wave, step + (item.map { "#\($0)" } ?? ""), service ?? "-", operation ?? "undo the child saga", why,
        ]
    }
}

extension CancellationPlan.Cause {
    fileprivate var text: String {
        switch self {
        case .succeeded: "it succeeded"
        case .unknown: "its outcome is unknown"
        case .skipped: "it was declared done by hand"
        case .stuck: "it is stuck, and an attempt may have taken effect"
        case .rewound: "it may have run: the partition's history was rewound"
        }
    }
}

extension CancellationPlan.Exemption {
    fileprivate var text: String {
        switch self {
        case .compensated: "it is undone already"
        case .notDue: "it was never due"
        case .failed: "it failed, and left no effect"
        case .noCompensation: "it has no compensation"
        case .afterPivot: "it comes after the pivot"
        case .omitted: "its condition was not met"
        case .noEffect: "it had nothing to do"
        }
    }
}
