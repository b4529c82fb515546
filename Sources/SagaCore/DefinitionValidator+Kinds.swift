/// What each kind of step must and must not have.
extension DefinitionValidator {
    /// What makes a step a command to a service.
    mutating func checkCommand(_ index: Int) {
        let draft = draft.steps[index]
        if let service = draft.service { checkName(service, step(index, "service")) }
        if let action = draft.action { checkName(action, step(index, "action")) }
        switch (draft.service, draft.action) {
        case (nil, nil): report(step(index), "a step needs a service and an action")
        case (nil, _): report(step(index), "the step has an action but no service to execute it")
        case (_, nil): report(step(index), "the step has a service but no action for it")
        default: break
        }
        if case .operation(let operation) = draft.compensation {
            checkName(operation, step(index, "compensation"))
        } else if draft.compensationRetry != nil {
            report(step(index, "compensationRetry"), "there is no compensation to retry: remove compensationRetry")
        }
        if draft.inputFrom != nil {
            report(
                step(index, "inputFrom"),
                "inputFrom is a child saga's (saga: DEFINITION): a command gets the saga's input, and results by uses")
        }
        if let forEach = draft.forEach { checkForEach(forEach, step(index, "forEach")) }
        checkCodes(index)
    }

    private mutating func checkForEach(_ forEach: ForEach, _ path: [DefinitionFault.Component]) {
        checkPath(forEach.items, path + [.key("items")])
        let range = DefinitionLimits.parallel
        guard !range.contains(forEach.parallel) else { return }
        report(
            path + [.key("parallel")],
            "parallel \(forEach.parallel) is out of range: from \(range.lowerBound) to \(range.upperBound)")
    }

    private mutating func checkCodes(_ index: Int) {
        let draft = draft.steps[index]
        let lists = [("noRetry", draft.noRetry), ("compensateOn", draft.compensateOn), ("stopOn", draft.stopOn)]
        for case (let key, let codes?) in lists { checkCodes(codes, step(index, key)) }
        if draft.compensateOn != nil, draft.stopOn != nil {
            report(
                step(index, "stopOn"),
                "compensateOn says already that every other code waits for an operator: remove one of the two")
        }
    }

    private mutating func checkCodes(_ codes: [String], _ path: [DefinitionFault.Component]) {
        let key = name(path)
        let most = DefinitionLimits.codes
        if codes.isEmpty { report(path, "\(key) needs at least one error code: remove it where there is none") }
        guard codes.count <= most else {
            report(path, "\(codes.count) error codes are too many: at most \(most)")
            return
        }
        var seen: Set<String> = []
        for (position, code) in codes.enumerated() {
            let isCode = (1...64).contains(code.utf8.count) && code.utf8.allSatisfy { (0x21...0x7e).contains($0) }
            if !isCode {
                report(
                    path + [.index(position)],
                    "\(FaultText.quoted(code)) is no error code: use 1 to 64 printable ASCII characters, no spaces")
            } else if !seen.insert(code).inserted {
                report(path + [.index(position)], "\(FaultText.quoted(code)) is named twice")
            }
        }
    }

    /// What the coordinator executes by itself: a timer, a wait for a signal, or a child saga.
    mutating func checkOwnKind(_ index: Int) {
        let draft = draft.steps[index]
        checkSpan(draft.delay, step(index, "delay"))
        if let until = draft.until { checkMoment(until, step(index, "until")) }
        if let signal = draft.signal { checkName(signal, step(index, "signal")) }
        if let definition = draft.saga { checkChild(index, definition) }
        let kinds = [
            ("delay", "is a delay", draft.delay != nil), ("until", "waits for a moment", draft.until != nil),
            ("signal", "waits for a signal", draft.signal != nil), ("saga", "is a child saga", draft.saga != nil),
        ].filter(\.2)
        for (key, what, _) in kinds.dropFirst() {
            report(step(index, key), "a step \(kinds[0].1) or \(what), not both: make two steps of it")
        }
        let kind = "\(article(kinds[0].0)) step"
        for (key, reason) in foreignKeys(of: draft) {
            report(step(index, key), "\(kind) has no \(key): \(reason)")
        }
    }

    private func article(_ kind: String) -> String {
        switch kind {
        case "saga": "a child saga"
        case "until": "an until"
        default: "a \(kind)"
        }
    }

    private mutating func checkMoment(_ moment: Moment, _ path: [DefinitionFault.Component]) {
        switch moment {
        case .path(let way): checkPath(way, path)
        case .at(let instant):
            guard !DefinitionLimits.moment.contains(instant) else { return }
            report(path, "until \(instant) is out of range: Unix milliseconds from 1970 to 9999")
        }
    }

    private mutating func checkChild(_ index: Int, _ definition: String) {
        checkName(definition, step(index, "saga"))
        guard definition == draft.name else { return }
        report(
            step(index, "saga"),
            "\(FaultText.quoted(definition)) would start itself as its child, and so without end")
    }

    /// The keys that a step which sends no command must not have, and why.
    private func foreignKeys(of draft: StepDraft) -> [(String, String)] {
        let isChild = draft.saga != nil
        let silent = "it sends no command"
        let undone = isChild ? "compensating the step compensates the child" : silent
        let retried = isChild ? "the child's own steps are retried" : silent
        let coded = isChild ? "an error code is a command's" : silent
        var keys: [(String, Bool, String)] = [
            ("service", draft.service != nil, silent), ("action", draft.action != nil, silent),
            ("forEach", draft.forEach != nil, silent), ("compensation", draft.compensation != .absent, undone),
            ("retry", draft.retry != nil, retried), ("compensationRetry", draft.compensationRetry != nil, retried),
            ("noRetry", draft.noRetry != nil, coded), ("compensateOn", draft.compensateOn != nil, coded),
            ("stopOn", draft.stopOn != nil, coded),
            (
                "uses", draft.uses != nil,
                isChild ? "its input is the saga's own, or with inputFrom an earlier step's result" : silent
            ),
        ]
        if isChild {
            keys.append(("timeout", draft.timeout != nil, "the child's own deadline is its time"))
        } else {
            keys.append(("inputFrom", draft.inputFrom != nil, "it has no input"))
            keys.append(("pivot", draft.isPivot, silent))
            if draft.delay != nil { keys.append(("timeout", draft.timeout != nil, "the delay is its time")) }
            if draft.until != nil { keys.append(("timeout", draft.timeout != nil, "the moment is its time")) }
        }
        return keys.filter(\.1).map { ($0.0, $0.2) }
    }

    mutating func checkPivotStep(_ index: Int) {
        let draft = draft.steps[index]
        guard draft.isCommand else { return }
        if case .operation = draft.compensation {
            report(
                step(index, "compensation"),
                "the pivot is retried until its outcome is known, and not undone once it succeeded: "
                    + "remove the compensation")
        }
        if let attempts = draft.retry?.attempts, attempts != 0 {
            report(step(index, "retry", "attempts"), "the pivot is retried without end: attempts must be 0 or absent")
        }
        if draft.noRetry != nil {
            // An attempt that was not answered may have taken effect: giving up on it would undo what is final.
            report(step(index, "noRetry"), "the pivot is retried until its outcome is known: remove noRetry")
        }
        if draft.forEach != nil {
            report(step(index, "forEach"), "the pivot is one transaction: put it into a step of its own")
        }
        for (key, codes) in [("compensateOn", draft.compensateOn), ("stopOn", draft.stopOn)] where codes != nil {
            report(step(index, key), "the pivot turns the saga back only where it answers failed: remove \(key)")
        }
    }
}
