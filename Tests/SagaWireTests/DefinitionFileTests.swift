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

    private static let trip = """
        name: trip
        version: 1
        retention: 30d
        trigger: {event: TripBooked, each: event}
        steps:
          - name: flights
            service: airline
            action: book
            compensation: cancel
            forEach: {items: input.flights, parallel: 2}
            noRetry: [sold-out, timeout]
            compensateOn: [sold-out]
          - name: rooms
            service: hotel
            action: book
            compensation: cancel
            forEach: input.rooms
            stopOn: [overbooked]
            when: {path: input.rooms, exists: true}
            emits: {failed: RoomsMissing}
          - name: insurance
            saga: insure
            inputFrom: flights
            when:
              or:
                - {path: input.total, atLeast: 500, lessThan: 1e4}
                - and:
                    - {path: result.flights.0.class, in: [first, business, 1, null, true]}
                    - not: {path: input.country, prefix: EU-}
                    - {path: input.kind, equals: far, notEquals: "7"}
            emits: {succeeded: Insured, failed: NotInsured}
          - name: eve
            until: 2026-12-24T19:00:00+01:00
          - name: start
            until: result.flights.0.departs
          - name: millennium
            until: 946684800000
          - name: charge
            service: payments
            action: charge
            when: {path: input.total, greaterThan: 0, atMost: 9007199254740993}
            pivot: true
        """

    private func tripInSwift() throws -> Definition {
        try Definition(
            "trip", version: 1, retention: .seconds(30 * 86_400),
            trigger: EventTrigger(event: "TripBooked", isPerEvent: true)
        ) {
            StepDraft("flights", service: "airline", action: "book").compensated(by: "cancel")
                .forEach("input.flights", parallel: 2).noRetry(on: "sold-out", "timeout").compensate(on: "sold-out")
            StepDraft("rooms", service: "hotel", action: "book").compensated(by: "cancel").forEach("input.rooms")
                .stop(on: "overbooked").when(Condition("input.rooms", .exists(true))).emits(failed: "RoomsMissing")
            StepDraft("insurance", saga: "insure", inputFrom: "flights").emits(
                succeeded: "Insured", failed: "NotInsured"
            )
            .when(
                Condition("input.total", .lessThan(.number("1e4")), .atLeast(500))
                    || .all([
                        Condition("result.flights.0.class", .isOneOf(["first", "business", 1, .null, true])),
                        !Condition("input.country", .hasPrefix("EU-")),
                        Condition("input.kind", .equals("far"), .notEquals("7")),
                    ]))
            StepDraft("eve", until: "2026-12-24T18:00:00Z")
            StepDraft("start", until: "result.flights.0.departs")
            StepDraft("millennium", until: .at(946_684_800_000))
            StepDraft("charge", service: "payments", action: "charge").pivot()
                .when(Condition("input.total", .greaterThan(0), .atMost(9_007_199_254_740_993)))
        }
    }

    @Test func conditionsChildrenItemsEventsAndCodesAreRead() throws {
        #expect(try parse(Self.trip) == [try tripInSwift()])
    }

    @Test func aChildWithAPivotIsItsParentsPivotOrBehindIt() throws {
        let child = "name: c\nversion: 1\nsteps: [{name: p, service: s, action: do, pivot: true}]"
        let parent =
            "name: d\nversion: 1\nsteps: [{name: a, saga: other}, {name: b, saga: c, pivot: true}, {name: e, saga: c}]"
        #expect(try parse("\(parent)\n---\n\(child)").map(\.pivot) == [1, 0])
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
