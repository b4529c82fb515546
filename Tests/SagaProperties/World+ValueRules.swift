import SagaCore

/// Rules about what payloads decide: conditions and lists, evaluated here once more.
extension World {
    func checkValues(_ transition: Transition) throws(Violation) {
        let after = transition.after
        for (index, step) in after.definition.steps.enumerated() {
            let was = transition.before?.steps[index].action ?? StepState().action
            let now = after.steps[index].action
            // A pivot that waits has not begun.
            guard was.attempts == 0, [.none, .pending, .stuck].contains(was.status),
                ![.none, .pending].contains(now.status)
            else { continue }
            let (condition, list) = (step.when.map { after.answer(to: $0) } ?? true, step.forEach.map(after.list))
            let isRight: Bool
            switch now.status {
            case .omitted: isRight = condition == false
            case .failed where now.attempts == 0, .stuck where now.attempts == 0:
                isRight = condition == nil || condition == true && list == .some(nil)
            case .skipped where was.status == .stuck, .unknown: isRight = true
            default: isRight = condition == true && list != .some(nil)
            }
            guard isRight else {
                let met = condition.map { "\($0)" } ?? "no answer"
                throw Violation(rule: .conditions, details: "s\(index) is \(now.status), its condition: \(met)")
            }
            if now.status == .running, step.forEach != nil, list != .some(after.steps[index].items.map(\.value)) {
                throw Violation(rule: .conditions, details: "s\(index) has other items than its list")
            }
        }
    }

    /// No more branches of a step are under way at once than it says.
    func checkParallel(_ transition: Transition) throws(Violation) {
        for (index, step) in transition.after.steps.enumerated() where !step.items.isEmpty {
            guard let forEach = transition.after.definition.steps[index].forEach else { continue }
            for phase in Phase.allCases {
                let count = step.items.count { $0[phase].isActive && !$0[phase].waitsForRoom }
                guard count > forEach.parallel else { continue }
                throw Violation(
                    rule: .parallel, details: "\(count) of s\(index)'s \(phase)s, not \(forEach.parallel)")
            }
        }
    }
}

extension Saga {
    /// Whether a condition is met; nil where a payload that it asks about is no JSON.
    fileprivate func answer(to condition: Condition) -> Bool? {
        switch condition {
        case .test(let path, let test): return lookUp(path).map { test.isPassed(by: $0) }
        case .all(let parts):
            for part in parts {
                guard let answer = answer(to: part) else { return nil }
                if !answer { return false }
            }
            return true
        case .any(let parts):
            for part in parts {
                guard let answer = answer(to: part) else { return nil }
                if answer { return true }
            }
            return false
        case .not(let part): return answer(to: part).map { !$0 }
        }
    }

    /// A list's elements as JSON; nil where there is no list.
    fileprivate func list(_ forEach: ForEach) -> [[UInt8]]? {
        guard let found = lookUp(forEach.items), let elements = found?.array else { return nil }
        return elements.map { element in
            var writer = JSONWriter()
            writer.value(element)
            return writer.bytes
        }
    }

    /// The value at a path, which may be none; nil where the payload is no JSON.
    private func lookUp(_ path: ValuePath) -> JSON?? {
        let payload: [UInt8]
        switch path.root {
        case .input: payload = started.input
        case .result(let name): payload = definition.step(named: name).flatMap { steps[$0].result } ?? []
        }
        if payload.isEmpty { return .some(nil) }
        // What is wrong with it is another test's affair.
        guard var value = try? JSON.parse(payload) else { return nil }
        for key in path.keys {
            guard let next = value[key] ?? Int(key).flatMap({ value[$0] }) else { return .some(nil) }
            value = next
        }
        return value
    }
}

extension Condition.Test {
    /// The tests that random conditions have, of integers and short texts.
    fileprivate func isPassed(by value: JSON?) -> Bool {
        if case .exists(let isThere) = self { return isThere == (value != nil) }
        guard let value else { return false }
        switch self {
        case .equals(let other): return value == other
        case .notEquals(let other): return value != other
        case .greaterThan(let other): return ordered(value, other) { $0 > $1 }
        case .atMost(let other): return ordered(value, other) { $0 <= $1 }
        case .isOneOf(let others): return others.contains(value)
        case .hasPrefix(let prefix): return value.string?.hasPrefix(prefix) ?? false
        case .lessThan(let other): return ordered(value, other) { $0 < $1 }
        case .atLeast(let other): return ordered(value, other) { $0 >= $1 }
        case .exists: return true
        }
    }

    private func ordered(_ left: JSON, _ right: JSON, _ holds: (Int64, Int64) -> Bool) -> Bool {
        guard let left = left.integer, let right = right.integer else { return false }
        return holds(left, right)
    }
}
