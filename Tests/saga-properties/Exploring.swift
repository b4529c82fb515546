import SagaCore
import SagaExplorer

/// `saga-properties explore`.
func explore(_ arguments: ArraySlice<String>) async throws {
    for model in try ExploredModel.all() {
        let outcome = await Explorer(model).run()
        print("\(model.name): \(outcome.states) states, \(outcome.transitions) transitions, depth \(outcome.depth), \(outcome.time.formatted) s")
        if let finding = outcome.finding { print(finding.reason); print(finding.trace.joined(separator: "\n")) }
    }
}
