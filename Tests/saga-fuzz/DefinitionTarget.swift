import SagaCore
import SagaProperties
import SagaWire
import TestSupport

/// Definition files in JSON.
struct JSONDefinitionTarget: FuzzTarget {
    static let name = "json-definition"

    private let files = DefinitionFiles()

    mutating func attempt(_ random: inout SeededRandom) throws(Flaw) -> Bool {
        try files.attempt(files.json, as: .json, &random)
    }
}

/// Definition files in YAML. Yams takes its time: a tenth of the others' cases.
struct YAMLDefinitionTarget: FuzzTarget {
    static let name = "yaml-definition"
    static var usualCount: UInt64 { 100_000 }

    private let files = DefinitionFiles()

    mutating func attempt(_ random: inout SeededRandom) throws(Flaw) -> Bool {
        try files.attempt(files.yaml, as: .yaml, &random)
    }
}

private struct DefinitionFiles {
    let json: [[UInt8]]
    let yaml: [[UInt8]]
    private let mutator = Mutator([
        "name", "version", "steps", "service", "action", "compensation", "after", "uses", "when", "path", "all", "any",
        "not", "exists", "forEach", "items", "parallel", "retry", "attempts", "timeout", "30s", "48h", "delay", "until",
        "signal", "saga", "inputFrom", "pivot", "true", "emits", "trigger", "event", "{", "}", "[", "]", ",", ":", "\"",
        "\\u0000", "\\ud800", "\n", "- ", "  ", "&a ", "*a", "!!binary ", "<<: ", "? ", "|\n", "---\n", "#", "\t", "'",
    ])

    init() {
        var json: [[UInt8]] = []
        for seed in 0..<300 as Range<UInt64> {
            // Those that break a rule make no sample.
            guard let definition = try? Definition(validating: SagaCase.random(seed: seed).draft) else { continue }
            json.append(definition.canonicalJSON)
        }
        var generator = RandomDefinitions(seed: 7)
        for _ in 0..<100 {
            guard let definition = try? Definition(validating: generator.draft()), definition.steps.count < 8 else {
                continue
            }
            json.append(definition.canonicalJSON)
        }
        self.json = json
        yaml = json.prefix(40) + Self.written.map { Array($0.utf8) }
    }

    func attempt(
        _ samples: [[UInt8]], as format: DefinitionFile.Format, _ random: inout SeededRandom
    ) throws(Flaw) -> Bool {
        var input = random.pick(samples)
        let isWhole = random.chance(0.02)
        if !isWhole { input = mutator.spoil(input, random.pick(samples), &random) }
        let definitions: [Definition]
        do throws(DefinitionFileFaults) {
            definitions = try DefinitionFile(parsing: input, name: "f", format: format).definitions
        } catch {
            if isWhole { throw Flaw("a definition is read: \(error)", input) }
            if error.faults.isEmpty { throw Flaw("who is refused is told why", input) }
            return false
        }
        for definition in definitions {
            guard (try? Definition.decode(canonical: definition.canonicalJSON)) == definition else {
                throw Flaw("what was read and is written reads the same", input)
            }
            var directives: [Directive] = []
            let started = Started(
                definition: definition.name, version: definition.version, era: 1, input: SagaSamples.payload(&random))
            let saga = Saga(id: "s", definition: definition, started: started, at: 5, directives: &directives)
            _ = saga.nextAlarm
        }
        return true
    }

    private static let written = [
        """
        name: order
        version: 1
        deadline: 15m
        trigger: {event: OrderCreated}
        compensation: {order: reverse, whenStuck: continue}
        steps:
          - name: create
            service: orders
            action: create-order
            compensation: cancel-order
          - name: reserve
            service: inventory
            action: reserve
            compensation: release
            timeout: 10s
            retry: {attempts: 10, initial: 200ms, factor: 2, max: 30s, jitter: 0.2}
          - name: charge
            service: payments
            action: charge
            compensation: refund
            after: [create]
            uses: [create]
            when: {path: input.total, greaterThan: 0}
            emits: {succeeded: PaymentCompleted, failed: PaymentFailed}
          - name: cool-off
            delay: 30s
            after: [reserve, charge]
          - name: approval
            signal: approved
            timeout: 48h
          - name: ship
            service: shipping
            action: ship
            pivot: true
          - name: loyalty
            saga: award-points
        """,
        "name: d\nversion: 1\nsteps: [{name: a, service: s, action: x, compensation: null}]\n",
        "name: 'd'\nversion: 1\nsteps:\n- name: n\n  delay: \"5s\"\n",
    ]
}
