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
        if let when = draft.when { checkCondition(when, step(index, "when")) }
        if let emits = draft.emits { checkEmits(emits, step(index, "emits")) }
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

    private mutating func checkEmits(_ emits: Emits, _ path: [DefinitionFault.Component]) {
        if emits == Emits() { report(path, "emits needs a topic: that of succeeded, of failed, or both") }
        if let topic = emits.succeeded { checkName(topic, path + [.key("succeeded")]) }
        if let topic = emits.failed { checkName(topic, path + [.key("failed")]) }
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

    func name(_ path: [DefinitionFault.Component]) -> String { path.last?.description ?? "value" }
}
