package import SagaCore

/// One safety rule left out, and what comes of it.
package struct Sabotage: Sendable {
    package struct Result: Sendable {
        /// The model that showed the absence of the rule.
        package let model: ExploredModel
        /// Situations visited, in this model and in those before it.
        package let states: Int
        package let finding: Explorer.Finding
    }

    package let name: String
    package let rule: Safeguards

    /// Whether the rule is one that the explorer has to miss. What it leaves to the simulator of the whole orchestrator
    /// are the store's checks: in its world a commit is a commit.
    package var isExplorers: Bool { rule.isDisjoint(with: [.epochChecked, .sequenceChecked]) }

    /// One for each rule.
    package static var all: [Sabotage] { Safeguards.named.map { Sabotage(name: $0.name, rule: $0.rule) } }

    /// Goes through the small models till one comes to a situation that must not be; nil where none does.
    package func run(limit: Int = 200_000) async throws -> Result? {
        var states = 0
        for model in try ExploredModel.small() {
            let model = model.without(rule)
            let outcome = await Explorer(model, limit: limit).run()
            states += outcome.states
            if let finding = outcome.finding { return Result(model: model, states: states, finding: finding) }
        }
        return nil
    }
}
