import SagaCore

/// The coordinator: the real machine, and what the orchestrator's shell does with its directives, in one atomic change.
extension Situation {
    /// An answer reaches the coordinator.
    mutating func answer(_ number: Int, _ family: Family) {
        let message = Message(number, eras: family.eras)
        guard family.model.safeguards.admitAnswer(of: Int64(message.era), in: Int64(era)) else { return }
        feed(family.places[message.place].slot, .reply(family.replies[number]), family)
    }

    /// Lets a saga decide, after bringing it to the partition's era.
    @discardableResult
    mutating func feed(_ slot: Int, _ event: Event, at instant: Milliseconds = 0, _ family: Family) -> Decision {
        catchUp(slot, family)
        guard let saga = sagas[slot] else { return .ignore }
        let decision = saga.decide(event, at: instant)
        if case .accept(let fact) = decision { record(fact, slot, at: instant, family) }
        return decision
    }

    /// Begins a saga's verify round where the history was rewound since it was last looked at.
    mutating func catchUp(_ slot: Int, _ family: Family) {
        guard let saga = sagas[slot], saga.era < era, !saga.status.isFinal else { return }
        if case .accept(let fact) = saga.decide(.rewind(era: Int64(era)), at: 0) { record(fact, slot, family) }
    }

    private mutating func record(_ fact: Fact, _ slot: Int, at instant: Milliseconds = 0, _ family: Family) {
        guard var saga = sagas[slot] else { return }
        let wasPivotDue = saga.isPivotDue
        var directives: [Directive] = []
        saga.evolve(LogEntry(index: saga.entryCount, at: instant, fact: fact), directives: &directives)
        sagas[slot] = saga
        noteChange(slot, wasPivotDue: wasPivotDue)
        execute(directives, of: slot, family)
    }

    /// A pivot goes out only when what made it due is safe.
    private mutating func noteChange(_ slot: Int, wasPivotDue: Bool) {
        if let saga = sagas[slot], saga.isPivotDue, !wasPivotDue { isIrrevocable = true }
    }

    private mutating func execute(_ directives: [Directive], of slot: Int, _ family: Family) {
        for directive in directives {
            switch directive {
            case .send(let dispatch):
                let message = Message(
                    family.place(slot, dispatch.branch), dispatch.phase, era: Int(sagas[slot]?.era ?? 1),
                    flag: dispatch.isEffectKnown)
                commands.insert(message.number(eras: family.eras))
            case .finish(let status):
                if status.isFinal { reportToParent(of: slot, family) }
            case .verified: reportToParent(of: slot, family)
            case .startChild(let step): startChild(step, of: slot, family)
            case .undoChild(let step): undoChild(step, of: slot, family)
            case .verifyChild(let step): verifyChild(step, of: slot, family)
            case .reopen, .emit: break
            }
        }
    }

    /// Makes a saga that the log doesn't have.
    mutating func enter(_ slot: Int, isRecalled: Bool, _ family: Family) {
        let blank = family.slots[slot].blank
        let started = Started(
            definition: blank.definition.name, version: 1, era: Int64(era), isAfterRewind: era > 1 || isRecalled,
            isChild: slot > 0, isRecalled: isRecalled, input: ExploredModel.input)
        var directives: [Directive] = []
        sagas[slot] = Saga(
            id: blank.id, definition: blank.definition, started: started, safeguards: family.model.safeguards, at: 0,
            directives: &directives)
        noteChange(slot, wasPivotDue: false)
        execute(directives, of: slot, family)
    }

    // MARK: Parents and children

    private mutating func startChild(_ step: Int, of slot: Int, _ family: Family) {
        guard let child = family.child(of: slot, step: step) else { return }
        guard let saga = sagas[child] else { return enter(child, isRecalled: false, family) }
        if saga.status.isFinal { reportToParent(of: child, family) }
    }

    private mutating func undoChild(_ step: Int, of slot: Int, _ family: Family) {
        guard let child = family.child(of: slot, step: step) else { return }
        guard sagas[child] != nil else { return enter(child, isRecalled: true, family) }
        switch feed(child, .recall(reason: ""), family) {
        case .accept: break
        case .ignore:
            if sagas[child]?.status == .compensated { reportToParent(of: child, family) }
        case .refuse(let reason):
            let name = family.slots[slot].blank.definition.steps[step].name
            feed(slot, .child(ChildReport(step: name, outcome: .refused, error: reason)), family)
        }
    }

    private mutating func verifyChild(_ step: Int, of slot: Int, _ family: Family) {
        guard let child = family.child(of: slot, step: step) else { return }
        guard sagas[child] != nil else { return enter(child, isRecalled: false, family) }
        catchUp(child, family)
        if sagas[child]?.status.isFinal == true { feed(child, .rewind(era: Int64(era)), family) }
        if sagas[child]?.isVerifying == false { reportToParent(of: child, family) }
    }

    private mutating func reportToParent(of slot: Int, _ family: Family) {
        guard let (parent, step) = family.slots[slot].parent, let saga = sagas[slot] else { return }
        let name = family.slots[parent].blank.definition.steps[step].name
        feed(parent, .child(saga.report(to: name)), family)
    }
}
