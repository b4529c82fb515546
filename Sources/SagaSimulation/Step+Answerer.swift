package import SagaCore

/// Who moves a step on once it is due. With the rest of this file, the one place that knows every kind of step.
package enum Answerer: Sendable, Hashable {
    /// A service takes its commands and replies.
    case service(String)
    /// Time passes.
    case clock
    /// A signal with this name comes from outside.
    case signal(String)
    /// A saga of this definition reports its end. It is simulated as a whole.
    case child(String)
}

extension Step {
    package var answerer: Answerer {
        switch kind {
        case .command(let service, _): .service(service)
        case .delay, .until: .clock
        case .signal(let name): .signal(name)
        case .child(let definition, _): .child(definition)
        }
    }

    /// What the step does, in a few words: `orders: create-order`, `waits 30s`.
    package var summary: String {
        switch kind {
        case .command(let service, let action):
            "\(service): \(action)" + (forEach.map { ", for each of \($0.items)" } ?? "")
        case .delay(let span): "waits \(DurationText.format(span))"
        case .until(.at(let instant)): "waits until \(Timeline.instant(instant))"
        case .until(.path(let path)): "waits until \(path)"
        case .signal(let name):
            "waits for signal '\(name)'" + (timeout.map { ", at most \(DurationText.format($0))" } ?? "")
        case .child(let definition, _): "child saga of \(definition)"
        }
    }

    /// What undoes it, in a few words; nil where nothing does.
    package var undoing: String? {
        switch answerer {
        case .child: "the child saga's own compensation"
        case .service, .clock, .signal: compensation
        }
    }

    /// The step whose result is a child saga's input.
    package var inputSource: Int? {
        guard case .child(_, let source) = kind else { return nil }
        return source
    }

    /// Whether somebody else executes it, so that it can be refused, or have an effect nobody knows of.
    package var isExecutedElsewhere: Bool {
        switch answerer {
        case .service, .child: true
        case .clock, .signal: false
        }
    }

    /// Whether attempts at it end in time, and are followed by others.
    package var hasAttempts: Bool {
        if case .service = answerer { true } else { false }
    }

    /// Whom an attempt of a phase asks for what: `→ payments (refund)`.
    package func request(of phase: Phase) -> String {
        switch answerer {
        case .service(let service): "→ \(service) (\(operation(of: phase) ?? "nothing"))"
        case .child(let definition):
            phase == .action ? "→ child saga of \(definition)" : "→ the child saga, to be undone"
        case .clock, .signal: summary
        }
    }
}

/// A branch with its state.
package struct Part: Sendable, Hashable {
    package var branch: Branch
    package var action: PhaseState
    package var compensation: PhaseState
    package var result: [UInt8]?

    package subscript(phase: Phase) -> PhaseState {
        switch phase {
        case .action: action
        case .compensation: compensation
        }
    }
}

extension Saga {
    /// Every step, each after its items.
    package var parts: [Part] {
        steps.indices.flatMap { index in
            let step = steps[index]
            let items = step.items.indices.map { item in
                Part(
                    branch: Branch(step: index, item: item), action: step.items[item].action,
                    compensation: step.items[item].compensation, result: step.items[item].result)
            }
            let whole = Part(
                branch: Branch(step: index), action: step.action, compensation: step.compensation, result: step.result)
            return items + [whole]
        }
    }
}
