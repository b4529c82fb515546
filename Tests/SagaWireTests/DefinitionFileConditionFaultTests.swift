import SagaWire
import Testing

/// What the authors of definition files are told about conditions: the whole line, for each rule.
struct DefinitionFileConditionFaultTests {
    private static let way =
        "must be a path such as input.total or result.STEP.id"
    private static let tests =
        "equals, notEquals, greaterThan, lessThan, atLeast, atMost, in, exists, prefix"

    static let conditions: [RefusedFile] = [
        .steps(
            "{name: a, service: s, action: do, when: input.total}",
            faults: "2:41: a condition must be a mapping of keys to values, not the text 'input.total'"),
        .steps(
            "{name: a, service: s, action: do, when: {}}",
            faults: "2:41: a condition needs a path and a test, or one of and, or, not"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input.total}}",
            faults: "2:41: a path needs a test: one of \(tests)"),
        .steps(
            "{name: a, service: s, action: do, when: {equals: 1}}",
            faults: "2:41: the key 'path' is missing"),
        .steps(
            "{name: a, service: s, action: do, when: {pth: input.total, greaterThn: 0}}",
            faults: "2:42: unknown key 'pth'; did you mean 'path'?",
            "2:60: unknown key 'greaterThn'; did you mean 'greaterThan'?"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input.total, gt: 0}}",
            faults: "2:61: unknown key 'gt' here: known are path, \(tests), and, or, not"),
        .steps(
            "{name: a, service: s, action: do, when: {path: total, equals: 1}}",
            faults: "2:48: path \(way), not the text 'total'"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input..total, equals: 1}}",
            faults: "2:48: path \(way), not the text 'input..total'"),
        .steps(
            "{name: a, service: s, action: do, when: {path: result, equals: 1}}",
            faults: "2:48: path \(way), not the text 'result'"),
        .steps(
            "{name: a, service: s, action: do, when: {path: 3, exists: true}}",
            faults: "2:48: path \(way), not the number 3"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input.total, equals: [1]}}",
            faults: "2:69: equals must be text, a number, true, false or null, not a list"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input.total, notEquals: {a: 1}}}",
            faults: "2:72: notEquals must be text, a number, true, false or null, not a mapping"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input.total, greaterThan: true}}",
            faults: "2:74: greaterThan must be a number or a text: nothing else has an order"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input.total, atLeast: null, atMost: no}}",
            faults: "2:70: atLeast must be a number or a text: nothing else has an order"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input.total, lessThan: 1e999}}",
            faults: "2:71: the number '1e999' is too large to be compared with"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input.kind, in: gold}}",
            faults: "2:64: in must be a list of texts, numbers, true, false or null, not the text 'gold'"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input.kind, in: []}}",
            faults: "2:64: in needs at least one value"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input.kind, in: [gold, [silver]]}}",
            faults: "2:71: in must be a list of texts, numbers, true, false or null, not a list"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input.kind, exists: yes}}",
            faults: "2:68: exists must be true or false, not the text 'yes'"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input.kind, prefix: 7}}",
            faults: "2:68: prefix must be text (put it in quotes), not the number 7"),
        .steps(
            "{name: a, service: s, action: do, when: {and: {path: input.a, exists: true}}}",
            faults: "2:47: and must be a list of conditions, not a mapping"),
        .steps(
            "{name: a, service: s, action: do, when: {and: []}}",
            faults: "2:47: and needs at least one condition"),
        .steps(
            "{name: a, service: s, action: do, when: {or: [], not: {path: input.a, exists: true}}}",
            faults: "2:46: or needs at least one condition",
            "2:55: a condition has one of and, or, not: put not into a list of or"),
        .steps(
            "{name: a, service: s, action: do, when: {or: [{path: input.a, exists: true}, {not: [1]}, "
                + "{path: input.b, lesThan: 3}, go]}}",
            faults: "2:84: a condition must be a mapping of keys to values, not a list",
            "2:106: unknown key 'lesThan'; did you mean 'lessThan'?",
            "2:119: a condition must be a mapping of keys to values, not the text 'go'"),
        .steps(
            "{name: a, service: s, action: do, when: {path: input.a, exists: true, not: {path: input.b, "
                + "exists: true}}}",
            faults: "2:41: a condition is a test or a combination, not both: put the two into a list of and"),
        .steps(
            "{name: a, service: s, action: do, when: {not: {and: [{path: input.a, exists: true}, {or: []}]}}}",
            faults: "2:90: or needs at least one condition"),
        .steps(
            "{name: a, service: s, action: do, when: {not: {not: {not: {not: {not: {not: {not: {not: {path: "
                + "input.a, exists: true}}}}}}}}}}",
            faults: "2:41: the condition is nested 9 levels deep: at most 8"),
    ]

    private static let test = "{path: input.a, exists: true}"

    static let sizes: [RefusedFile] = [
        .steps(
            "{name: a, delay: 1s, when: {or: [\(Array(repeating: test, count: 65).joined(separator: ","))]}}",
            faults: "2:28: 65 tests are too many for one condition: at most 64"),
        .steps(
            "{name: a, delay: 1s, when: {path: input.a, equals: \(String(repeating: "x", count: 16_384))}}",
            faults: "2:28: the condition takes 16395 bytes: at most 16384"),
        .steps(
            "{name: a, delay: 1s, when: {not: {path: input.\(String(repeating: "x", count: 1_019)), equals: 1}}}",
            faults: "2:41: the path is 1025 bytes long: at most 1024"),
        .steps(
            "{name: a, service: s, action: do, forEach: input.\(String(repeating: "x", count: 2_000))}",
            faults: "2:44: the path is 2006 bytes long: at most 1024"),
        .steps(
            "{name: a, until: input.\(String(repeating: "x", count: 2_000))}",
            faults: "2:18: the path is 2006 bytes long: at most 1024"),
    ]

    static let references: [RefusedFile] = [
        .steps(
            "{name: create, service: s, action: do}",
            "{name: b, service: s, action: do, when: {path: result.craete.id, exists: true, prefix: x}}",
            faults: "3:48: there is no step 'craete'; did you mean 'create'?"),
        .steps(
            "{name: a, service: s, action: do, when: {not: {path: result.a.id, exists: true}}}",
            faults: "2:54: a step cannot use its own result"),
        .steps(
            "{name: a, service: s, action: do, when: {or: [{path: input.a, exists: true}, {path: "
                + "result.b.id, greaterThan: 1, lessThan: 3}]}}",
            "{name: b, service: s, action: do}",
            faults: "2:85: 'a' cannot use the result of 'b', which does not come before it"),
    ]

    @Test(arguments: conditions) func conditionsAreChecked(file: RefusedFile) { file.check(name: "order.yaml") }
    @Test(arguments: sizes) func conditionsAreBounded(file: RefusedFile) { file.check(name: "order.yaml") }
    @Test(arguments: references) func resultsInConditionsAreChecked(file: RefusedFile) {
        file.check(name: "order.yaml")
    }
}
