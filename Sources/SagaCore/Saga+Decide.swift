/// Something that happened to a saga and may make a fact.
public enum Event: Sendable, Hashable {
    case reply(Reply)
    case heartbeat(step: String, item: Int? = nil, phase: Phase, attempt: Int)
    /// Time has passed.
    case tick
    case order(Order)
    case signal(Signal)
    /// The partition has reached a new era.
    case rewind(era: Int64)
    /// A step's child saga reports.
    case child(ChildReport)
    /// The parent takes this child saga back.
    case recall(reason: String)
}

/// What an event means for a saga.
public enum Decision: Sendable, Hashable {
    /// It makes this fact.
    case accept(Fact)
    /// It changes nothing, and that is in order: a late or doubled answer, an alarm that came early.
    case ignore
    /// It cannot be accepted; the text tells its sender why.
    case refuse(String)
}

extension Saga {
    /// Says which fact an event makes. Changes nothing.
    public func decide(_ event: Event, at instant: Milliseconds) -> Decision {
        switch event {
        case .reply(let reply): decide(reply)
        case .heartbeat(let step, let item, let phase, let attempt):
            decideBeat(of: step, item, phase, attempt, at: instant)
        case .tick:
            if let alarm = nextAlarm, alarm <= instant { .accept(.ticked) } else { .ignore }
        case .order(let order): decide(order)
        case .signal(let signal): decide(signal)
        case .rewind(let era):
            // A saga that is over has nothing to verify, unless its parent may still build on it.
            era > self.era && (!status.isFinal || started.isChild && status == .completed)
                ? .accept(.rewound(era: era)) : .ignore
        case .child(let report): decide(report)
        case .recall(let reason): decideRecall(reason)
        }
    }

    /// The branch that an answer is about.
    func branch(of step: String, _ item: Int?) -> Branch? {
        guard let index = definition.step(named: step), definition.steps[index].service != nil else { return nil }
        guard let item else { return definition.steps[index].forEach == nil ? Branch(step: index) : nil }
        return steps[index].items.indices.contains(item) ? Branch(step: index, item: item) : nil
    }

    private func decide(_ reply: Reply) -> Decision {
        guard let branch = branch(of: reply.step, reply.item) else {
            let name = reply.step + (reply.item.map { "#\($0)" } ?? "")
            return .refuse("\(definition.id) has no command step '\(name)'")
        }
        guard !isAtRest else { return .ignore }
        if reply.phase == .action, verification(of: branch) != nil { return .accept(.replied(reply)) }
        guard !status.isFinal else { return .ignore }
        let phase = self[branch, reply.phase]
        switch (phase.status, reply.outcome) {
        case (.running, .retry):
            return reply.attempt == phase.attempts ? .accept(.replied(reply)) : .ignore
        case (.running, _), (.waiting, .succeeded), (.waiting, .failed), (.stuck, .succeeded):
            return .accept(.replied(reply))
        default: return .ignore
        }
    }

    private func decideBeat(
        of name: String, _ item: Int?, _ phase: Phase, _ attempt: Int, at instant: Milliseconds
    ) -> Decision {
        guard let branch = branch(of: name, item) else { return .refuse("\(definition.id) has no step '\(name)'") }
        let state = self[branch, phase]
        guard state.status == .running, state.attempts == attempt else { return .ignore }
        // A quarter of the timeout is often enough to keep the attempt alive, and keeps an eager sender's log short.
        guard instant >= state.seenAt.adding(timeout(of: branch.step) / 4) else { return .ignore }
        return .accept(.beat(step: name, item: item, phase: phase))
    }

    private func decide(_ order: Order) -> Decision {
        if status.isFinal { return .refuse("the saga is \(status.rawValue)") }
        if let name = order.step, definition.step(named: name) == nil {
            return .refuse("\(definition.id) has no step '\(name)'")
        }
        switch order.operation {
        case .cancel:
            if isCompensating { return .refuse("the saga is compensating already") }
            if isBeyondReturn, let pivot = definition.pivot {
                return .refuse("the pivot '\(definition.steps[pivot].name)' is due: the saga only goes forward")
            }
        case .pause:
            if isPaused { return .refuse("the saga is paused already") }
        case .resume:
            if !isPaused { return .refuse("the saga is not paused") }
        case .retry:
            guard !targets(of: order).isEmpty else {
                return .refuse(nothingFor(order, "is stuck or waits for its next attempt"))
            }
        case .skip:
            guard order.step != nil else { return .refuse("skip needs a step") }
            guard !targets(of: order).isEmpty else {
                return .refuse(nothingFor(order, "is stuck, running or waits for its next attempt"))
            }
        }
        return .accept(.ordered(order))
    }

    private func nothingFor(_ order: Order, _ condition: String) -> String {
        order.step.map { "step '\($0)' is not one that \(condition)" } ?? "no step \(condition)"
    }

    /// The steps that an order to retry or skip applies to, in the direction in which the saga goes.
    func targets(of order: Order) -> [Int] {
        steps.indices.filter { index in
            if let name = order.step, definition.steps[index].name != name { return false }
            switch phase(of: index).status {
            case .stuck, .waiting: return true
            case .running: return order.operation == .skip || branches(of: index).contains(where: isRetriable)
            default: return false
            }
        }
    }

    /// Whether an operator's retry has something to do here, in the direction in which the saga goes.
    func isRetriable(_ branch: Branch) -> Bool {
        let status = self[branch, isCompensating ? .compensation : .action].status
        return status == .stuck || status == .waiting
    }

    /// The phase of a step that the saga's direction is about.
    func phase(of index: Int) -> PhaseState {
        steps[index][isCompensating ? .compensation : .action]
    }
}
