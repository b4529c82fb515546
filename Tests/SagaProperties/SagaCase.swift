package import SagaCore

/// One saga and all that happens to it, as plain data: what a seed makes, what a shrinker takes apart, and what a test
/// can be written down as.
package struct SagaCase: Sendable, Hashable {
    /// Seeds the backoff's jitter.
    package var id: String
    package var draft: DefinitionDraft
    /// The definitions of child sagas.
    package var children: [DefinitionDraft]
    package var input: String
    /// What steps return, in turns by their places and their items'; nothing where there is none.
    package var results: [String]
    /// The saga is to begin only after this time.
    package var startDelay: Milliseconds?
    /// Whether the partition's history had been rewound before the saga started.
    package var isAfterRewind: Bool
    /// Whether the saga waits for confirmations.
    package var isReplicated: Bool
    package var choices: [Choice]

    package init(
        id: String = "saga", draft: DefinitionDraft, children: [DefinitionDraft] = [], input: String = "",
        results: [String] = [],
        startDelay: Milliseconds? = nil, isAfterRewind: Bool = false, isReplicated: Bool = false,
        choices: [Choice]
    ) {
        self.id = id
        self.draft = draft
        self.children = children
        self.input = input
        self.results = results
        self.startDelay = startDelay
        self.isAfterRewind = isAfterRewind
        self.isReplicated = isReplicated
        self.choices = choices
    }

    package struct Definitions {
        var own: Definition
        var children: [String: Definition]
    }

    private func definitions() throws -> Definitions {
        let drafts = children.map { ($0.name, $0) }
        return Definitions(
            own: try Definition(validating: draft),
            children: try Dictionary(drafts) { first, _ in first }.mapValues { try Definition(validating: $0) })
    }

    /// Lets everything happen, then the faults stop and the saga has to end.
    ///
    /// - Throws: the first rule that is broken, or the faults of a definition that is none.
    @discardableResult
    package func run(flaw: Flaw? = nil) throws -> Tally {
        var world = World(self, try definitions(), flaw: flaw)
        try world.run(choices)
        return world.tally
    }

    /// What breaks; nil where nothing does, or where the case is none.
    package func violation(flaw: Flaw? = nil) -> Violation? {
        guard let definitions = try? definitions() else {
            // A shrinker tries drafts that keep no rules; those break none of the machine's.
            return nil
        }
        var world = World(self, definitions, flaw: flaw)
        do throws(Violation) {
            try world.run(choices)
            return nil
        } catch {
            return error
        }
    }

    /// What happened, line by line, up to the end or the violation.
    package func trace(flaw: Flaw? = nil) throws -> [String] {
        var world = World(self, try definitions(), flaw: flaw)
        world.isTracing = true
        // The violation is the caller's already; this is the way to it.
        try? world.run(choices)
        return world.trace
    }
}

/// A promise that was not kept.
package struct Violation: Error, Sendable, Hashable, CustomStringConvertible {
    package var rule: Rule
    package var details: String

    package var description: String { details.isEmpty ? rule.rawValue : "\(rule.rawValue): \(details)" }
}

/// What the machine promises, as far as the simulation can see it.
package enum Rule: String, Sendable, Hashable, CaseIterable {
    case allOrNothing = "a saga that ended did all of its steps or none"
    case oneEffect = "a step has at most one effect"
    case knownEffects = "an effect is called known only where the participant has it on record"
    case finality = "nothing changes after the end"
    case liveness = "a saga ends when the services answer"
    case waiting = "a saga that is not over waits for something"
    case replay = "the log gives the saga that wrote it"
    case actionOrder = "a step begins after those that it comes after"
    case compensationOrder = "a step is undone after those that depend on it"
    case needlessCompensation = "what left no effect is not compensated"
    case noReturn = "from the pivot on a saga goes only forward"
    case direction = "commands go in the saga's direction"
    case attempts = "attempts keep to the policy"
    case oneAttempt = "one attempt of a phase at a time"
    case lateRetry = "a retry of an earlier attempt does not count"
    case backoff = "the delay between attempts keeps to the policy"
    case timeout = "nothing rings before its time"
    case deadline = "a passed deadline turns the saga back"
    case pause = "a paused saga sends nothing"
    case verification = "during the verify round nothing else goes on"
    case settled = "what a step has come to stays"
    case ending = "an end is told when it is reached, and only then"
    case signals = "a signal counts once"
    case conditions = "a payload decides which steps are due, and which items they have"
    case codes = "an error code decides between turning back and waiting"
    case family = "a step that is a saga of its own ends as that does"
    case parallel = "a step has no more items under way than it says"
}

/// A rule of the participants that is switched off, to see that this is found.
package enum Flaw: String, Sendable, CaseIterable {
    /// No record is kept of actions: a repeated command has a second effect.
    case forgottenActions
    /// An action has its effect although its compensation came first.
    case lateActions
    /// The era of a command is not looked at.
    case ignoredEras
}

/// What a number of sagas came to.
package struct Tally: Sendable, Hashable {
    package var sagas = 0
    package var facts = 0
    package var completed = 0
    package var compensated = 0
    /// Times that a saga got stuck on its way.
    package var stuck = 0
    package var skipped = 0
    package var rewinds = 0
    package var signals = 0
    package var children = 0
    package var omitted = 0
    /// Items of `forEach` steps.
    package var items = 0

    package init() {}

    package static func += (left: inout Tally, right: Tally) {
        left.sagas += right.sagas
        left.facts += right.facts
        left.completed += right.completed
        left.compensated += right.compensated
        left.stuck += right.stuck
        left.skipped += right.skipped
        left.rewinds += right.rewinds
        left.signals += right.signals
        left.children += right.children
        left.omitted += right.omitted
        left.items += right.items
    }
}
