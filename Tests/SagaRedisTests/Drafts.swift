import SagaCore

/// Three steps, one after the other, of three services.
func orderDraft(timeout: Milliseconds = 2_000) -> DefinitionDraft {
    DefinitionDraft(
        name: "order", version: 1, steps: ["create", "reserve", "charge"].map { step($0, timeout: timeout) })
}

/// A step with others beside it, before and behind, all compensated at once.
func branchedDraft(timeout: Milliseconds = 2_000) -> DefinitionDraft {
    var steps = ["create", "reserve", "charge", "pack", "ship"].map { step($0, timeout: timeout) }
    steps[1].after = ["create"]
    steps[2].after = ["create"]
    steps[3].after = ["reserve"]
    steps[4].after = ["charge", "pack"]
    return DefinitionDraft(name: "branched", version: 1, order: .parallel, steps: steps)
}

private func step(_ name: String, timeout: Milliseconds) -> StepDraft {
    StepDraft(
        name: name, service: "\(name)-service", action: name, compensation: .operation("undo-\(name)"),
        timeout: timeout, retry: RetryPolicyDraft(attempts: 0, initial: 10, max: 100),
        compensationRetry: RetryPolicyDraft(initial: 10, max: 100))
}
