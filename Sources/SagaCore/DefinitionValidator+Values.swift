/// Each value by itself.
extension DefinitionValidator {
    mutating func checkStep(_ index: Int) {
        let draft = draft.steps[index]
        if !Names.isStep(draft.name) {
            report(
                step(index, "name"),
                "\(label(index)) is no step name: use 1 to 64 letters, digits, '_' or '-', the first a letter or digit")
        }
        if draft.isCommand {
            checkCommand(index)
        } else {
            checkOwnKind(index)
        }
        checkSpan(draft.timeout, step(index, "timeout"))
        checkRetry(draft.retry, defaults: .action, step(index, "retry"))
        checkRetry(draft.compensationRetry, defaults: .compensation, step(index, "compensationRetry"))
        if draft.isPivot { checkPivotStep(index) }
    }

    mutating func checkName(_ name: String, _ path: [DefinitionFault.Component]) {
        guard !Names.isName(name) else { return }
        report(
            path,
            "\(FaultText.quoted(name)) is no name: use 1 to 64 letters, digits, '.', '_' or '-', "
                + "the first a letter or digit")
    }

    mutating func checkSpan(_ span: Milliseconds?, _ path: [DefinitionFault.Component]) {
        guard let span, !DefinitionLimits.span.contains(span) else { return }
        let range = DefinitionLimits.span
        let (least, most) = (DurationText.format(range.lowerBound), DurationText.format(range.upperBound))
        report(path, "\(name(path)) \(DurationText.format(span)) is out of range: from \(least) to \(most)")
    }

    /// What makes a step a command to a service.
    private mutating func checkCommand(_ index: Int) {
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
    }

    /// What the coordinator executes by itself: a timer or a wait for a signal.
    private mutating func checkOwnKind(_ index: Int) {
        let draft = draft.steps[index]
        let kind = draft.delay == nil ? "a signal step" : "a delay step"
        checkSpan(draft.delay, step(index, "delay"))
        if let signal = draft.signal { checkName(signal, step(index, "signal")) }
        if draft.delay != nil, draft.signal != nil {
            report(step(index, "signal"), "a step is a delay or waits for a signal, not both: make two steps of it")
        }
        let foreign: [(String, Bool)] = [
            ("service", draft.service != nil), ("action", draft.action != nil),
            ("compensation", draft.compensation != .absent), ("retry", draft.retry != nil),
            ("compensationRetry", draft.compensationRetry != nil), ("uses", draft.uses != nil),
            ("pivot", draft.isPivot),
        ]
        for (key, isThere) in foreign where isThere {
            report(step(index, key), "\(kind) has no \(key): it sends no command")
        }
        if draft.delay != nil, draft.timeout != nil {
            report(step(index, "timeout"), "a delay step has no timeout: the delay is its time")
        }
    }

    private mutating func checkPivotStep(_ index: Int) {
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
    }

    private mutating func checkRetry(
        _ draft: RetryPolicyDraft?, defaults: RetryPolicy, _ path: [DefinitionFault.Component]
    ) {
        guard let draft else { return }
        let policy = RetryPolicy(draft, defaults: defaults)
        if !DefinitionLimits.attempts.contains(policy.attempts) {
            let most = DefinitionLimits.attempts.upperBound
            report(
                path + [.key("attempts")],
                "attempts \(policy.attempts) is out of range: from 0 to \(most), and 0 is without end")
        }
        checkSpan(draft.initial, path + [.key("initial")])
        checkShare(policy.factor, DefinitionLimits.factor, path + [.key("factor")])
        checkSpan(draft.max, path + [.key("max")])
        checkShare(policy.jitter, DefinitionLimits.jitter, path + [.key("jitter")])
        let areInRange = [policy.initial, policy.max].allSatisfy(DefinitionLimits.span.contains)
        guard areInRange, policy.initial > policy.max else { return }
        func told(_ span: Milliseconds, isWritten: Bool) -> String {
            DurationText.format(span) + (isWritten ? "" : " (the default)")
        }
        report(
            path + [.key(draft.initial == nil ? "max" : "initial")],
            "initial \(told(policy.initial, isWritten: draft.initial != nil)) is longer than "
                + "max \(told(policy.max, isWritten: draft.max != nil))")
    }

    private mutating func checkShare(
        _ value: Double, _ range: ClosedRange<Double>, _ path: [DefinitionFault.Component]
    ) {
        guard !range.contains(value) else { return }
        let (least, most) = (Int(range.lowerBound), Int(range.upperBound))
        report(path, "\(name(path)) \(value) is out of range: from \(least) to \(most)")
    }

    private func name(_ path: [DefinitionFault.Component]) -> String { path.last?.description ?? "value" }
}
