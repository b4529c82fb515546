import SagaWire
import Testing

/// What the authors of definition files are told about links, pivots and retries.
struct DefinitionFileOrderTests {
    static let orders = [
        RefusedFile.steps(
            "{name: create, service: s, action: do}", "{name: b, service: s, action: do, after: [craete, b]}",
            faults: "3:43: there is no step 'craete'; did you mean 'create'?", "3:51: a step cannot come after itself"),
        .steps(
            "{name: a, service: s, action: do}", "{name: b, service: s, action: do, after: a}",
            faults: "3:42: after must be a list of steps' names, not the text 'a'"),
        .steps(
            "{name: a, service: s, action: do}", "{name: b, service: s, action: do, after: [a, 1], uses: [zzz]}",
            faults: "3:46: after must be a list of steps' names, not the number 1"),
        .steps(
            "{name: a, service: s, action: do, after: [c]}", "{name: b, service: s, action: do}",
            "{name: c, service: s, action: do}",
            faults: "2:42: the order of the steps has a cycle: a → b → c → a"),
        .steps(
            "{name: a, service: s, action: do, uses: [b, a, x]}", "{name: b, service: s, action: do, uses: [a, a]}",
            faults: "2:45: a step cannot use its own result", "2:48: there is no step 'x'", "3:45: 'a' is named twice"),
        .steps(
            "{name: a, service: s, action: do, uses: [b]}", "{name: b, service: s, action: do}",
            faults: "2:42: 'a' cannot use the result of 'b', which does not come before it"),
        .steps(
            "{name: a, service: s, action: do, pivot: true}", "{name: b, service: s, action: do, pivot: true}",
            faults: "3:42: a second pivot: 'a' is one already, and a definition has at most one"),
        .steps(
            "{name: a, service: s, action: do, pivot: yes}",
            faults: "2:42: pivot must be true or false, not the text 'yes'"),
        .steps(
            "{name: a, service: s, action: do}", "{name: b, service: s, action: do, after: [a], pivot: true}",
            "{name: c, service: s, action: do, after: [a]}",
            faults: "4:1: 'c' is neither before nor after the pivot 'b': every other step must be one of them"),
        .steps(
            "{name: a, service: s, action: do, pivot: true}",
            "{name: b, service: s, action: do, compensation: undo}",
            faults: "3:49: 'b' comes after the pivot 'a' and is never undone: remove the compensation"),
        .steps(
            "{name: a, service: s, action: do, pivot: true, compensation: undo}",
            faults: "2:62: the pivot is retried until its outcome is known, and not undone once it succeeded: "
                + "remove the compensation"),
        .steps(
            "{name: a, service: s, action: do, pivot: true, retry: {attempts: 5}}",
            faults: "2:66: the pivot is retried without end: attempts must be 0 or absent"),
    ]

    static let retries = [
        RefusedFile.steps(
            "{name: a, service: s, action: do, retry: 5}",
            faults: "2:42: retry must be a mapping of keys to values, not the number 5"),
        .steps(
            "{name: a, service: s, action: do, retry: {attempts: 1000001, factor: 0.5, jitter: 1.5}}",
            faults: "2:53: attempts 1000001 is out of range: from 0 to 1000000, and 0 is without end",
            "2:70: factor 0.5 is out of range: from 1 to 100", "2:83: jitter 1.5 is out of range: from 0 to 1"),
        .steps(
            "{name: a, service: s, action: do, retry: {attempts: ten, factor: two, jitter: .5}}",
            faults: "2:53: attempts must be a whole number, not the text 'ten'",
            "2:66: factor must be a number, not the text 'two'", "2:79: jitter must be a number, not the text '.5'"),
        .steps(
            "{name: a, service: s, action: do, retry: {initial: 1m}}",
            faults: "2:52: initial 1m is longer than max 30s (the default)"),
        .steps(
            "{name: a, service: s, action: do, retry: {max: 100ms}}",
            faults: "2:48: initial 200ms (the default) is longer than max 100ms"),
        .steps(
            "{name: a, service: s, action: do, compensation: undo, compensationRetry: {initial: 2h, max: 90m}}",
            faults: "2:84: initial 2h is longer than max 90m"),
        .steps(
            "{name: a, service: s, action: do, compensationRetry: {attempts: 5}}",
            faults: "2:54: there is no compensation to retry: remove compensationRetry"),
        .steps(
            "{name: a, service: s, action: do, retry: {initial: 0ms, max: 400d}}",
            faults: "2:52: initial 0ms is out of range: from 1ms to 365d",
            "2:62: max 400d is out of range: from 1ms to 365d"),
    ]

    @Test(arguments: orders) func theOrderIsChecked(file: RefusedFile) { file.check(name: "order.yaml") }
    @Test(arguments: retries) func retriesAreChecked(file: RefusedFile) { file.check(name: "order.yaml") }
}
