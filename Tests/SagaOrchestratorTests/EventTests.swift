import SagaCore
import SagaOrchestrator
import SagaStore
import SagaTesting
import SagaWire
import Testing

/// A saga of one step, started by a topic's events.
private func triggered(
    by topic: String, name: String = "ship", version: Int = 1, each: Bool = false, emits: String? = nil
) -> DefinitionDraft {
    DefinitionDraft(
        name: name, version: version, trigger: EventTrigger(event: topic, isPerEvent: each),
        steps: [
            StepDraft(
                name: "send", service: "shipping", action: "send", compensation: StepDraft.CompensationDraft.none,
                retry: RetryPolicyDraft(initial: 10, max: 100), emits: emits.map { Emits(succeeded: $0) })
        ])
}

@Suite("Sagas started by events, on both stores")
struct EventTests {
    private func play(
        on kind: StoreKind, partitions: Int = 2, _ drafts: [DefinitionDraft], _ body: (Scenario) async throws -> Void
    ) async throws {
        try await withNamespace(on: kind, partitions: partitions) { namespace in
            let scenario = Scenario(namespace)
            for draft in drafts { try await scenario.register(draft) }
            try await body(scenario)
        }
    }

    private func publish(
        _ id: String, key: String = "k", topic: String = "Paid", payload: String = "{}", traceparent: String? = nil,
        _ scenario: Scenario
    ) async throws {
        let event = DomainEvent(
            id: id, key: key, topic: topic, payload: Array(payload.utf8), traceparent: traceparent, at: 5)
        try await scenario.namespace.append(event.fields, to: .event(topic), of: scenario.partition(of: key))
    }

    private func ended(_ sagas: String..., in scenario: Scenario) async throws {
        for saga in sagas {
            try await eventually("\(saga) ends") { try await scenario.end(of: saga) == .completed }
        }
    }

    private func logLength(_ saga: String, _ scenario: Scenario) async throws -> Int {
        try await scenario.namespace.log(of: saga, in: scenario.partition(of: saga)).count
    }

    @Test(arguments: StoreKind.allCases)
    func whatASagaEmitsStartsAnother(on kind: StoreKind) async throws {
        var order = orderDraft()
        order.steps[2].emits = Emits(succeeded: "Paid", failed: "Declined")
        try await play(
            on: kind,
            [
                order, triggered(by: "Paid", emits: "Shipped"), triggered(by: "Shipped", name: "rate", each: true),
                triggered(by: "Declined", name: "remind"),
            ]
        ) { scenario in
            scenario.participants.setPlan { command in
                Behaviour(
                    command.saga == "s2" && command.step == "charge" ? .failed : .succeeded,
                    result: Array("{\"by\":\"\(command.step)\"}".utf8))
            }
            try await scenario.run {
                try await scenario.start("s1")
                try await scenario.start("s2")
                try await ended("s1", "s1/ship", "s1/rate/s1/ship/send/succeeded", "s2/remind", in: scenario)
                try await eventually("s2 ends") { try await scenario.end(of: "s2") == .compensated }
            }
            let ship = try #require(try await scenario.saga("s1/ship"))
            #expect(ship.started.input == Array("{\"by\":\"charge\"}".utf8))
            #expect(!ship.started.isChild)
            let remind = try #require(try await scenario.saga("s2/remind"))
            #expect(String(decoding: remind.started.input, as: UTF8.self).contains("error"))
            #expect(try await scenario.deadReasons() == [])
            #expect(try await scenario.endedCount() == 5)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aKeyStartsOneSagaHoweverManyEventsItHas(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1, [triggered(by: "Paid")]) { scenario in
            for index in 0..<3 { try await publish("a\(index)", payload: "{\"n\":\(index)}", scenario) }
            try await scenario.run {
                try await ended("k/ship", in: scenario)
                // Also when the saga has ended, and was forgotten.
                try await publish("a3", payload: "{\"n\":3}", scenario)
                try await publish("b", key: "k2", scenario)
                try await ended("k2/ship", in: scenario)
            }
            let saga = try #require(try await scenario.saga("k/ship"))
            #expect(saga.started.input == Array("{\"n\":0}".utf8))
            #expect(try await logLength("k/ship", scenario) == 2)
            #expect(try await scenario.deadReasons() == [])
            #expect(try await scenario.endedCount() == 2)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func eachEventStartsOneSagaHoweverOftenItComes(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1, [triggered(by: "Paid", each: true)]) { scenario in
            for id in ["a", "b/c:1@x", "a"] { try await publish(id, scenario) }
            try await scenario.run {
                try await ended("k/ship/a", "k/ship/b/c:1@x", in: scenario)
                try await publish("a", payload: "{\"again\":true}", scenario)
                try await publish("d", scenario)
                try await ended("k/ship/d", in: scenario)
            }
            #expect(try await logLength("k/ship/a", scenario) == 2)
            #expect(try await scenario.endedCount() == 3)
            #expect(try await scenario.deadReasons() == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whatIsIgnoredIsCounted(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1, [triggered(by: "Paid"), triggered(by: "Paid", name: "x", each: true)]) {
            scenario in
            let orchestrator = Orchestrator(
                store: scenario.namespace.store, options: OrchestratorOptions(name: "o"), logger: quietLogger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await orchestrator.run() }
                for id in ["a", "b", "b"] { try await publish(id, scenario) }
                try await eventually("all are applied") { orchestrator.counts.ignored == 3 }
                group.cancelAll()
                try await group.waitForAll()
            }
            // Once for the key, and once for each of the two events.
            #expect(orchestrator.counts.started == 3)
            #expect(orchestrator.counts.dead == 0)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whatIsNoEventGoesToTheDeadLettersAndTheOthersGoOn(on kind: StoreKind) async throws {
        try await play(
            on: kind, partitions: 1, [triggered(by: "Paid"), triggered(by: "Paid", name: "rate", each: true)]
        ) { scenario in
            let junk: [[(String, String)]] = [
                [("key", "k"), ("payload", "{}")], [("id", "e")], [("id", "e"), ("key", "a/b")],
                [("id", "e"), ("key", "a{b")],
                [("id", "e"), ("key", "k"), ("topic", "Sent")], [("type", "x"), ("type", "y")],
                [("id", "e"), ("key", "k"), ("payload", String(repeating: "x", count: 262_145))],
            ]
            for pairs in junk {
                var fields = Fields()
                for (name, value) in pairs { fields.append("", suffix: name, Array(value.utf8)) }
                try await scenario.namespace.append(fields, to: .event("Paid"), of: 0)
            }
            try await publish("an id", key: "spaced", scenario)
            try await publish(String(repeating: "e", count: 245), key: "long", scenario)
            try await publish(String(repeating: "e", count: 247), key: "long", scenario)
            try await publish("last", scenario)
            try await scenario.run {
                try await ended(
                    "k/ship", "k/rate/last", "spaced/ship", "long/ship",
                    "long/rate/" + String(repeating: "e", count: 245),
                    in: scenario)
            }
            let letters = try await scenario.namespace.deadLetters(of: 0)
            #expect(
                letters.map { ($0["reason"] ?? "").prefix { $0 != ":" } }
                    == ["malformed", "malformed", "malformed", "malformed", "malformed", "malformed", "oversized"]
                    + ["malformed", "malformed"])
            #expect(letters.allSatisfy { $0["source"]?.hasSuffix("event:Paid") == true })
            #expect(letters[4]["reason"] == "malformed: the event's topic is 'Sent', but it stands in that of 'Paid'")
            #expect(letters[5].names.suffix(2) == ["entry.type", "entry.type"])
            #expect(letters[7]["reason"]?.contains("each event starts a saga of 'rate'") == true)
            #expect(letters[8]["reason"]?.contains("would have 257 bytes; the limit is 255") == true)
            #expect(try await scenario.endedCount() == 5)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aTriggerThatIsRegisteredLaterBeginsWithWhatIsThere(on kind: StoreKind) async throws {
        try await play(on: kind, [triggered(by: "Never", name: "other")]) { scenario in
            try await publish("a", scenario)
            try await scenario.run {
                try await publish("b", key: "k2", scenario)
                try await scenario.register(triggered(by: "Paid"))
                try await ended("k/ship", "k2/ship", in: scenario)
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func theHighestVersionDecides(on kind: StoreKind) async throws {
        let drafts = [
            triggered(by: "Paid"), triggered(by: "Paid", version: 2), triggered(by: "Paid", name: "old"),
            triggered(by: "Sent", name: "old", version: 2),
        ]
        try await play(on: kind, partitions: 1, drafts) { scenario in
            try await publish("a", traceparent: "00-trace", scenario)
            try await publish("b", topic: "Sent", scenario)
            try await scenario.run { try await ended("k/ship", "k/old", in: scenario) }
            let ship = try #require(try await scenario.saga("k/ship"))
            #expect(ship.started.version == 2 && ship.started.traceparent == "00-trace")
            #expect(try #require(try await scenario.saga("k/old")).started.version == 2)
            #expect(try await scenario.endedCount() == 2)
        }
    }

    /// The position is in the state: what was applied before is not applied to a definition that comes later.
    @Test(arguments: StoreKind.allCases)
    func theNextOwnerReadsOnFromWhereTheLastOneWas(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1, [triggered(by: "Paid")]) { scenario in
            try await publish("a", scenario)
            try await scenario.run { try await ended("k/ship", in: scenario) }
            try await scenario.register(triggered(by: "Paid", name: "rate"))
            try await publish("b", key: "k2", scenario)
            try await scenario.run { try await ended("k2/ship", "k2/rate", in: scenario) }
            #expect(try await logLength("k/rate", scenario) == 0)
            #expect(try await scenario.endedCount() == 3)
        }
    }

    /// More than one round takes, of two topics and three definitions; orders wait for what starts their sagas.
    @Test(arguments: StoreKind.allCases)
    func aFloodOfEventsIsAppliedInParts(on kind: StoreKind) async throws {
        let drafts = [
            triggered(by: "Paid"), triggered(by: "Paid", name: "rate", each: true), triggered(by: "Sent", name: "ask"),
        ]
        try await play(on: kind, partitions: 1, drafts) { scenario in
            for index in 0..<100 {
                try await publish("e\(index)", key: "k\(index)", scenario)
                try await publish("e\(index)", key: "k\(index)", topic: "Sent", scenario)
            }
            for saga in ["k99/ship", "k99/rate/e99", "k99/ask"] {
                try await scenario.order(.cancel, saga, id: saga)
            }
            try await scenario.run(configure: { $0.readCount = 16 }) {
                try await eventually("all sagas end") { try await scenario.endedCount() == 300 }
            }
            let answers = try await scenario.outcomes().compactMap { outcome in
                if case .answer(let answer) = outcome { answer.error } else { nil }
            }
            #expect(!answers.contains { $0.contains("there is no saga") }, "\(answers)")
            #expect(try await scenario.deadReasons() == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func eventsGoWhenTheyAreAppliedOrOld(on kind: StoreKind) async throws {
        var order = orderDraft()
        order.steps[0].emits = Emits(succeeded: "Created")
        try await play(on: kind, partitions: 1, [order, triggered(by: "Paid")]) { scenario in
            for index in 0..<5 { try await publish("e\(index)", scenario) }
            try await publish("old", topic: "Created", scenario)
            try await scenario.run(configure: { options in
                options.trimInterval = 10
                options.idleTrimInterval = 10
                options.eventRetention = 3_600_000
            }) {
                try await ended("k/ship", in: scenario)
                try await eventually("all but the last are gone") {
                    try await scenario.namespace.inbox(.event("Paid"), of: 0).map { $0["id"] } == ["e4"]
                }
                try await scenario.start("s1")
                try await ended("s1", in: scenario)
            }
            #expect(
                try await scenario.namespace.inbox(.event("Created"), of: 0).map { $0["id"] }
                    == ["old", "s1/create/succeeded"])
            // At rest, too: nobody has anything to commit, but time goes by.
            try await scenario.run(configure: { options in
                options.trimInterval = 10
                options.idleTrimInterval = 10
                options.eventRetention = 0
            }) {
                try await eventually("both are gone") {
                    try await scenario.namespace.inbox(.event("Created"), of: 0).isEmpty
                }
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whereNothingIsTriggeredNoTopicIsRead(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1, [orderDraft()]) { scenario in
            try await publish("a", scenario)
            try await scenario.run {
                try await scenario.start("s1")
                try await ended("s1", in: scenario)
            }
            let session = scenario.namespace.store.session()
            let claim = Claim(owner: "o", name: "o", lease: 1_000)
            guard case .taken(let state) = try await session.take(0, as: claim, stale: nil) else {
                Issue.record("not taken")
                return
            }
            #expect(state.positions.events == [:])
            await session.close()
        }
    }
}
