import SagaCore

/// A partition's sagas among unreliable messengers: commands and answers are delayed, doubled, reordered and lost,
/// participants refuse and stumble, operators meddle, and the log loses its newest entries. Then the faults stop, and
/// every saga has to end all-or-nothing.
package struct World {
    struct Message {
        var saga: Int
        var dispatch: Dispatch
        var era: Int64
    }

    struct Answer {
        var saga: Int
        var reply: Reply
        var era: Int64
    }

    /// Where a participant's record of a saga belongs.
    struct Place: Hashable {
        var saga: Int
        var step: Int
        var item: Int?
    }

    /// One saga, and what is known about it from outside.
    struct Run {
        var saga: Saga
        var books: AttemptBooks
        /// For each step, those that come after it, directly or not.
        let dependents: [[Int]]
        /// Steps whose action (0) or compensation (1) an operator tried again in vain, or will have.
        var retried: Set<[Int]> = []
        /// Of a child saga.
        let parent: (index: Int, step: Int)?
        /// Whether the start of this child saga was lost.
        var isGone = false
        /// The end of a replicated saga that somebody was told, be it in what was lost.
        var told: Saga.Status?
    }

    /// The partition's history: an entry, and whose it is.
    struct Written {
        var saga: Int
        var entry: LogEntry
        /// Which atomic change it belongs to: entries of one are lost together.
        var change: Int
    }

    var runs: [Run] = []
    var history: [Written] = []
    /// The history is not cut below this: under durability `replicated` a pivot goes out only when that is safe.
    var safeLength = 1
    var commands: [Message] = []
    var answers: [Answer] = []
    var participants: [Place: Participant] = [:]
    private static let beginning: Milliseconds = 1_000_000
    var now = Self.beginning
    var era: Int64 = 1
    var signalsSent = 0
    /// Whether an operator's word or a signal decided something, be it in what was lost.
    var isMeddled = false
    private var change = 0
    private var isChangeIrrevocable = false
    let flaw: Flaw?
    package internal(set) var tally = Tally()
    package var isTracing = false
    package internal(set) var trace: [String] = []
    let sagaCase: SagaCase
    private let definition: Definition
    /// The definitions of child sagas, by their names.
    let children: [String: Definition]

    package init(_ sagaCase: SagaCase, _ definitions: SagaCase.Definitions, flaw: Flaw? = nil) {
        self.sagaCase = sagaCase
        definition = definitions.own
        children = definitions.children
        self.flaw = flaw
    }

    package mutating func run(_ choices: [Choice]) throws(Violation) {
        try start()
        for choice in choices {
            if isTracing { trace.append(choice.source) }
            try perform(choice)
        }
        if isTracing { trace.append("the faults stop") }
        try settle()
        for index in runs.indices {
            try audit(index)
            try checkReplay(of: index)
        }
        // Whatever is still under way arrives after the end, and changes nothing.
        while !commands.isEmpty || !answers.isEmpty {
            try deliverNext()
        }
        tally.sagas += 1
        tally.children += runs.count - 1
        for index in runs.indices {
            try audit(index)
            if runs[index].isGone { continue }
            if runs[index].saga.status == .completed { tally.completed += 1 } else { tally.compensated += 1 }
        }
    }

    private mutating func start() throws(Violation) {
        let started = Started(
            definition: definition.name, version: definition.version, era: era,
            isAfterRewind: sagaCase.isAfterRewind, notBefore: sagaCase.startDelay.map { now + $0 },
            isReplicated: sagaCase.isReplicated,
            input: Array(sagaCase.input.utf8))
        try atomically { (world) throws(Violation) in
            try world.enter(world.sagaCase.id, world.definition, started, parent: nil)
        }
        safeLength = history.count
    }

    /// Makes a saga, perhaps one whose earlier start was lost.
    mutating func enter(
        _ id: String, _ definition: Definition, _ started: Started, parent: (index: Int, step: Int)?
    ) throws(Violation) {
        var directives: [Directive] = []
        let saga = Saga(id: id, definition: definition, started: started, at: now, directives: &directives)
        let run = Run(
            saga: saga, books: AttemptBooks(steps: definition.steps.count),
            dependents: Self.dependents(of: definition), parent: parent)
        let index = runs.firstIndex { $0.saga.id == id } ?? runs.count
        if index < runs.count { runs[index] = run } else { runs.append(run) }
        let entry = LogEntry(index: 0, at: now, fact: .started(started))
        try take(Transition(after: saga, entry: entry, directives: directives), of: index)
    }

    /// For each step, those that come after it, directly or not.
    private static func dependents(of definition: Definition) -> [[Int]] {
        definition.steps.indices.map { step in
            var found: Set<Int> = []
            var open = [step]
            while let next = open.popLast() {
                for later in definition.steps.indices where definition.steps[later].after.contains(next) {
                    if found.insert(later).inserted { open.append(later) }
                }
            }
            return found.sorted()
        }
    }

    /// Lets a saga decide; writes, checks and carries out what comes of it, in one change with all that follows.
    mutating func feed(_ event: Event, to index: Int) throws(Violation) {
        guard !runs[index].isGone else { return }
        try atomically { (world) throws(Violation) in _ = try world.tell(event, to: index) }
        // Replaying all of it after every fact would take time by the square of its length.
        if history.count % 32 == 0 { try checkReplay(of: index) }
    }

    mutating func atomically(_ body: (inout World) throws(Violation) -> Void) throws(Violation) {
        change += 1
        isChangeIrrevocable = false
        try body(&self)
        if isChangeIrrevocable { safeLength = history.count }
    }

    /// Lets a saga decide as part of a change.
    @discardableResult
    mutating func tell(_ event: Event, to index: Int) throws(Violation) -> Decision {
        try catchUp(index)
        let decision = runs[index].saga.decide(event, at: now)
        if case .accept(let fact) = decision { try record(fact, of: index) }
        return decision
    }

    mutating func record(_ fact: Fact, of index: Int) throws(Violation) {
        let before = runs[index].saga
        let entry = LogEntry(index: before.entryCount, at: now, fact: fact)
        var directives: [Directive] = []
        runs[index].saga.evolve(entry, directives: &directives)
        try take(
            Transition(before: before, after: runs[index].saga, entry: entry, directives: directives), of: index)
    }

    private mutating func take(_ transition: Transition, of index: Int) throws(Violation) {
        history.append(Written(saga: index, entry: transition.entry, change: change))
        if isTracing {
            trace.append(
                "  \(now - Self.beginning) ms, \(runs[index].saga.id), entry \(transition.entry.index): \(transition.entry.fact.traceText)"
            )
        }
        for directive in transition.directives where isTracing { trace.append("    \(directive.traceText)") }
        runs[index].books.record(transition)
        switch transition.entry.fact {
        case .ordered(let order) where order.operation == .skip: isMeddled = true
        case .signaled: isMeddled = true
        default: break
        }
        try check(transition, of: index)
        try noteEnd(transition, of: index)
        count(transition)
        if isIrrevocable(transition) { isChangeIrrevocable = true }
        try execute(transition.directives, of: index)
    }

    /// Whether the entry must not be lost: the one that makes the pivot due and, as no participant has a record of it,
    /// the one by which an operator declares the pivot done.
    private func isIrrevocable(_ transition: Transition) -> Bool {
        // One that waits for confirmations sees to that itself.
        guard let pivot = transition.after.definition.pivot, !transition.after.started.isReplicated else {
            return false
        }
        let was = transition.before?.steps[pivot].action.status ?? .none
        let now = transition.after.steps[pivot].action.status
        // A child saga without a pivot of its own can turn back again when its completion is lost.
        let isChildDone = transition.after.definition.steps[pivot].isChild && was != .succeeded && now == .succeeded
        return was == .none && now != .none || was != .skipped && now == .skipped || isChildDone
    }

    private mutating func count(_ transition: Transition) {
        tally.facts += 1
        if transition.after.status == .stuck, transition.before?.status != .stuck { tally.stuck += 1 }
        for index in transition.after.steps.indices {
            let (was, now) = (transition.before?.steps[index], transition.after.steps[index])
            if now.action.status == .omitted, was?.action.status != .omitted { tally.omitted += 1 }
            tally.items += now.items.count - (was?.items.count ?? 0)
        }
        switch transition.entry.fact {
        case .ordered(let order) where order.operation == .skip: tally.skipped += 1
        case .signaled: tally.signals += 1
        default: break
        }
    }

    /// The saga and the books that the surviving history gives.
    func replayed(_ index: Int, isDoubled: Bool = false) throws(Violation) -> (saga: Saga, books: AttemptBooks) {
        let definition = runs[index].saga.definition
        var books = AttemptBooks(steps: definition.steps.count)
        var saga: Saga?
        for written in history where written.saga == index {
            let before = saga
            var directives: [Directive] = []
            if case .started(let started) = written.entry.fact {
                saga = Saga(
                    id: runs[index].saga.id, definition: definition, started: started, at: written.entry.at,
                    directives: &directives)
            } else {
                saga?.evolve(written.entry, directives: &directives)
            }
            if isDoubled { saga?.evolve(written.entry, directives: &directives) }
            guard let after = saga else { break }
            books.record(Transition(before: before, after: after, entry: written.entry, directives: directives))
        }
        guard let saga else { throw Violation(rule: .replay, details: "no start") }
        return (saga, books)
    }
}
