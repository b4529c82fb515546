import SagaCore

extension SagaCase {
    /// A test that repeats this case, to be pasted into a suite.
    package var source: String {
        var lines = ["@Test func aFoundCase() throws {", "    try SagaCase("]
        if id != "saga" { lines.append("        id: \(quoted(id)),") }
        lines.append("        draft: \(draft.source),")
        if !children.isEmpty {
            lines.append("        children: [")
            for child in children { lines.append("            \(child.source),") }
            lines.append("        ],")
        }
        if !input.isEmpty { lines.append("        input: \(quoted(input)),") }
        if !results.isEmpty { lines.append("        results: \(list(results)),") }
        if let startDelay { lines.append("        startDelay: \(startDelay),") }
        if isAfterRewind { lines.append("        isAfterRewind: true,") }
        if isReplicated { lines.append("        isReplicated: true,") }
        let texts = choices.map(\.source).joined(separator: ", ")
        lines += ["        choices: [\(texts)]", "    ).run()", "}"]
        return lines.joined(separator: "\n")
    }

}

extension DefinitionDraft {
    fileprivate var source: String {
        var parts = ["name: \(quoted(name))", "version: \(version)"]
        if let deadline { parts.append("deadline: \(deadline)") }
        if let durability { parts.append("durability: .\(durability)") }
        if let order { parts.append("order: .\(order)") }
        if let whenStuck { parts.append("whenStuck: .\(whenStuck)") }
        let texts = steps.map { "                \($0.source),\n" }
        return
            "DefinitionDraft(\n            \(parts.joined(separator: ", ")), steps: [\n\(texts.joined())            ])"
    }
}

extension StepDraft {
    fileprivate var source: String {
        var parts = ["name: \(quoted(name))"]
        if let service { parts.append("service: \(quoted(service))") }
        if let action { parts.append("action: \(quoted(action))") }
        if let delay { parts.append("delay: \(delay)") }
        if let signal { parts.append("signal: \(quoted(signal))") }
        if let saga { parts.append("saga: \(quoted(saga))") }
        if let inputFrom { parts.append("inputFrom: \(quoted(inputFrom))") }
        if let when { parts.append("when: \(when.source)") }
        if let forEach { parts.append("forEach: \(forEach.source)") }
        switch compensation {
        case .absent: break
        case .none: parts.append("compensation: .none")
        case .operation(let operation): parts.append("compensation: .operation(\(quoted(operation)))")
        }
        if let timeout { parts.append("timeout: \(timeout)") }
        if let retry { parts.append("retry: \(retry.source)") }
        if let compensationRetry { parts.append("compensationRetry: \(compensationRetry.source)") }
        if let noRetry { parts.append("noRetry: \(list(noRetry))") }
        if let compensateOn { parts.append("compensateOn: \(list(compensateOn))") }
        if let stopOn { parts.append("stopOn: \(list(stopOn))") }
        if let after { parts.append("after: \(list(after))") }
        if let uses { parts.append("uses: \(list(uses))") }
        if isPivot { parts.append("isPivot: true") }
        return "StepDraft(" + parts.joined(separator: ", ") + ")"
    }
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
        case .execute(let place, let will): ".execute(\(place), \(will.source))"
        case .answer(let place): ".answer(\(place))"
        case .loseCommand(let place): ".loseCommand(\(place))"
        case .loseAnswer(let place): ".loseAnswer(\(place))"
        case .doubleCommand(let place): ".doubleCommand(\(place))"
        case .doubleAnswer(let place): ".doubleAnswer(\(place))"
        case .beat(let place): ".beat(\(place))"
        case .pass(let span): ".pass(\(span))"
        case .order(let operation, let step, let saga):
            ".order(.\(operation)\(step.map { ", step: \($0)" } ?? "")\(saga == 0 ? "" : ", saga: \(saga)"))"
        case .signal(let number, let id, let saga):
            ".signal(\(number)\(id.map { ", id: \($0)" } ?? "")\(saga == 0 ? "" : ", saga: \(saga)"))"
        case .confirm(let saga): ".confirm(\(saga == 0 ? "" : "saga: \(saga)"))"
        case .rewind(let count): ".rewind(losing: \(count))"
        }
    }
}

extension Will {
    fileprivate var source: String {
        switch self {
        case .succeed: return ".succeed"
        case .refuse(let code): return ".refuse(\(code.map { "code: \(quoted($0))" } ?? ""))"
        case .stumble(let retryAfter, let code):
            let parts = [retryAfter.map { "retryAfter: \($0)" }, code.map { "code: \(quoted($0))" }]
            return ".stumble(\(parts.compactMap(\.self).joined(separator: ", ")))"
        }
    }
}

extension Condition {
    fileprivate var source: String {
        switch self {
        case .test(let path, let test): ".test(\(path.source), \(test.source))"
        case .all(let parts): ".all([\(parts.map(\.source).joined(separator: ", "))])"
        case .any(let parts): ".any([\(parts.map(\.source).joined(separator: ", "))])"
        case .not(let part): ".not(\(part.source))"
        }
    }
}

extension Condition.Test {
    fileprivate var source: String {
        switch self {
        case .equals(let value): ".equals(\(value.source))"
        case .notEquals(let value): ".notEquals(\(value.source))"
        case .greaterThan(let value): ".greaterThan(\(value.source))"
        case .lessThan(let value): ".lessThan(\(value.source))"
        case .atLeast(let value): ".atLeast(\(value.source))"
        case .atMost(let value): ".atMost(\(value.source))"
        case .isOneOf(let values): ".isOneOf([\(values.map(\.source).joined(separator: ", "))])"
        case .exists(let isThere): ".exists(\(isThere))"
        case .hasPrefix(let prefix): ".hasPrefix(\(quoted(prefix)))"
        }
    }
}

extension JSON {
    /// Scalars, which is all that a condition compares with.
    fileprivate var source: String {
        switch self {
        case .number(let text): text
        case .string(let text): quoted(text)
        case .bool(let value): "\(value)"
        case .null, .array, .object: ".null"
        }
    }
}

extension ForEach {
    fileprivate var source: String { "ForEach(\(items.source), parallel: \(parallel))" }
}

extension ValuePath {
    fileprivate var source: String {
        switch root {
        case .input: "ValuePath(.input, \(list(keys)))"
        case .result(let step): "ValuePath(.result(\(quoted(step))), \(list(keys)))"
        }
    }
}

private func list(_ texts: [String]) -> String { "[" + texts.map(quoted).joined(separator: ", ") + "]" }

/// A literal of a text that needs no escapes but these two.
private func quoted(_ text: String) -> String {
    let escaped = text.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : "\($0)" }
    return "\"\(escaped.joined())\""
}
