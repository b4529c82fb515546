/// Collects the steps of a definition that is written in Swift.
@resultBuilder
public enum StepsBuilder {
    public static func buildExpression(_ step: StepDraft) -> [StepDraft] { [step] }
    /// Steps that were made elsewhere.
    public static func buildExpression(_ steps: [StepDraft]) -> [StepDraft] { steps }
    public static func buildBlock(_ parts: [StepDraft]...) -> [StepDraft] { parts.flatMap(\.self) }
    public static func buildOptional(_ steps: [StepDraft]?) -> [StepDraft] { steps ?? [] }
    public static func buildEither(first steps: [StepDraft]) -> [StepDraft] { steps }
    public static func buildEither(second steps: [StepDraft]) -> [StepDraft] { steps }
    public static func buildArray(_ parts: [[StepDraft]]) -> [StepDraft] { parts.flatMap(\.self) }
}

extension Definition {
    /// A definition written in Swift, held to the same rules as one in a file.
    ///
    /// ```swift
    /// let order = try Definition("order", version: 1, deadline: .seconds(900)) {
    ///     StepDraft("create", service: "orders", action: "create-order").compensated(by: "cancel-order")
    ///     StepDraft("charge", service: "payments", action: "charge").uses("create").pivot()
    ///     StepDraft("ship", service: "shipping", action: "ship").timeout(.seconds(10))
    /// }
    /// ```
    ///
    /// - Throws: all faults at once.
    public init(
        _ name: String, version: Int, deadline: Duration? = nil, durability: Durability? = nil,
        order: CompensationOrder? = nil, whenStuck: WhenStuck? = nil, retention: Duration? = nil,
        trigger: EventTrigger? = nil, @StepsBuilder steps: () -> [StepDraft]
    ) throws(DefinitionFaults) {
        try self.init(
            validating: DefinitionDraft(
                name: name, version: version, deadline: deadline?.milliseconds, durability: durability, order: order,
                whenStuck: whenStuck, retention: retention?.milliseconds, trigger: trigger, steps: steps()))
    }
}

extension StepDraft {
    /// A command to a service. The modifiers say the rest.
    public init(_ name: String, service: String, action: String) {
        self.init(name: name, service: service, action: action)
    }

    /// A durable timer.
    public init(_ name: String, delay: Duration) {
        self.init(name: name, delay: delay.milliseconds)
    }

    /// A durable timer that waits for a moment: `"2026-12-24T18:00:00Z"`, or the path to one, `"input.from"`.
    public init(_ name: String, until moment: Moment) {
        self.init(name: name, until: moment)
    }

    /// A saga of another definition, whose input is this saga's own or the result of an earlier step. Compensating the
    /// step compensates the child.
    public init(_ name: String, saga definition: String, inputFrom step: String? = nil) {
        self.init(name: name, saga: definition, inputFrom: step)
    }

    /// Waits for a signal, whose payload is the step's result.
    public init(_ name: String, signal: String) {
        self.init(name: name, signal: signal)
    }

    /// The operation that undoes the action.
    public func compensated(by operation: String) -> StepDraft {
        with { $0.compensation = .operation(operation) }
    }

    /// There is nothing to undo, and that is meant.
    public func withoutCompensation() -> StepDraft {
        with { $0.compensation = .none }
    }

    /// Time for one attempt, from dispatch to reply; or to wait for a signal.
    public func timeout(_ time: Duration) -> StepDraft {
        with { $0.timeout = time.milliseconds }
    }

    /// How the action is retried; what is left out keeps its default.
    public func retry(
        attempts: Int? = nil, initial: Duration? = nil, factor: Double? = nil, max: Duration? = nil,
        jitter: Double? = nil
    ) -> StepDraft {
        with {
            $0.retry = RetryPolicyDraft(
                attempts: attempts, initial: initial?.milliseconds, factor: factor, max: max?.milliseconds,
                jitter: jitter)
        }
    }

    /// How the compensation is retried; what is left out keeps its default.
    public func compensationRetry(
        attempts: Int? = nil, initial: Duration? = nil, factor: Double? = nil, max: Duration? = nil,
        jitter: Double? = nil
    ) -> StepDraft {
        with {
            $0.compensationRetry = RetryPolicyDraft(
                attempts: attempts, initial: initial?.milliseconds, factor: factor, max: max?.milliseconds,
                jitter: jitter)
        }
    }

    /// Codes of errors after which the action is not tried again.
    public func noRetry(on codes: String...) -> StepDraft {
        with { $0.noRetry = codes }
    }

    /// The only codes of errors that turn the saga back; after another one the step waits for an operator.
    public func compensate(on codes: String...) -> StepDraft {
        with { $0.compensateOn = codes }
    }

    /// Codes of errors after which the step waits for an operator, rather than turn the saga back.
    public func stop(on codes: String...) -> StepDraft {
        with { $0.stopOn = codes }
    }

    /// The step is skipped unless this holds.
    public func when(_ condition: Condition) -> StepDraft {
        with { $0.when = condition }
    }

    /// Sends one command for each element of the list that the path leads to, at most `parallel` of them at once.
    ///
    /// - Precondition: `items` is a path.
    public func forEach(
        _ items: StaticString, parallel: Int = DefinitionLimits.defaultParallel
    ) -> StepDraft {
        forEach(ValuePath(literal: items), parallel: parallel)
    }

    /// Sends one command for each element of the list that the path leads to, at most `parallel` of them at once.
    public func forEach(_ items: ValuePath, parallel: Int = DefinitionLimits.defaultParallel) -> StepDraft {
        with { $0.forEach = ForEach(items, parallel: parallel) }
    }

    /// Topics to which the step's end is told.
    public func emits(succeeded: String? = nil, failed: String? = nil) -> StepDraft {
        with { $0.emits = Emits(succeeded: succeeded, failed: failed) }
    }

    /// The steps to wait for, instead of the step before. None starts at once.
    public func after(_ steps: String...) -> StepDraft {
        with { $0.after = steps }
    }

    /// The earlier steps whose results are delivered along with the input.
    public func uses(_ steps: String...) -> StepDraft {
        with { $0.uses = steps }
    }

    /// From this step on the saga only goes forward.
    public func pivot() -> StepDraft {
        with { $0.isPivot = true }
    }

    private func with(_ change: (inout StepDraft) -> Void) -> StepDraft {
        var draft = self
        change(&draft)
        return draft
    }
}

extension Duration {
    /// Whole milliseconds, rounded away from zero, so that nothing short becomes no time at all; what does not fit
    /// saturates, and is then out of every allowed range.
    package var milliseconds: Milliseconds {
        let (seconds, attoseconds) = components
        let attosecondsPerMillisecond: Int64 = 1_000_000_000_000_000
        let rest = attoseconds / attosecondsPerMillisecond
        let rounding = (attoseconds % attosecondsPerMillisecond).signum()
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return seconds > 0 ? .max : .min }
        return whole.adding(rest + rounding)
    }
}
