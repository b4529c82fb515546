package import SagaCore

/// Who moves a step on once it is due. The one place that knows every kind of step.
package enum Answerer: Sendable, Hashable {
    /// A service takes its command and replies.
    case service(String)
    /// Time passes.
    case clock
    /// A signal with this name comes from outside.
    case signal(String)
}

extension Step {
    package var answerer: Answerer {
        switch kind {
        case .command(let service, _): .service(service)
        case .delay: .clock
        case .signal(let name): .signal(name)
        }
    }

    /// What the step does, in a few words: `orders: create-order`, `waits 30s`.
    package var summary: String {
        switch kind {
        case .command(let service, let action): "\(service): \(action)"
        case .delay(let span): "waits \(DurationText.format(span))"
        case .signal(let name):
            "waits for signal '\(name)'" + (timeout.map { ", at most \(DurationText.format($0))" } ?? "")
        }
    }

    /// Whether somebody else executes it, so that it can be refused, or have an effect nobody knows of.
    package var isExecutedElsewhere: Bool {
        if case .service = answerer { true } else { false }
    }

    /// What an attempt of a phase asks, and whom: `→ payments (refund)`.
    package func request(of phase: Phase) -> String {
        guard case .service(let service) = answerer else { return summary }
        return "→ \(service) (\(operation(of: phase) ?? "nothing"))"
    }
}
