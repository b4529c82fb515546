import SagaCore
import SagaExplorer

/// Visits every state of small sagas, then shows what each safety rule is good for.
struct Exploring {
    static let usage = """
        usage: saga-properties explore [--model WORDS] [--rewinds N] [--limit STATES] [--without RULE]
          --without RULE  leaves a safety rule out, and tells what comes of it: \
        \(Safeguards.named.map(\.name).joined(separator: ", "))
        """

    private var models: [ExploredModel]
    private var limit = 4_000_000
    private var isWhole = true

    init(_ arguments: ArraySlice<String>) throws {
        models = try ExploredModel.all()
        var rest = arguments
        while let option = rest.popFirst() {
            let argument = rest.popFirst()
            isWhole = false
            switch (option, argument) {
            case ("--model", let words?): models.removeAll { !$0.name.contains(words) }
            case ("--rewinds", let text?):
                for index in models.indices { models[index].rewinds = Int(text) ?? models[index].rewinds }
            case ("--limit", let text?): limit = Int(text) ?? limit
            case ("--without", let name?):
                guard let rule = Safeguards.named.first(where: { $0.name == name })?.rule else {
                    fail("there is no rule '\(name)'\n\(Self.usage)", code: 64)
                }
                models = try ExploredModel.small().map { $0.without(rule) }
            default: fail("\(option) with \(argument ?? "nothing") means nothing\n\(Self.usage)", code: 64)
            }
        }
    }

    func run() async throws {
        let start = ContinuousClock.now
        var (states, transitions) = (0, 0)
        for model in models {
            let outcome = await Explorer(model, limit: limit).run()
            states += outcome.states
            transitions += outcome.transitions
            report(model, outcome)
        }
        print("\(states) states, \(transitions) transitions, \((ContinuousClock.now - start).formatted) s")
        if isWhole { try await sabotage() }
    }

    private func report(_ model: ExploredModel, _ outcome: Explorer.Outcome) {
        let verdict = outcome.finding == nil ? (outcome.isCut ? "holds as far as the limit" : "holds") : "BROKEN"
        print(
            """
            \(model.name.padded(26)) \(model.rewinds) rewinds \("\(outcome.states)".padded(8, isRight: true)) states \
            \("\(outcome.transitions)".padded(9, isRight: true)) transitions  depth \
            \("\(outcome.depth)".padded(2, isRight: true)) \(outcome.time.formatted.padded(5, isRight: true)) s  \(verdict)
            """)
        guard let finding = outcome.finding else { return }
        print(finding.trace.joined(separator: "\n"))
        fail("\(model.name): \(finding.reason)", code: 1)
    }

    /// Leaves out one rule after the other.
    private func sabotage() async throws {
        let start = ContinuousClock.now
        var missed: [String] = []
        print("\nwithout                in                         states  steps  comes to")
        for sabotage in Sabotage.all {
            let name = sabotage.name.padded(22)
            if let result = try await sabotage.run() {
                print(
                    """
                    \(name) \(result.model.name.padded(24)) \("\(result.states)".padded(8, isRight: true)) \
                    \("\(result.finding.steps)".padded(6, isRight: true))  \(result.finding.reason)
                    """)
            } else if sabotage.isExplorers {
                print("\(name) NOTHING")
                missed.append(sabotage.name)
            } else {
                print("\(name) nothing: left to the simulator of the orchestrator")
            }
        }
        print("\((ContinuousClock.now - start).formatted) s")
        guard missed.isEmpty else {
            fail("nothing shows what \(missed.joined(separator: ", ")) is good for", code: 1)
        }
    }
}

extension String {
    fileprivate func padded(_ width: Int, isRight: Bool = false) -> String {
        let room = String(repeating: " ", count: max(0, width - count))
        return isRight ? room + self : self + room
    }
}
