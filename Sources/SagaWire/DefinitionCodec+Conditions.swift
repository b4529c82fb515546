import SagaCore

extension JSONWriter {
    /// A condition in the form that definition files have: each test in a mapping of its own.
    mutating func condition(_ condition: Condition) {
        beginObject()
        switch condition {
        case .test(let path, let test):
            field("path", path.description)
            name(text: test.key)
            operand(of: test)
        case .all(let parts): conditions("and", parts)
        case .any(let parts): conditions("or", parts)
        case .not(let part):
            name("not")
            self.condition(part)
        }
        endObject()
    }

    private mutating func conditions(_ name: StaticString, _ parts: [Condition]) {
        beginArray(name)
        for part in parts { condition(part) }
        endArray()
    }

    private mutating func operand(of test: Condition.Test) {
        switch test {
        case .equals(let value), .notEquals(let value), .greaterThan(let value), .lessThan(let value),
            .atLeast(let value), .atMost(let value):
            self.value(value)
        case .isOneOf(let values): self.value(.array(values))
        case .exists(let isThere): value(isThere)
        case .hasPrefix(let prefix): value(prefix)
        }
    }
}
