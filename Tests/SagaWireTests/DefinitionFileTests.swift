import SagaCore
import SagaWire
import Testing

/// Definition files that are read.
struct DefinitionFileTests {
    private func parse(_ text: String, name: String = "d.yaml") throws -> [Definition] {
        try DefinitionFile.parse(Array(text.utf8), name: name)
    }

    static let order = """
        name: order
        version: 3
        deadline: 15m
        durability: async
        compensation: {order: parallel, whenStuck: hold}
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
            compensationRetry: {attempts: 0, initial: 500ms, factor: 2, max: 5m, jitter: 0.2}
          - name: charge
            service: payments
            action: charge
            compensation:
            after: [create]
            uses: [create]
          - name: ship
            service: shipping
            action: ship
            after:
            - reserve
            - "charge"
            pivot: true
        """

    @Test func everyKeyEndsUpInTheDefinition() throws {
        let definition = try Definition(
            "order", version: 3, deadline: .seconds(900), durability: .async, order: .parallel, whenStuck: .hold
        ) {
            StepDraft("create", service: "orders", action: "create-order").compensated(by: "cancel-order")
            StepDraft("reserve", service: "inventory", action: "reserve").compensated(by: "release")
                .timeout(.seconds(10))
                .retry(attempts: 10, initial: .milliseconds(200), factor: 2, max: .seconds(30), jitter: 0.2)
                .compensationRetry(attempts: 0, initial: .milliseconds(500), factor: 2, max: .seconds(300), jitter: 0.2)
            StepDraft("charge", service: "payments", action: "charge").withoutCompensation().after("create")
                .uses("create")
            StepDraft("ship", service: "shipping", action: "ship").after("reserve", "charge").pivot()
        }
        #expect(try parse(Self.order) == [definition])
    }

    @Test func lineEndingsAndByteOrderMarksDoNotMatter() throws {
        let definitions = try parse(Self.order)
        #expect(try parse(Self.order.replacing("\n", with: "\r\n")) == definitions)
        #expect(try parse("\u{feff}" + Self.order) == definitions)
        #expect(try parse("%YAML 1.1\n---\n" + Self.order + "\n...\n") == definitions)
        let json =
            "\u{feff}{\"name\":\"d\",\"version\":1,\"steps\":[{\"name\":\"a\",\"service\":\"s\",\"action\":\"do\"}]}"
        #expect(try parse(json, name: "d.json").count == 1)
    }

    @Test func aFileCanHaveSeveralDefinitions() throws {
        let second = Self.order.replacing("version: 3", with: "version: 4")
        #expect(try parse("---\n\(Self.order)\n---\n\(second)\n---\n").map(\.id) == ["order@3", "order@4"])
    }

    @Test func theFormatFollowsFromTheName() {
        #expect(DefinitionFile.Format(ofFileNamed: "a/b.json") == .json)
        #expect(DefinitionFile.Format(ofFileNamed: "B.JSON") == .json)
        #expect(DefinitionFile.Format(ofFileNamed: "b.yaml") == .yaml)
        #expect(DefinitionFile.Format(ofFileNamed: "-") == .yaml)
    }

    @Test func textIsTextInEveryStyle() throws {
        let text = """
            name: "\\x64\\u0065"
            "version": 1
            ? steps
            : - name: 'no'
                service: on
                action: !!str 12
                compensation: "null"
              - {name: "1", service: "true", action: "\\u0064o", after: ["no"], compensation: ~}
              - name: >-
                  c
                service: |-
                  s
                action: x
            """
        let definition = try parse(text)[0]
        #expect(definition.name == "de")
        #expect(definition.steps.map(\.name) == ["no", "1", "c"])
        #expect(definition.steps.map(\.service) == ["on", "true", "s"])
        #expect(definition.steps.map { $0.operation(of: .action) } == ["12", "do", "x"])
        #expect(definition.steps.map(\.compensation) == ["null", nil, nil])
        #expect(definition.steps.map(\.isCompensationWaived) == [false, true, false])
    }

    @Test func warningsHaveAPlace() throws {
        let text = "name: d\nversion: 1\nsteps:\n  - {name: a, service: s, action: do}\n"
        let file = try DefinitionFile(parsing: Array(text.utf8), name: "x/d.yaml")
        let told = "step 'a' has no compensation: write 'compensation: null' if there is nothing to undo"
        #expect(file.warnings.map(\.description) == ["x/d.yaml:4:5: \(told)"])
        #expect(file.definitions.count == 1)
    }
}
