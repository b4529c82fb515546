import SagaCore

/// What happens.
extension World {
    mutating func perform(_ choice: Choice) throws(Violation) {
        switch choice {
        case .execute(let number, let will):
            guard let place = Self.place(number, in: commands) else { return }
            try execute(commands.remove(at: place), will: will)
        case .answer(let number):
            guard let place = Self.place(number, in: answers) else { return }
            try deliver(answers.remove(at: place))
        case .loseCommand(let number):
            if let place = Self.place(number, in: commands) { commands.remove(at: place) }
        case .loseAnswer(let number):
            if let place = Self.place(number, in: answers) { answers.remove(at: place) }
        case .doubleCommand(let number):
            if let place = Self.place(number, in: commands) { commands.append(commands[place]) }
        case .doubleAnswer(let number):
            if let place = Self.place(number, in: answers) { answers.append(answers[place]) }
        case .beat(let number):
            guard let place = Self.place(number, in: commands) else { return }
            try beat(commands[place])
        case .pass(let span):
            now += span
            for index in runs.indices where !runs[index].isGone { try feed(.tick, to: index) }
        case .order(let operation, let step, let saga): try order(operation, step: step, of: saga % runs.count)
        case .signal(let number, let id, let saga): try signal(number, id: id, to: saga % runs.count)
        case .confirm(let saga): try confirm(saga % runs.count)
        case .rewind(let count): try rewind(losing: count)
        }
    }

    private static func place<Element>(_ number: Int, in elements: [Element]) -> Int? {
        elements.isEmpty ? nil : number % elements.count
    }

    /// Nothing of what there is now can be lost any more; a saga that waited for that goes on.
    mutating func confirm(_ index: Int) throws(Violation) {
        guard !runs[index].isGone else { return }
        safeLength = history.count
        try feed(.confirm(entries: runs[index].saga.entryCount), to: index)
    }

    mutating func execute(_ message: Message, will: Will) throws(Violation) {
        let dispatch = message.dispatch
        let label = dispatch.branch.label
        let place = Place(saga: message.saga, step: dispatch.step, item: dispatch.item)
        var participant = participants[place, default: Participant()]
        let answer = try participant.execute(dispatch, era: message.era, will: will, flaw: flaw)
        participants[place] = participant
        guard (0...1).contains(participant.effects) else {
            throw Violation(rule: .oneEffect, details: "\(label) has \(participant.effects)")
        }
        guard let (outcome, code) = answer else {
            if isTracing { trace.append("    \(runs[message.saga].saga.id) \(label): stale") }
            return
        }
        if isTracing {
            trace.append(
                "    \(runs[message.saga].saga.id) \(label) \(dispatch.phase.rawValue) \(dispatch.attempt): \(outcome.rawValue) \(code ?? "")"
            )
        }
        let isDone = dispatch.phase == .action && outcome == .succeeded
        let result = isDone ? self.result(of: dispatch.branch) : nil
        let reply = Reply(
            step: runs[message.saga].saga.definition.steps[dispatch.step].name, item: dispatch.item,
            phase: dispatch.phase, attempt: dispatch.attempt, outcome: outcome, result: result, code: code,
            retryAfter: outcome == .retry ? will.retryAfter : nil)
        answers.append(Answer(saga: message.saga, reply: reply, era: message.era))
    }

    /// What a branch returns: always the same, as a participant answers from its record.
    private func result(of branch: Branch) -> [UInt8]? {
        let results = sagaCase.results
        guard !results.isEmpty else { return nil }
        return Array(results[(branch.step + (branch.item ?? 0)) % results.count].utf8)
    }

    mutating func deliver(_ answer: Answer) throws(Violation) {
        guard answer.era == era else { return }
        try feed(.reply(answer.reply), to: answer.saga)
    }

    private mutating func beat(_ message: Message) throws(Violation) {
        guard message.era == era else { return }
        let name = runs[message.saga].saga.definition.steps[message.dispatch.step].name
        try feed(
            .heartbeat(
                step: name, item: message.dispatch.item, phase: message.dispatch.phase,
                attempt: message.dispatch.attempt),
            to: message.saga)
    }

    private mutating func order(_ operation: Order.Operation, step: Int?, of index: Int) throws(Violation) {
        let steps = runs[index].saga.definition.steps
        try feed(.order(Order(operation, step: step.map { steps[$0 % steps.count].name })), to: index)
    }

    private mutating func signal(_ number: Int, id: Int?, to index: Int) throws(Violation) {
        let names = runs[index].saga.definition.steps.compactMap { step in
            if case .signal(let name) = step.kind { name } else { nil }
        }
        guard !names.isEmpty else { return }
        try send(names[number % names.count], id: id, to: index)
    }

    /// Sends a signal whose payload no other one has, but for its own repetitions.
    mutating func send(_ name: String, id: Int?, to index: Int) throws(Violation) {
        signalsSent += 1
        let payload = id.map { "id \($0)" } ?? "\(signalsSent)"
        try feed(.signal(Signal(name, id: id.map { "\($0)" }, payload: Array(payload.utf8))), to: index)
    }

    private mutating func rewind(losing count: Int) throws(Violation) {
        tally.rewinds += 1
        var length = max(safeLength, history.count - count)
        while length < history.count, length > safeLength, history[length - 1].change == history[length].change {
            length -= 1
        }
        history.removeSubrange(length...)
        era += 1
        if isTracing { trace.append("  \(history.count) entries are left, era \(era)") }
        let known = Set(history.map(\.saga))
        for index in runs.indices where !runs[index].isGone {
            runs[index].isGone = !known.contains(index)
            if !runs[index].isGone { (runs[index].saga, runs[index].books) = try replayed(index) }
        }
        for index in runs.indices where !runs[index].isGone {
            try atomically { (world) throws(Violation) in try world.catchUp(index) }
        }
    }

    var wasRewound: Bool { sagaCase.isAfterRewind || era > 1 }
}
