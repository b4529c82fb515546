import SagaWire
import Testing

/// What the authors of faulty definition files are told: the whole line, for each rule.
struct DefinitionFileFaultTests {
    private static let name = "use 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit"
    private static let stepName = "use 1 to 64 letters, digits, '_' or '-', the first a letter or digit"
    private static let duration = "must be a duration such as 250ms, 30s, 15m, 48h or 7d"
    private static let known = "known are name, version, deadline, durability, compensation, retention, trigger, steps"

    static let headers = [
        RefusedFile("", "1:1: there is no definition in this file"),
        RefusedFile("# only a comment\n---\n---\n", "1:1: there is no definition in this file"),
        RefusedFile("just text", "1:1: a definition must be a mapping of keys to values, not the text 'just text'"),
        RefusedFile("- name: a", "1:1: a definition must be a mapping of keys to values, not a list"),
        RefusedFile(
            "durability: async", "1:1: the key 'name' is missing", "1:1: the key 'version' is missing",
            "1:1: the key 'steps' is missing"),
        RefusedFile(
            "name: my order\nversion: 1\nsteps: [{name: a, service: s, action: do}]",
            "1:7: 'my order' is no name: \(name)"),
        RefusedFile(
            "name: 2024\nversion: 1\nsteps: [{name: a, service: s, action: do}]",
            "1:7: name must be text (put it in quotes), not the number 2024"),
        RefusedFile(
            "name: d\nversion: \"1\"\nsteps: [{name: a, service: s, action: do}]",
            "2:10: version must be a whole number, not the text '1'"),
        RefusedFile(
            "name: d\nversion: 1.0\nsteps: [{name: a, service: s, action: do}]",
            "2:10: version must be a whole number, not the number 1.0"),
        RefusedFile(
            "name: d\nversion: 0\nsteps: [{name: a, service: s, action: do}]",
            "2:10: version 0 is out of range: from 1 to 9007199254740991"),
        RefusedFile(
            "name: d\nversion: 99999999999999999999\nsteps: [{name: a, service: s, action: do}]",
            "2:10: version must be a whole number, not the number 99999999999999999999"),
        RefusedFile(
            "name: d\nversion: 1\ndeadline: 30\nsteps: [{name: a, service: s, action: do}]",
            "3:11: deadline \(duration), not the number 30"),
        RefusedFile(
            "name: d\nversion: 1\ndeadline: 1.5h\nsteps: [{name: a, service: s, action: do}]",
            "3:11: deadline \(duration), not the text '1.5h'"),
        RefusedFile(
            "name: d\nversion: 1\ndeadline: 366d\nsteps: [{name: a, service: s, action: do}]",
            "3:11: deadline 366d is out of range: from 1ms to 365d"),
        RefusedFile(
            "name: d\nversion: 1\ndeadline:\nsteps: [{name: a, service: s, action: do}]",
            "3:10: deadline \(duration), not null"),
        RefusedFile(
            "name: d\nversion: 1\ndurability: sync\nsteps: [{name: a, service: s, action: do}]",
            "3:13: durability must be async or replicated, not the text 'sync'"),
        RefusedFile(
            "name: d\nversion: 1\ncompensation: {order: forward, whenStuck: wait, until: 3}\n"
                + "steps: [{name: a, service: s, action: do}]",
            "3:23: order must be reverse or parallel, not the text 'forward'",
            "3:43: whenStuck must be continue or hold, not the text 'wait'",
            "3:49: unknown key 'until' here: known are order, whenStuck"),
        RefusedFile(
            "name: d\nversion: 1\ncompensation: reverse\nsteps: [{name: a, service: s, action: do}]",
            "3:15: compensation must be a mapping of keys to values, not the text 'reverse'"),
        RefusedFile("name: d\nversion: 1\nsteps: []", "3:8: a definition needs at least one step"),
        RefusedFile("name: d\nversion: 1\nsteps: {a: b}", "3:8: steps must be a list of steps, not a mapping"),
        RefusedFile("name: d\nversion: 1\nsteps:\n", "3:7: steps must be a list of steps, not null"),
        RefusedFile(
            "name: d\nversion: 1\nstep: [{name: a, service: s, action: do}]",
            "3:1: unknown key 'step'; did you mean 'steps'?"),
        RefusedFile(
            "name: d\nversion: 1\nowner: me\nsteps: [{name: a, service: s, action: do}]",
            "3:1: unknown key 'owner' here: \(known)"),
        RefusedFile(
            "name: d\nversion: 1\nsteps: [{name: a, service: s, action: do}]\n---\nname: d\nversion: 1\n"
                + "steps: [{name: b, service: s, action: do}]",
            "5:7: d@1 is defined already in line 1 of this file"),
        RefusedFile(
            "name: d\nversion: 1\nsteps: []\n---\nname: e\nversion: -1\n",
            "3:8: a definition needs at least one step", "5:1: the key 'steps' is missing",
            "6:10: version -1 is out of range: from 1 to 9007199254740991"),
    ]

    static let steps = [
        RefusedFile.steps("go", faults: "2:1: a step must be a mapping of keys to values, not the text 'go'"),
        .steps("{service: s, action: do}", faults: "2:1: the key 'name' is missing"),
        .steps("{name: a.b, service: s, action: do}", faults: "2:8: 'a.b' is no step name: \(stepName)"),
        .steps(
            "{name: yes, service: on, action: true}", faults: "2:34: action must be text (put it in quotes), not true"),
        .steps(
            "{name: a, service: s, action: do}", "{name: a, service: s, action: do}",
            faults: "3:8: the name 'a' is taken by step 1 of this definition"),
        .steps("{name: a}", faults: "2:1: a step needs a service and an action"),
        .steps("{name: a, action: do}", faults: "2:1: the step has an action but no service to execute it"),
        .steps("{name: a, service: s}", faults: "2:1: the step has a service but no action for it"),
        .steps("{name: a, service: a b, action: do}", faults: "2:20: 'a b' is no name: \(name)"),
        .steps("{name: a, service: s, action: '{x}'}", faults: "2:31: '{x}' is no name: \(name)"),
        .steps(
            "{name: a, service: s, action: do, compensation: [undo]}",
            faults: "2:49: compensation must be an operation's name, or null where there is nothing to undo, not a list"
        ),
        .steps(
            "{name: a, service: s, action: do, compensation: '-undo'}", faults: "2:49: '-undo' is no name: \(name)"),
        .steps(
            "{name: a, service: s, action: do, timeout: 0s}",
            faults: "2:44: timeout 0ms is out of range: from 1ms to 365d"),
        .steps(
            "{name: a, service: s, action: do, timeout: soon}", faults: "2:44: timeout \(duration), not the text 'soon'"
        ),
        .steps(
            "{name: a, servce: s, action: do, compensaton: undo, compensationRetry: {attemps: -1}}",
            faults: "2:11: unknown key 'servce'; did you mean 'service'?",
            "2:34: unknown key 'compensaton'; did you mean 'compensation'?",
            "2:72: attempts -1 is out of range: from 0 to 1000000, and 0 is without end",
            "2:73: unknown key 'attemps'; did you mean 'attempts'?"),
        .steps(
            "{name: a, delay: 30s, timeout: 5s, service: s}",
            faults: "2:32: a delay step has no timeout: the delay is its time",
            "2:45: a delay step has no service: it sends no command"),
        .steps("{name: a, delay: soon}", faults: "2:18: delay \(duration), not the text 'soon'"),
        .steps(
            "{name: a, signal: a b, compensation: undo, pivot: true}",
            faults: "2:19: 'a b' is no name: use 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit",
            "2:38: a signal step has no compensation: it sends no command",
            "2:51: a signal step has no pivot: it sends no command"),
        .steps(
            "{name: a, signal: go, delay: 1s}",
            faults: "2:19: a step is a delay or waits for a signal, not both: make two steps of it"),
    ]

    @Test(arguments: headers) func headersAreChecked(file: RefusedFile) { file.check(name: "order.yaml") }
    @Test(arguments: steps) func stepsAreChecked(file: RefusedFile) { file.check(name: "order.yaml") }

    @Test func manyFaultsAreCutOff() {
        let keys = (0..<200).map { "key\($0): 1" }.joined(separator: "\n")
        let text = "name: d\nversion: 1\nsteps: [{name: a, service: s, action: do}]\n\(keys)"
        do throws(DefinitionFileFaults) {
            _ = try DefinitionFile.parse(Array(text.utf8), name: "d.yaml")
            Issue.record("accepted")
        } catch {
            #expect(error.faults.count == 101)
            #expect(error.faults.last?.description == "d.yaml:104:1: 100 more faults are not shown")
        }
    }
}
