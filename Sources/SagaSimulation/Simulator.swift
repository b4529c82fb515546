import SagaCore

/// Drives the machine: what was asked of services comes back as answers, alarms ring at their instants.
struct Simulator {
    /// Log entries after which a simulation gives up.
    static let maxEntries = 20_000
    /// Attempts that came to nothing after which an endless policy is taken to be endless.
    static let attemptsTaken = 12
    /// A policy with more attempts to go than these is as good as endless.
    static let attemptsInSight = 500

    /// Something that reaches the saga at an instant.
    private struct Arrival {
        var at: Milliseconds
        var event: Event
        /// Whether it answers what was sent; else it comes from outside.
        var isAnswer = false
    }

    let definition: Definition
    private let script: SimulationScript
    private(set) var saga: Saga
    private(set) var now: Milliseconds
    private var services: SimulatedServices
    /// By instant; at the same instant in the order of sending.
    private var arrivals: [Arrival] = []
    /// Interventions whose moment is a step's.
    private var pending: [Intervention] = []
    private var timeline: [TimelineLine] = []
    private var lastMove: Milliseconds

    init(_ definition: Definition, _ script: SimulationScript) {
        self.definition = definition
        self.script = script
        services = SimulatedServices(script: script)
        now = script.startedAt
        lastMove = now
        var directives: [Directive] = []
        let started = Started(
            definition: definition.name, version: definition.version, era: 1, deadline: script.deadline,
            input: script.input)
        saga = Saga(id: "simulation", definition: definition, started: started, at: now, directives: &directives)
        for intervention in script.interventions {
            switch intervention.moment {
            case .at(let offset): arrive(intervention.event, after: offset)
            case .whenBegan, .whenSucceeded: pending.append(intervention)
            }
        }
        var text = "\(definition.id) starts"
        if let deadline = saga.deadline { text += ", deadline in \(DurationText.format(deadline - now))" }
        write(.started, text)
        record(from: [], wasCompensating: false, directives)
    }

    mutating func run() -> SimulationRun {
        var endless: [String] = []
        while saga.entryCount < Self.maxEntries {
            endless = stepsWithoutEnd
            let alarm = endless.isEmpty ? saga.nextAlarm : deadline
            if let arrival = arrivals.first, arrival.at <= alarm ?? .max {
                if !endless.isEmpty { writeAhead(to: arrival.at, endless) }
                arrivals.removeFirst()
                feed(arrival.event, at: arrival.at)
            } else if let alarm {
                if !endless.isEmpty { writeAhead(to: alarm, endless) }
                feed(.tick, at: alarm)
            } else {
                break
            }
        }
        let end = end(endless)
        for intervention in pending { write(.note, "\(intervention.text) never happened: its moment did not come") }
        conclude(end)
        return SimulationRun(
            timeline: timeline, end: end, duration: lastMove - script.startedAt, saga: saga,
            effects: services.effects)
    }

    private mutating func arrive(_ event: Event, after span: Milliseconds, isAnswer: Bool = false) {
        let arrival = Arrival(at: now.adding(span), event: event, isAnswer: isAnswer)
        let place = arrivals.firstIndex { $0.at > arrival.at } ?? arrivals.endIndex
        arrivals.insert(arrival, at: place)
    }

    private mutating func feed(_ event: Event, at instant: Milliseconds) {
        now = max(now, instant)
        switch saga.decide(event, at: now) {
        case .ignore:
            if let text = event.text { write(.ignored, "\(text): changes nothing") }
        case .refuse(let reason):
            write(.refused, "\(event.text ?? "refused"): refused, \(reason)")
        case .accept(let fact):
            if let text = event.text, let kind = event.kind { write(kind, text) }
            let (parts, wasCompensating) = (saga.parts, saga.isCompensating)
            var directives: [Directive] = []
            saga.evolve(LogEntry(index: saga.entryCount, at: now, fact: fact), directives: &directives)
            lastMove = now
            record(from: parts, wasCompensating: wasCompensating, directives)
        }
    }

    // MARK: What follows from an entry

    private mutating func record(from parts: [Part], wasCompensating: Bool, _ directives: [Directive]) {
        let changes = SagaChanges(from: parts, to: saga, at: now)
        for line in changes.causes { write(line) }
        if saga.isCompensating, !wasCompensating { write(.turnedBack, "turns back: \(saga.error ?? "no reason")") }
        for line in changes.consequences { write(line) }
        for directive in directives { perform(directive) }
        for index in definition.steps.indices {
            let old = parts.first { $0.branch == Branch(step: index) }?.action.status ?? .none
            if old != saga.steps[index].action.status { stepMoved(index) }
        }
    }

    private mutating func perform(_ directive: Directive) {
        switch directive {
        case .send(let dispatch):
            send(dispatch)
        case .startChild(let index): callChild(index, .action)
        case .undoChild(let index): callChild(index, .compensation)
        case .emit(let index, let outcome):
            let emits = definition.steps[index].emits
            let topic = (outcome == .succeeded ? emits.succeeded : emits.failed) ?? "nobody"
            write(.emitted, "tells topic \(topic)", step: definition.steps[index].name)
        case .verifyChild, .verified:
            preconditionFailure("a simulated history is never rewound: \(directive)")
        case .finish(let status):
            write(.ended, "\(status.rawValue) after \(Timeline.duration(now - script.startedAt))")
        case .reopen:
            write(.reopened, "goes on")
        }
    }

    private mutating func send(_ dispatch: Dispatch) {
        let step = definition.steps[dispatch.step]
        let text = "\(dispatch.phase.rawValue) attempt \(dispatch.attempt) \(step.request(of: dispatch.phase))"
        write(.sent, text, step: step.name, item: dispatch.item, dispatch.phase, attempt: dispatch.attempt)
        var reply = Reply(
            step: step.name, item: dispatch.item, phase: dispatch.phase, attempt: dispatch.attempt, outcome: .succeeded)
        switch services.answer(step.name, item: dispatch.item, dispatch.phase, attempt: dispatch.attempt) {
        case .success(let result): reply.result = result
        case .refusal(let code): (reply.outcome, reply.error, reply.code) = (.failed, SimulatedServices.refusal, code)
        case .trouble(let code): (reply.outcome, reply.error, reply.code) = (.retry, SimulatedServices.trouble, code)
        case .silence: return
        }
        arrive(.reply(reply), after: script.latency, isAnswer: true)
    }

    /// Starts or undoes a child saga, which is simulated as a whole: it completes, or leaves no effect.
    private mutating func callChild(_ index: Int, _ phase: Phase) {
        let step = definition.steps[index]
        let attempt = phase == .action ? saga.steps[index].action.attempts : saga.steps[index].compensation.attempts
        write(.sent, "\(phase.rawValue) \(step.request(of: phase))", step: step.name, phase, attempt: attempt)
        var report = ChildReport(step: step.name, outcome: phase == .action ? .completed : .compensated)
        switch services.answer(step.name, phase, attempt: attempt) {
        case .success(let result): report.result = result
        case .refusal(let code):
            report.outcome = phase == .action ? .compensated : .refused
            report.error = "\(SimulatedServices.refusal) (\(code))"
        case .silence, .trouble: return
        }
        arrive(.child(report), after: script.latency, isAnswer: true)
    }

    /// Signals that come by themselves, and interventions at a step's moments.
    private mutating func stepMoved(_ index: Int) {
        let step = definition.steps[index]
        let state = saga.steps[index].action
        if case .signal(let name) = step.answerer, state.status == .running, let span = script.signalsAfter,
            services.fault(of: step.name, .action, at: 1) == nil
        {
            arrive(.signal(Signal(name, payload: script.results[step.name] ?? Array("{}".utf8))), after: span)
        }
        let moments: [Intervention.Moment] =
            (state.startedAt != nil ? [.whenBegan(step: step.name)] : [])
            + (state.status == .succeeded ? [.whenSucceeded(step: step.name)] : [])
        for intervention in pending where moments.contains(intervention.moment) { arrive(intervention.event, after: 0) }
        pending.removeAll { moments.contains($0.moment) }
    }

    // MARK: The end

    /// When the saga turns back if nothing happens before.
    private var deadline: Milliseconds? { saga.isCompensating || saga.isPivotDue ? nil : saga.deadline }

    /// The steps that are tried again and again, where nothing else is under way: the machine need not be shown each
    /// attempt, as it takes an alarm that rings late as well.
    private var stepsWithoutEnd: [String] {
        guard !saga.isPaused, !saga.status.isFinal, !arrivals.contains(where: \.isAnswer) else { return [] }
        var names: [String] = []
        for part in saga.parts {
            let step = definition.steps[part.branch.step]
            for phase in Phase.allCases where part[phase].isActive && part[phase].due != .max {
                let policy = phase == .action ? step.retry : step.compensationRetry
                let attempts = part[phase].attempts
                let fault = services.fault(of: step.name, item: part.branch.item, phase, at: attempts + 1)
                let isEndless = policy.attempts == 0 || policy.attempts - attempts > Self.attemptsInSight
                guard step.hasAttempts, isEndless, attempts >= Self.attemptsTaken, let fault, fault.times == nil
                else { return [] }
                names.append(saga.name(of: part.branch))
            }
        }
        return names
    }

    private func end(_ endless: [String]) -> SimulationRun.End {
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

    private mutating func conclude(_ end: SimulationRun.End) {
        switch end {
        case .completed, .compensated, .stuck: break
        case .waiting: write(.note, "\(end): nothing else moves it")
        case .paused: write(.note, "paused: nothing but 'resume' moves it")
        case .endless: write(.note, "\(end): nothing but the end of the trouble moves the saga")
        case .unfinished: write(.note, "no end after \(saga.entryCount) log entries")
        }
    }

    // MARK: Lines

    private mutating func writeAhead(to instant: Milliseconds, _ steps: [String]) {
        let names = steps.map { "'\($0)'" }.joined(separator: ", ")
        write(.note, "tries \(names) on and on until \(Timeline.offset(instant - script.startedAt))")
    }

    private mutating func write(
        _ kind: TimelineLine.Kind, _ text: String, step: String? = nil, item: Int? = nil, _ phase: Phase? = nil,
        attempt: Int? = nil
    ) {
        write(TimelineLine(at: now, kind, step: step, item: item, phase: phase, attempt: attempt, text))
    }

    private mutating func write(_ line: TimelineLine) {
        var line = line
        line.at = now - script.startedAt
        timeline.append(line)
    }
}

extension Intervention {
    var event: Event {
        switch act {
        case .order(let order): .order(order)
        case .signal(let signal): .signal(signal)
        }
    }

    var text: String { event.text ?? "" }
}

extension Event {
    /// What people outside did; nil for what services and clocks do.
    fileprivate var text: String? {
        switch self {
        case .order(let order): "order to \(order.operation.rawValue)" + (order.step.map { " '\($0)'" } ?? "")
        case .signal(let signal): "signal '\(signal.name)'"
        default: nil
        }
    }

    fileprivate var kind: TimelineLine.Kind? {
        switch self {
        case .order: .order
        case .signal: .signal
        default: nil
        }
    }
}
