import SagaWire
import Testing

/// What the authors of definition files are told about timers, child sagas, items, events and error codes.
struct DefinitionFileKindFaultTests {
    private static let name =
        "use 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit"
    private static let moment =
        "until must be a moment such as 2026-12-24T18:00:00Z, Unix milliseconds, or a path such as input.from"
    private static let way =
        "must be a path such as input.total or result.STEP.id"

    static let headers = [
        RefusedFile(
            "name: d\nversion: 1\nretention: 0s\nsteps: [{name: a, service: s, action: do}]",
            "3:12: retention 0ms is out of range: from 1ms to 365d"),
        RefusedFile(
            "name: d\nversion: 1\nretention: forever\nsteps: [{name: a, service: s, action: do}]",
            "3:12: retention must be a duration such as 250ms, 30s, 15m, 48h or 7d, not the text 'forever'"),
        RefusedFile(
            "name: d\nversion: 1\ntrigger: OrderCreated\nsteps: [{name: a, service: s, action: do}]",
            "3:10: trigger must be a mapping of keys to values, not the text 'OrderCreated'"),
        RefusedFile(
            "name: d\nversion: 1\ntrigger: {each: key}\nsteps: [{name: a, service: s, action: do}]",
            "3:10: the key 'event' is missing",
            "3:17: each must be event, not the text 'key'"),
        RefusedFile(
            "name: d\nversion: 1\ntrigger: {event: order created, eech: event}\n"
                + "steps: [{name: a, service: s, action: do}]",
            "3:18: 'order created' is no name: \(name)",
            "3:33: unknown key 'eech'; did you mean 'each'?"),
        RefusedFile(
            "name: d\nversion: 1\ntrigger: {event: [a]}\nsteps: [{name: a, service: s, action: do}]",
            "3:18: event must be text, not a list"),
    ]

    /// Parents and children of one file.
    static let families = [
        RefusedFile(
            "name: d\nversion: 1\nsteps:\n- {name: a, saga: c}\n- {name: b, service: s, action: do, pivot: true}\n"
                + "---\nname: c\nversion: 1\nsteps: [{name: p, service: s, action: do, pivot: true}]",
            "4:19: c@1 has a pivot, 'p', so step 'a' must be the pivot (pivot: true), or come after it"),
        RefusedFile(
            "name: c\nversion: 2\nsteps: [{name: p, service: s, action: do, pivot: true}]\n---\n"
                + "name: c\nversion: 1\nsteps: [{name: p, service: s, action: do, compensation: undo}]\n---\n"
                + "name: d\nversion: 1\nsteps: [{name: a, saga: c}]",
            "11:25: c@2 has a pivot, 'p', so step 'a' must be the pivot (pivot: true)"),
    ]

    static let kinds: [RefusedFile] = [
        .steps(
            "{name: a, until: soon}",
            faults: "2:18: \(moment), not the text 'soon'"),
        .steps(
            "{name: a, until: 2026-02-30T10:00:00Z}",
            faults: "2:18: \(moment), not the text '2026-02-30T10:00:00Z'"),
        .steps(
            "{name: a, until: 1.5}",
            faults: "2:18: \(moment), not the number 1.5"),
        .steps(
            "{name: a, until: -1}",
            faults: "2:18: until -1 is out of range: Unix milliseconds from 1970 to 9999"),
        .steps(
            "{name: a, until: [1]}",
            faults: "2:18: \(moment), not a list"),
        .steps(
            "{name: a, until: input.at, timeout: 5s, service: s, pivot: true, inputFrom: b}",
            faults: "2:37: an until step has no timeout: the moment is its time",
            "2:50: an until step has no service: it sends no command",
            "2:60: an until step has no pivot: it sends no command",
            "2:77: an until step has no inputFrom: it has no input"),
        .steps(
            "{name: a, until: result.b.at}",
            "{name: b, service: s, action: do}",
            faults: "2:18: 'a' cannot use the result of 'b', which does not come before it"),
        .steps(
            "{name: a, until: result.bb.at}",
            "{name: bbb, service: s, action: do}",
            faults: "2:18: there is no step 'bb'; did you mean 'bbb'?"),
        .steps(
            "{name: a, until: input.at, delay: 1s, saga: c}",
            faults: "2:18: a step is a delay or waits for a moment, not both: make two steps of it",
            "2:45: a step is a delay or is a child saga, not both: make two steps of it"),
        .steps(
            "{name: a, saga: c, signal: go}",
            faults: "2:17: a step waits for a signal or is a child saga, not both: make two steps of it"),
        .steps(
            "{name: a, saga: a b}",
            faults: "2:17: 'a b' is no name: \(name)"),
        .steps(
            "{name: a, saga: 7}",
            faults: "2:17: saga must be text (put it in quotes), not the number 7"),
        .steps(
            "{name: a, saga: d}",
            faults: "2:17: 'd' would start itself as its child, and so without end"),
        .steps(
            "{name: a, saga: c, service: s, action: do, compensation: undo, timeout: 5s, retry: {attempts: "
                + "1}, compensationRetry: {attempts: 1}, uses: [], forEach: input.items, noRetry: [a], "
                + "compensateOn: [b], stopOn: [c]}",
            faults: "2:29: a child saga step has no service: it sends no command",
            "2:40: a child saga step has no action: it sends no command",
            "2:58: a child saga step has no compensation: compensating the step compensates the child",
            "2:73: a child saga step has no timeout: the child's own deadline is its time",
            "2:84: a child saga step has no retry: the child's own steps are retried",
            "2:118: a child saga step has no compensationRetry: the child's own steps are retried",
            "2:139: a child saga step has no uses: its input is the saga's own, or with inputFrom an "
                + "earlier step's result",
            "2:152: a child saga step has no forEach: it sends no command",
            "2:174: a child saga step has no noRetry: an error code is a command's",
            "2:193: a child saga step has no compensateOn: an error code is a command's",
            "2:206: a child saga step has no stopOn: an error code is a command's"),
        .steps(
            "{name: a, saga: c, compensation: null}",
            faults: "2:34: a child saga step has no compensation: compensating the step compensates the child"),
        .steps(
            "{name: a, service: s, action: do}",
            "{name: b, saga: c, inputFrom: aa}",
            faults: "3:31: there is no step 'aa'"),
        .steps(
            "{name: a, saga: c, inputFrom: b}",
            "{name: b, service: s, action: do}",
            faults: "2:31: 'a' cannot use the result of 'b', which does not come before it"),
        .steps(
            "{name: a, saga: c, inputFrom: a}",
            faults: "2:31: a step cannot use its own result"),
        .steps(
            "{name: a, saga: c, inputFrom: [a]}",
            faults: "2:31: inputFrom must be text, not a list"),
        .steps(
            "{name: a, service: s, action: do}",
            "{name: b, service: s, action: do, inputFrom: a}",
            faults: "3:46: inputFrom is a child saga's (saga: DEFINITION): a command gets the saga's input, and "
                + "results by uses"),
        .steps(
            "{name: a, service: s, action: do, pivot: true}",
            "{name: b, saga: c, pivot: true}",
            faults: "3:27: a second pivot: 'a' is one already, and a definition has at most one"),
        .steps(
            "{name: a, delay: 1s, forEach: input.items, noRetry: [a], stopOn: [b]}",
            faults: "2:31: a delay step has no forEach: it sends no command",
            "2:53: a delay step has no noRetry: it sends no command",
            "2:66: a delay step has no stopOn: it sends no command"),
        .steps(
            "{name: a, signal: go, uses: [], compensateOn: [c]}",
            faults: "2:29: a signal step has no uses: it sends no command",
            "2:47: a signal step has no compensateOn: it sends no command"),
    ]

    static let values: [RefusedFile] = [
        .steps(
            "{name: a, service: s, action: do, forEach: items}",
            faults: "2:44: forEach \(way), not the text 'items'"),
        .steps(
            "{name: a, service: s, action: do, forEach: {parallel: 4}}",
            faults: "2:44: the key 'items' is missing"),
        .steps(
            "{name: a, service: s, action: do, forEach: {items: input.items, parallel: 0}}",
            faults: "2:75: parallel 0 is out of range: from 1 to 100"),
        .steps(
            "{name: a, service: s, action: do, forEach: {item: input.items, parallel: many}}",
            faults: "2:45: unknown key 'item'; did you mean 'items'?",
            "2:74: parallel must be a whole number, not the text 'many'"),
        .steps(
            "{name: a, service: s, action: do, forEach: [a]}",
            faults: "2:44: forEach \(way), not a list"),
        .steps(
            "{name: a, service: s, action: do, forEach: input.items, pivot: true}",
            faults: "2:44: the pivot is one transaction: put it into a step of its own"),
        .steps(
            "{name: a, service: s, action: do, forEach: result.b.items}",
            "{name: b, service: s, action: do}",
            faults: "2:44: 'a' cannot use the result of 'b', which does not come before it"),
        .steps(
            "{name: a, service: s, action: do, forEach: {items: result.a}}",
            faults: "2:52: a step cannot use its own result"),
        .steps(
            "{name: a, service: s, action: do, emits: Done}",
            faults: "2:42: emits must be a mapping of keys to values, not the text 'Done'"),
        .steps(
            "{name: a, service: s, action: do, emits: {}}",
            faults: "2:42: emits needs a topic: that of succeeded, of failed, or both"),
        .steps(
            "{name: a, service: s, action: do, emits: {succeded: a b, failed: 3}}",
            faults: "2:42: 'a b' is no name: \(name)",
            "2:43: unknown key 'succeded'; did you mean 'succeeded'?",
            "2:66: failed must be text (put it in quotes), not the number 3"),
        .steps(
            "{name: a, delay: 1s, emits: {failed: \"{x}\"}}",
            faults: "2:38: '{x}' is no name: \(name)"),
        .steps(
            "{name: a, service: s, action: do, noRetry: no-stock}",
            faults: "2:44: noRetry must be a list of error codes, not the text 'no-stock'"),
        .steps(
            "{name: a, service: s, action: do, noRetry: []}",
            faults: "2:44: noRetry needs at least one error code: remove it where there is none"),
        .steps(
            "{name: a, service: s, action: do, noRetry: [404, \"no stock\", \"\", timeout, timeout]}",
            faults: "2:45: noRetry must be a list of error codes, each a text (put numbers in quotes), not the "
                + "number 404",
            "2:50: 'no stock' is no error code: use 1 to 64 printable ASCII characters, no spaces",
            "2:62: '' is no error code: use 1 to 64 printable ASCII characters, no spaces",
            "2:75: 'timeout' is named twice"),
        .steps(
            "{name: a, service: s, action: do, stopOn: [\((0..<33).map { "e\($0)" }.joined(separator: ", "))]}",
            faults: "2:43: 33 error codes are too many: at most 32"),
        .steps(
            "{name: a, service: s, action: do, compensateOn: [a], stopOn: [b]}",
            faults: "2:62: compensateOn says already that every other code waits for an operator: remove one of the "
                + "two"),
        .steps(
            "{name: a, service: s, action: do, compensateOn: [a], noRetry: [timeout], pivot: true}",
            "{name: b, service: s, action: do, stopOn: [b]}",
            faults: "2:49: the pivot turns the saga back only where it answers failed: remove compensateOn",
            "2:63: the pivot is retried until its outcome is known: remove noRetry",
            "3:43: 'b' comes after the pivot 'a', from where no saga turns back: remove stopOn"),
    ]

    @Test(arguments: headers) func retentionAndTriggersAreChecked(file: RefusedFile) { file.check(name: "order.yaml") }
    @Test(arguments: families) func pivotsOfChildrenAreChecked(file: RefusedFile) { file.check(name: "order.yaml") }
    @Test(arguments: kinds) func kindsOfStepsAreChecked(file: RefusedFile) { file.check(name: "order.yaml") }
    @Test(arguments: values) func itemsEventsAndCodesAreChecked(file: RefusedFile) { file.check(name: "order.yaml") }
}
