import RedisTransport
import SagaCore
import SagaOrchestrator
import SagaRedis
import SagaStore
import SagaTesting
import SagaWire
import Testing

/// Topics that others read besides the orchestrator.
@Suite struct EventTests {
    private static let ship = DefinitionDraft(
        name: "ship", version: 1, trigger: EventTrigger(event: "Paid"),
        steps: [StepDraft(name: "wait", signal: "go")])

    private func publish(_ id: String, payload: [UInt8] = [], _ namespace: RedisNamespace) async throws -> String {
        let event = DomainEvent(id: id, key: "k", topic: "Paid", payload: payload, at: 5)
        return try await namespace.append(event.fields, to: .event("Paid"), of: 0)
    }

    private func send(_ namespace: RedisNamespace, _ name: StaticString, _ words: [String]) async throws {
        var command = RedisCommand(name)
        for word in words { command.append(word) }
        _ = try await namespace.client.send(command)
    }

    @Test func nothingIsTrimmedUnderASubscriberWhoIsSlow() async throws {
        try await withRedisNamespace(partitions: 1) { namespace, _ in
            let scenario = Scenario(namespace)
            try await scenario.register(Self.ship)
            let topic = namespace.keys.event(0, topic: "Paid")
            try await send(namespace, "XGROUP", ["CREATE", topic, "mail", "0", "MKSTREAM"])
            var ids: [String] = []
            for index in 0..<10 { ids.append(try await publish("e\(index)", namespace)) }
            try await send(namespace, "XREADGROUP", ["GROUP", "mail", "c", "COUNT", "4", "STREAMS", topic, ">"])
            try await send(namespace, "XACK", [topic, "mail", ids[0], ids[1]])
            let events = ids
            try await scenario.run(configure: { options in
                options.trimInterval = 10
                options.idleTrimInterval = 10
            }) {
                // All are applied, and two acknowledged; the third is pending.
                try await eventually("the first two are trimmed") {
                    try await namespace.entries(of: topic).map(\.id) == Array(events[2...])
                }
                let state = RedisCommand("HGET", namespace.keys.state(0), "event:Paid")
                try await eventually("all are applied") {
                    try await namespace.client.send(state).value.string == events[9]
                }
                try await send(namespace, "XACK", [topic, "mail", events[2], events[3]])
                try await eventually("what is acknowledged is trimmed, though nothing is committed") {
                    try await namespace.entries(of: topic).map(\.id) == Array(events[3...])
                }
                try await send(namespace, "XREADGROUP", ["GROUP", "mail", "c", "STREAMS", topic, ">"])
                try await send(namespace, "XACK", [topic, "mail"] + events)
                try await eventually("all but the last are gone") {
                    try await namespace.entries(of: topic).map(\.id) == [events[9]]
                }
            }
        }
    }

    @Test func anEventThatIsTooLargeIsPassedOver() async throws {
        try await withRedisNamespace(partitions: 1) { namespace, server in
            var options = RedisSagaStore.Options()
            options.connection.maxReplyBytes = 65_536
            let store = RedisSagaStore(
                endpoint: server.endpoint, namespace: "test", options: options, logger: quietLogger)
            let scenario = Scenario(namespace)
            var draft = Self.ship
            draft.trigger = EventTrigger(event: "Paid", isPerEvent: true)
            try await scenario.register(draft)
            _ = try await publish("a", namespace)
            _ = try await publish("large", payload: Array(repeating: 0x20, count: 100_000), namespace)
            _ = try await publish("b", namespace)
            // An order behind it is still not ahead of the event that starts its saga.
            try await scenario.order(.cancel, "k/ship/b", id: "c1")
            try await scenario.run(on: [store]) {
                try await eventually("the order is answered") { try await scenario.end(of: "k/ship/b") == .compensated }
                try await eventually("the letter is there") { try await scenario.deadReasons() == ["oversized"] }
            }
            let letter = try #require(try await namespace.deadLetters(of: 0).first)
            #expect(letter["source"] == namespace.keys.event(0, topic: "Paid"))
            #expect(letter["entry.id"] == "large")
            #expect(try await scenario.saga("k/ship/a")?.status == .running)
            #expect(try await scenario.saga("k/ship/large") == nil)
            await store.close()
        }
    }

    /// A re-emitted event stands twice in its stream after a rewind; it starts one saga all the same.
    @Test func positionsGoBackWithEverythingElse() async throws {
        try await withRedisNamespace(partitions: 1) { namespace, _ in
            let scenario = Scenario(namespace)
            var draft = Self.ship
            draft.trigger = EventTrigger(event: "Paid", isPerEvent: true)
            try await scenario.register(draft)
            let key = namespace.keys.state(0)
            _ = try await publish("a", namespace)
            try await scenario.run {
                try await eventually("the saga is there") { try await scenario.saga("k/ship/a") != nil }
            }
            try await namespace.changeServer()
            try await send(namespace, "HDEL", [key, "event:Paid"])
            _ = try await publish("a", namespace)
            let last = try await publish("b", namespace)
            try await scenario.run {
                try await eventually("all is applied again") {
                    try await namespace.client.send(RedisCommand("HGET", key, "event:Paid")).value.string == last
                }
            }
            #expect(try await scenario.openCount() == 2)
            #expect(try await scenario.deadReasons() == [])
            let started = try await namespace.log(of: "k/ship/a", in: 0).filter {
                String(decoding: $0, as: UTF8.self).contains("\"type\":\"started\"")
            }
            #expect(started.count == 1)
        }
    }
}
