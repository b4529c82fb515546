import SagaCore

/// How a simulation sees that nothing new will come.
extension Simulator {
    /// When the saga turns back if nothing happens before.
    var deadline: Milliseconds? { saga.isCompensating || saga.isPivotDue ? nil : saga.deadline }

    /// What goes on where some steps are tried again and again, and no answer is on its way.
    struct Prospect {
        /// The steps that are tried on and on. The machine need not be shown each attempt of theirs, as it takes an
        /// alarm that rings late as well.
        var endless: [String] = []
        /// When something else than an attempt of those is next; nil: never.
        var next: Milliseconds?
    }

    var prospect: Prospect {
        guard !saga.isPaused, !saga.status.isFinal, !arrivals.contains(where: \.isAnswer) else { return Prospect() }
        var prospect = Prospect(next: deadline)
        for part in saga.parts {
            for phase in Phase.allCases where part[phase].isActive && part[phase].due != .max {
                if isEndless(part, phase) {
                    prospect.endless.append(saga.name(of: part.branch))
                } else {
                    prospect.next = min(prospect.next ?? .max, part[phase].due)
                }
            }
        }
        return prospect
    }

    private func isEndless(_ part: Part, _ phase: Phase) -> Bool {
        let step = definition.steps[part.branch.step]
        let policy = phase == .action ? step.retry : step.compensationRetry
        let attempts = part[phase].attempts
        guard step.hasAttempts, attempts >= Self.attemptsTaken,
            policy.attempts == 0 || policy.attempts - attempts > Self.attemptsInSight,
            let fault = services.fault(of: step.name, item: part.branch.item, phase, at: attempts + 1)
        else { return false }
        return fault.times == nil
    }

    func end(_ endless: [String]) -> SimulationRun.End {
        switch saga.status {
        case .completed: return .completed
        case .compensated: return .compensated
        case .stuck: return .stuck
        default: break
        }
        if !endless.isEmpty { return .endless(steps: endless) }
        if saga.isPaused { return .paused }
        let awaited = zip(definition.steps, saga.steps).compactMap { step, state -> String? in
            guard state.action.status == .running || state.compensation.status == .running else { return nil }
            switch step.answerer {
            case .signal(let name): return "signal '\(name)'"
            case .child: return "child saga '\(step.name)'"
            case .service, .clock: return nil
            }
        }
        return saga.nextAlarm == nil && !awaited.isEmpty ? .waiting(for: awaited) : .unfinished
    }

    mutating func conclude(_ end: SimulationRun.End) {
        switch end {
        case .completed, .compensated, .stuck: break
        case .waiting: write(.note, "\(end): nothing else moves it")
        case .paused: write(.note, "paused: nothing but 'resume' moves it")
        case .endless: write(.note, "\(end): nothing but the end of the trouble moves the saga")
        case .unfinished: write(.note, "no end after \(saga.entryCount) log entries")
        }
    }

    /// Says that attempts are passed over, where some are.
    mutating func writeAhead(to instant: Milliseconds, _ steps: [String]) {
        guard !steps.isEmpty, let alarm = saga.nextAlarm, alarm < instant else { return }
        let names = steps.map { "'\($0)'" }.joined(separator: ", ")
        write(.note, "tries \(names) on and on until \(Timeline.offset(instant - script.startedAt))")
    }
}
