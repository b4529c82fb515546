import SagaCore

extension SagaCase {
    /// A test that repeats this case, to be pasted into a suite.
    package var source: String {
        var lines = ["@Test func aFoundCase() throws {", "    try SagaCase("]
        if id != "saga" { lines.append("        id: \(quoted(id)),") }
        lines.append("        draft: \(header), steps: [")
        for step in draft.steps { lines.append("                \(step.source),") }
        lines.append("            ]),")
        if let startDelay { lines.append("        startDelay: \(startDelay),") }
        if isAfterRewind { lines.append("        isAfterRewind: true,") }
        let texts = choices.map(\.source).joined(separator: ", ")
        lines += ["        choices: [\(texts)]", "    ).run()", "}"]
        return lines.joined(separator: "\n")
    }

    private var header: String {
        var parts = ["name: \(quoted(draft.name))", "version: \(draft.version)"]
        if let deadline = draft.deadline { parts.append("deadline: \(deadline)") }
        if let durability = draft.durability { parts.append("durability: .\(durability)") }
        if let order = draft.order { parts.append("order: .\(order)") }
        if let whenStuck = draft.whenStuck { parts.append("whenStuck: .\(whenStuck)") }
        return "DefinitionDraft(\n            " + parts.joined(separator: ", ")
    }
}

extension StepDraft {
    fileprivate var source: String {
        var parts = ["name: \(quoted(name))"]
        if let service { parts.append("service: \(quoted(service))") }
        if let action { parts.append("action: \(quoted(action))") }
        if let delay { parts.append("delay: \(delay)") }
        if let signal { parts.append("signal: \(quoted(signal))") }
        switch compensation {
        case .absent: break
        case .none: parts.append("compensation: .none")
        case .operation(let operation): parts.append("compensation: .operation(\(quoted(operation)))")
        }
        if let timeout { parts.append("timeout: \(timeout)") }
        if let retry { parts.append("retry: \(retry.source)") }
        if let compensationRetry { parts.append("compensationRetry: \(compensationRetry.source)") }
        if let after { parts.append("after: \(list(after))") }
        if let uses { parts.append("uses: \(list(uses))") }
        if isPivot { parts.append("isPivot: true") }
        return "StepDraft(" + parts.joined(separator: ", ") + ")"
    }

    private func list(_ names: [String]) -> String { "[" + names.map(quoted).joined(separator: ", ") + "]" }
}

extension RetryPolicyDraft {
    fileprivate var source: String {
        var parts: [String] = []
        if let attempts { parts.append("attempts: \(attempts)") }
        if let initial { parts.append("initial: \(initial)") }
        if let factor { parts.append("factor: \(factor)") }
        if let max { parts.append("max: \(max)") }
        if let jitter { parts.append("jitter: \(jitter)") }
        return "RetryPolicyDraft(" + parts.joined(separator: ", ") + ")"
    }
}

extension Choice {
    var source: String {
        switch self {
        case .execute(let place, .succeed): ".execute(\(place))"
        case .execute(let place, .refuse): ".execute(\(place), .refuse)"
        case .execute(let place, .stumble(nil)): ".execute(\(place), .stumble())"
        case .execute(let place, .stumble(let span?)): ".execute(\(place), .stumble(retryAfter: \(span)))"
        case .answer(let place): ".answer(\(place))"
        case .loseCommand(let place): ".loseCommand(\(place))"
        case .loseAnswer(let place): ".loseAnswer(\(place))"
        case .doubleCommand(let place): ".doubleCommand(\(place))"
        case .doubleAnswer(let place): ".doubleAnswer(\(place))"
        case .beat(let place): ".beat(\(place))"
        case .pass(let span): ".pass(\(span))"
        case .order(let operation, nil): ".order(.\(operation))"
        case .order(let operation, let step?): ".order(.\(operation), step: \(step))"
        case .signal(let number, nil): ".signal(\(number))"
        case .signal(let number, let id?): ".signal(\(number), id: \(id))"
        case .rewind(let count): ".rewind(losing: \(count))"
        }
    }
}

/// A literal of a text that needs no escapes but these two.
private func quoted(_ text: String) -> String {
    let escaped = text.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : "\($0)" }
    return "\"\(escaped.joined())\""
}
