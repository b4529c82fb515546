/// Conditions that are written in Swift.
///
/// ```swift
/// StepDraft("charge", service: "payments", action: "charge")
///     .when(Condition("input.total", .greaterThan(0)) && !Condition("result.check.risk", .isOneOf(["high"])))
/// ```
extension Condition {
    /// Tests of one path, all of which must hold.
    ///
    /// - Precondition: `path` is a path: `input…` or `result.STEP…`, its parts divided by dots. For a path that does
    ///   not stand in the source, see ``init(path:_:_:)``.
    public init(_ path: StaticString, _ test: Test, _ further: Test...) {
        self.init(ValuePath(literal: path), [test] + further)
    }

    /// Tests of one path, all of which must hold; nil where the text is no path.
    public init?(path: String, _ test: Test, _ further: Test...) {
        guard let path = ValuePath(path) else { return nil }
        self.init(path, [test] + further)
    }

    private init(_ path: ValuePath, _ tests: [Test]) {
        self = tests.count == 1 ? .test(path, tests[0]) : .all(tests.map { .test(path, $0) })
    }

    /// Both must hold.
    public static func && (left: Condition, right: Condition) -> Condition {
        func parts(_ condition: Condition) -> [Condition] {
            if case .all(let parts) = condition { return parts }
            return [condition]
        }
        return .all(parts(left) + parts(right))
    }

    /// One of them must hold.
    public static func || (left: Condition, right: Condition) -> Condition {
        func parts(_ condition: Condition) -> [Condition] {
            if case .any(let parts) = condition { return parts }
            return [condition]
        }
        return .any(parts(left) + parts(right))
    }

    /// It must not hold.
    public static prefix func ! (condition: Condition) -> Condition { .not(condition) }
}

extension Condition.Test {
    /// The test's key in definition files.
    package var key: String {
        switch self {
        case .equals: "equals"
        case .notEquals: "notEquals"
        case .greaterThan: "greaterThan"
        case .lessThan: "lessThan"
        case .atLeast: "atLeast"
        case .atMost: "atMost"
        case .isOneOf: "in"
        case .exists: "exists"
        case .hasPrefix: "prefix"
        }
    }
}

extension ValuePath {
    /// - Precondition: the text is a path.
    init(literal text: StaticString) {
        guard let path = ValuePath("\(text)") else {
            preconditionFailure("'\(text)' is no path: write input or result.STEP, and names behind dots")
        }
        self = path
    }
}

extension Moment {
    /// What people write: an instant (`2026-12-24T18:00:00Z`), or the path to one; nil where the text is neither.
    public init?(parsing text: String) {
        if let instant = InstantText.parse(text) {
            self = .at(instant)
        } else if let path = ValuePath(text) {
            self = .path(path)
        } else {
            return nil
        }
    }
}

extension Moment: ExpressibleByStringLiteral {
    /// - Precondition: the text is an instant or a path. See ``init(parsing:)``.
    public init(stringLiteral text: String) {
        guard let moment = Moment(parsing: text) else {
            preconditionFailure("'\(text)' is no moment: write one such as 2026-12-24T18:00:00Z, or a path")
        }
        self = moment
    }
}
