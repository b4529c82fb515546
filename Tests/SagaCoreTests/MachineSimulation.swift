import SagaCore
import TestSupport

/// One saga among unreliable messengers: commands and replies are delayed, doubled, reordered and lost, participants
/// refuse and stumble, operators meddle, and the log loses its newest entries. Then the faults stop, and the saga has to
/// end all-or-nothing.
///
/// The participants keep the barrier's rules in a model of their own, written down once more from the protocol.
struct MachineSimulation {
    struct Violation: Error, CustomStringConvertible {
        var description: String
    }

    private struct Message {
        var step: Int
        var phase: Phase
        var attempt: Int
        var era: Int64
        var isEffectKnown: Bool
    }

    private struct Answer {
        var reply: Reply
        var era: Int64
    }

    /// What one participant has recorded of the saga, and what its database shows.
    private struct Participant {
        var era: Int64 = 0
        var action: Reply.Outcome?
        var compensation: Reply.Outcome?
        var effects = 0
    }

    private var random: SeededRandom
    private let definition: Definition
    private var saga: Saga
    private var log: [LogEntry]
    private var commands: [Message] = []
    private var answers: [Answer] = []
    private var participants: [Participant]
    private var now: Milliseconds = 1_000_000
    private var era: Int64 = 1
    private var hasFaults = true
    private var rewindsLeft: Int
    /// The log may not be cut below this: under durability `replicated` a pivot goes out only when that is safe.
    private var safeLength = 1
    private(set) var trace: [String] = []

    init(seed: UInt64) throws {
        random = SeededRandom(seed: seed)
        definition = try Self.randomDefinition(&random)
        participants = Array(repeating: Participant(), count: definition.steps.count)
        rewindsLeft = Int.random(in: 0...2, using: &random)
        let started = Started(definition: definition.name, version: 1, era: era)
        var directives: [Directive] = []
        saga = Saga(id: "s-\(seed)", definition: definition, started: started, at: now, directives: &directives)
        log = [LogEntry(index: 0, at: now, fact: .started(started))]
        try execute(directives)
    }

    private static func randomDefinition(_ random: inout SeededRandom) throws -> Definition {
        let count = Int.random(in: 1...5, using: &random)
        let hasPivot = random.chance(0.4)
        let pivot = hasPivot ? Int.random(in: 0..<count, using: &random) : count
        let steps = (0..<count).map { index in
            var step = StepDraft(
                name: "s\(index)", service: "v\(index)", action: "do",
                compensation: index < pivot ? .operation("undo") : .absent, timeout: 1_000, isPivot: index == pivot)
            if index != pivot {
                step.retry = RetryPolicyDraft(attempts: index < pivot ? Int.random(in: 1...4, using: &random) : nil)
            }
            if random.chance(0.2), index < pivot { step.compensationRetry = RetryPolicyDraft(attempts: 3) }
            if !hasPivot, random.chance(0.5) {
                step.after = (0..<index).filter { _ in random.chance(0.5) }.map { "s\($0)" }
            }
            return step
        }
        return try Definition(
            validating: DefinitionDraft(
                name: "random", version: 1, deadline: random.chance(0.3) ? 20_000 : nil,
                order: random.chance(0.2) ? .parallel : nil, whenStuck: random.chance(0.3) ? .hold : nil, steps: steps))
    }

    mutating func run() throws {
        for _ in 0..<Int.random(in: 5...80, using: &random) where !saga.status.isFinal { try chaos() }
        hasFaults = false
        trace.append("-- faults stop")
        if saga.isPaused { try feed(.order(Order(.resume))) }
        for _ in 0..<2_000 where !saga.status.isFinal { try calm() }
        guard saga.status.isFinal else { throw Violation(description: "the saga does not end: \(saga.status)") }
        try audit()
        // Whatever is still under way arrives after the end, and changes nothing.
        while let message = commands.popLast() { execute(message) }
        try audit()
    }

    // MARK: What happens

    private mutating func chaos() throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<40: deliverCommand()
        case 40..<80: try deliverAnswer()
        case 80..<92:
            now += Int64.random(in: 0...3_000, using: &random)
            try feed(.tick)
        case 92..<97: try feed(.order(randomOrder()))
        default: try rewind()
        }
    }

    private mutating func calm() throws {
        if !commands.isEmpty {
            deliverCommand()
        } else if !answers.isEmpty {
            try deliverAnswer()
        } else if saga.status == .stuck {
            try feed(.order(Order(.retry)))
        } else if let alarm = saga.nextAlarm {
            now = max(now, alarm)
            try feed(.tick)
        }
    }

    private mutating func randomOrder() -> Order {
        let step = definition.steps.indices.randomElement(using: &random).map { definition.steps[$0].name }
        // Not `skip`: what an operator declares done by hand is not in the participants' books.
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return Order(.cancel)
        case 1: return Order(.pause)
        case 2: return Order(.resume)
        default: return Order(.retry, step: random.chance(0.5) ? step : nil)
        }
    }

    private mutating func rewind() throws {
        guard rewindsLeft > 0 else { return }
        rewindsLeft -= 1
        let length = Int.random(in: safeLength...max(safeLength, log.count), using: &random)
        log.removeSubrange(length...)
        saga = try replayed()
        era += Int64.random(in: 1...1_000, using: &random)
        trace.append("rewind to \(length) entries, era \(era)")
        try feed(.rewind(era: era))
    }

    private mutating func feed(_ event: Event) throws {
        guard case .accept(let fact) = saga.decide(event, at: now) else { return }
        let entry = LogEntry(index: saga.entryCount, at: now, fact: fact)
        trace.append("\(entry.index) \(fact)")
        log.append(entry)
        var directives: [Directive] = []
        saga.evolve(entry, directives: &directives)
        try execute(directives)
        guard try replayed() == saga else { throw Violation(description: "the log gives another saga") }
    }

    private func replayed() throws -> Saga {
        guard case .started(let started) = log[0].fact else { throw Violation(description: "no start") }
        var ignored: [Directive] = []
        var saga = Saga(
            id: self.saga.id, definition: definition, started: started, at: log[0].at, directives: &ignored)
        for entry in log.dropFirst() { saga.evolve(entry, directives: &ignored) }
        return saga
    }

    private mutating func execute(_ directives: [Directive]) throws {
        for directive in directives {
            guard case .send(let dispatch) = directive else { continue }
            trace.append("send \(dispatch.phase) s\(dispatch.step) attempt \(dispatch.attempt) era \(saga.era)")
            try check(dispatch)
            if dispatch.step == definition.pivot { safeLength = log.count }
            commands.append(
                Message(
                    step: dispatch.step, phase: dispatch.phase, attempt: dispatch.attempt, era: saga.era,
                    isEffectKnown: dispatch.isEffectKnown))
        }
    }

    /// Rules that every command keeps.
    private func check(_ dispatch: Dispatch) throws {
        if saga.isPaused, !saga.isVerifying { throw Violation(description: "a command during a pause") }
        guard dispatch.phase == .compensation else { return }
        let step = definition.steps[dispatch.step]
        if step.isAfterPivot || dispatch.step == definition.pivot {
            throw Violation(description: "a compensation of the pivot or of a step after it")
        }
        if !saga.compensatesAll, [.failed, .none].contains(saga.steps[dispatch.step].action.status) {
            throw Violation(description: "a compensation of a step that left no effect")
        }
        // One that was begun while a later one was stuck goes on when that is tried again.
        guard definition.order == .reverse, dispatch.attempt == 1 else { return }
        for later in definition.steps.indices where definition.steps[later].after.contains(dispatch.step) {
            let status = saga.steps[later].compensation.status
            if status == .running || status == .waiting || status == .pending {
                throw Violation(description: "a step is undone before one that depends on it")
            }
        }
    }

    // MARK: Participants

    private mutating func deliverCommand() {
        guard let index = commands.indices.randomElement(using: &random) else { return }
        let message = commands[index]
        if !(hasFaults && random.chance(0.2)) { commands.remove(at: index) }
        if hasFaults, random.chance(0.1) { return }
        execute(message)
    }

    private mutating func deliverAnswer() throws {
        guard let index = answers.indices.randomElement(using: &random) else { return }
        let answer = answers[index]
        if !(hasFaults && random.chance(0.2)) { answers.remove(at: index) }
        if hasFaults, random.chance(0.1) { return }
        if answer.era == era { try feed(.reply(answer.reply)) }
    }

    private mutating func execute(_ message: Message) {
        var participant = participants[message.step]
        guard message.era >= participant.era else { return }
        participant.era = message.era
        let (outcome, code) = answer(message, &participant)
        participants[message.step] = participant
        trace.append("v\(message.step) \(message.phase) -> \(outcome) \(code ?? "")")
        let reply = Reply(
            step: definition.steps[message.step].name, phase: message.phase, attempt: message.attempt,
            outcome: outcome, code: code)
        answers.append(Answer(reply: reply, era: message.era))
    }

    private mutating func answer(_ message: Message, _ participant: inout Participant) -> (Reply.Outcome, String?) {
        switch message.phase {
        case .action:
            if participant.compensation != nil { return (.failed, "late") }
            if let recorded = participant.action { return (recorded, nil) }
            // After the pivot a refusal is for good, and no retry of an operator's can change it: not simulated.
            let outcome = business(mayRefuse: !definition.steps[message.step].isAfterPivot)
            guard outcome != .retry else { return (.retry, nil) }
            participant.action = outcome
            if outcome == .succeeded { participant.effects += 1 }
            return (outcome, nil)
        case .compensation:
            if participant.compensation == .succeeded { return (.succeeded, nil) }
            if participant.action != .succeeded {
                if message.isEffectKnown, participant.action == nil { return (.failed, "record-missing") }
                participant.compensation = .succeeded
                return (.succeeded, nil)
            }
            let outcome = business(mayRefuse: true)
            guard outcome != .retry else { return (.retry, nil) }
            participant.compensation = outcome
            if outcome == .succeeded { participant.effects -= 1 }
            return (outcome, nil)
        }
    }

    private mutating func business(mayRefuse: Bool) -> Reply.Outcome {
        guard hasFaults else { return .succeeded }
        switch Int.random(in: 0..<10, using: &random) {
        case 0: return mayRefuse ? .failed : .retry
        case 1, 2: return .retry
        default: return .succeeded
        }
    }

    // MARK: The end

    private func audit() throws {
        let effects = participants.map(\.effects)
        let expected = saga.status == .completed ? 1 : 0
        guard effects.allSatisfy({ $0 == expected }) else {
            throw Violation(description: "\(saga.status) with effects \(effects)")
        }
    }
}
