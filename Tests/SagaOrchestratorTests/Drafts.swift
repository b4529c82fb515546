import SagaCore

/// Three steps, one after the other, of three services.
func orderDraft(_ version: Int = 1, timeout: Milliseconds = 2_000) -> DefinitionDraft {
    DefinitionDraft(
        name: "order", version: version,
        steps: ["create", "reserve", "charge"].map { name in
            StepDraft(
                name: name, service: "\(name)-service", action: name, compensation: .operation("undo-\(name)"),
                timeout: timeout, retry: RetryPolicyDraft(initial: 10, max: 100))
        })
}
