import SagaCore

/// The steps create, reserve, charge (pivot) and ship, each at a service of its own.
func order(deadline: Duration? = nil, change: (inout [StepDraft]) -> Void = { _ in }) throws -> Definition {
    var steps = [
        StepDraft("create", service: "orders", action: "create-order").compensated(by: "cancel-order"),
        StepDraft("reserve", service: "inventory", action: "reserve").compensated(by: "release"),
        StepDraft("charge", service: "payments", action: "charge").pivot(),
        StepDraft("ship", service: "shipping", action: "ship"),
    ]
    change(&steps)
    return try Definition("order", version: 1, deadline: deadline) { steps }
}

/// A quote, then two bookings side by side, then an approval.
func trip(signalTimeout: Duration? = nil) throws -> Definition {
    var approval = StepDraft("approval", signal: "approved").after("flight", "hotel")
    if let signalTimeout { approval = approval.timeout(signalTimeout) }
    return try Definition("trip", version: 3) {
        StepDraft("quote", service: "prices", action: "quote")
        StepDraft("flight", service: "air", action: "book").compensated(by: "unbook").after("quote").uses("quote")
        StepDraft("hotel", service: "rooms", action: "book").compensated(by: "unbook").after("quote")
        approval
    }
}
