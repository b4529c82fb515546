import SagaCore
import SagaWire
import Testing

@Suite("Domain events")
struct DomainEventTests {
    private func decode(_ fields: Fields, of topic: String) throws -> DomainEvent {
        let messages = fields.withViews { InboxMessage.decode(entry: $0, of: .event(topic)) }
        #expect(messages.map(\.position) == [0])
        guard case .event(let event) = try #require(messages.first).content.get() else {
            throw DeadReason(.malformed, "no event")
        }
        return event
    }

    private let event = DomainEvent(
        id: "o-1/charge/succeeded", key: "o-1", topic: "Paid", payload: [0, 255, 10], saga: "o-1", step: "charge",
        traceparent: "00-1", at: 1_700_000_000_000)

    @Test func anEventReadsBackAsItWasWritten() throws {
        #expect(try decode(event.fields, of: "Paid") == event)
        var more = event.fields
        more.append("type", "com.example")
        more.append("future", "yes")
        #expect(try decode(more, of: "Paid") == event, "fields that are not known are ignored")
    }

    @Test func theStreamsTopicIsTheEvents() throws {
        var nameless = event
        nameless.topic = ""
        #expect(try decode(nameless.fields, of: "Paid") == event)
        #expect(throws: DeadReason.self) { try decode(event.fields, of: "Sent") }
    }

    @Test func aTraceContextThatIsNoneIsDropped() throws {
        var long = event
        long.traceparent = String(repeating: "0", count: 257)
        #expect(try decode(long.fields, of: "Paid").traceparent == nil)
    }

    @Test func faultsAreTold() {
        func reason(_ change: (inout DomainEvent) -> Void) -> String? {
            var changed = event
            change(&changed)
            do {
                _ = try decode(changed.fields, of: "Paid")
                return nil
            } catch {
                return "\(error)"
            }
        }
        #expect(reason { $0.id = "" } == "malformed: the event has no id")
        for key in ["", "a/b", "a b", String(repeating: "k", count: 256)] {
            #expect(reason { $0.key = key } == "malformed: the event's key is missing or no routing key")
        }
        #expect(reason { $0.payload = Array(repeating: 0, count: 262_144) }?.hasPrefix("oversized: ") == true)
    }

    @Test func theIDOfTheSagaThatItStarts() throws {
        func definition(each: Bool) throws -> Definition {
            try Definition(
                validating: DefinitionDraft(
                    name: "ship", version: 1, trigger: EventTrigger(event: "Paid", isPerEvent: each),
                    steps: [StepDraft(name: "wait", signal: "go")]))
        }
        #expect(try event.sagaID(for: definition(each: false)) == "o-1/ship")
        #expect(try event.sagaID(for: definition(each: true)) == "o-1/ship/o-1/charge/succeeded")
        var other = event
        for id in ["a b", "é", "{x}", "\u{0}"] {
            other.id = id
            #expect(throws: DeadReason.self) { try other.sagaID(for: definition(each: true)) }
            #expect(try other.sagaID(for: definition(each: false)) == "o-1/ship")
        }
        other.id = String(repeating: "e", count: 246)
        #expect(try other.sagaID(for: definition(each: true)).utf8.count == 255)
        other.id += "e"
        #expect(throws: DeadReason.self) { try other.sagaID(for: definition(each: true)) }
        other.key = String(repeating: "k", count: 251)
        #expect(throws: DeadReason.self) { try other.sagaID(for: definition(each: false)) }
    }
}
