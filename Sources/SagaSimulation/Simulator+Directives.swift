import SagaCore

/// What follows from a log entry: its lines, what is sent, and what that brings back.
extension Simulator {
    mutating func record(from parts: [Part], wasCompensating: Bool, _ directives: [Directive]) {
        let changes = SagaChanges(from: parts, to: saga, at: now)
        for line in changes.causes { write(line) }
        if saga.isCompensating, !wasCompensating { write(.turnedBack, "turns back: \(saga.error ?? "no reason")") }
        for line in changes.consequences { write(line) }
        // What a step's outcome tells reads better beside it; all of this happens in one atomic change.
        for directive in directives where directive.isEvent { perform(directive) }
        for directive in directives where !directive.isEvent { perform(directive) }
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
}

extension Directive {
    fileprivate var isEvent: Bool {
        if case .emit = self { true } else { false }
    }
}
