import SagaCore
import SagaWire
import Testing

@Suite("Inbox messages")
struct InboxMessageTests {
    private let attempt = AttemptID(
        saga: "o-1", step: "charge", phase: .compensation, attempt: 3, era: 1_700_000_000_123, token: "abc")

    private func decode(
        _ fields: Fields, of stream: InboxStream, limits: InboxMessage.Limits = .init()
    ) -> [DecodedMessage] {
        fields.withViews { InboxMessage.decode(entry: $0, of: stream, limits: limits) }
    }

    private func fields(_ pairs: [(String, String)]) -> Fields {
        var fields = Fields()
        for (name, value) in pairs { fields.append("", suffix: name, Array(value.utf8)) }
        return fields
    }

    private func fault(_ pairs: [(String, String)], of stream: InboxStream) -> String? {
        guard case .failure(let reason)? = decode(fields(pairs), of: stream).first?.content else { return nil }
        return reason.description
    }

    @Test func everyMessageReadsBackAsItWasWritten() throws {
        let messages: [(InboxMessage, Fields, InboxStream)] = {
            let start = StartMessage(
                saga: "o-1/x", definition: "order", version: 2, input: [0, 255, 10], deadline: 5_000,
                labels: ["city": "Köln", "a": ""], traceparent: "00-1", at: 1_700_000_000_000)
            let signal = SignalMessage(saga: "o-1", name: "approved", payload: [1], id: "i")
            let reply = ReplyMessage(
                id: attempt, outcome: .stale, result: [], error: "e", code: "c", retryAfter: 0, seen: 9)
            let beat = HeartbeatMessage(id: attempt, details: "half")
            let control = ControlMessage(
                saga: "o-1", operation: .skip, step: "charge", result: [2], reason: "r", by: "b", id: "c")
            return [
                (.start(start), start.fields, .intake), (.signal(signal), signal.fields, .intake),
                (.reply(reply), reply.fields, .reply), (.heartbeat(beat), beat.fields, .reply),
                (.control(control), control.fields, .control),
            ]
        }()
        for (message, fields, stream) in messages {
            let decoded = decode(fields, of: stream)
            #expect(decoded.count == 1)
            #expect(try decoded[0].content.get() == message)
        }
    }

    @Test func anEntryCarriesSeveralMessagesAndABadOneDoesNotSpoilItsNeighbours() throws {
        var entry = ReplyMessage(id: attempt, outcome: .succeeded).fields
        entry.append(contentsOf: fields([("type", "reply"), ("saga", "o-2"), ("step", "charge")]))
        entry.append(contentsOf: ReplyMessage(id: attempt, outcome: .retry).fields)
        let decoded = decode(entry, of: .reply)
        #expect(decoded.map(\.position) == [0, 1, 2])
        #expect(decoded.map { (try? $0.content.get()) != nil } == [true, false, true])
        #expect(decoded[1].saga == "o-2")
    }

    @Test func faultsAreTold() {
        #expect(fault([("hello", "x")], of: .intake) == "malformed: a message begins with its type field")
        #expect(fault([], of: .intake) == "malformed: the entry has no fields")
        #expect(
            fault([("type", "start")], of: .reply) == "malformed: a message of type 'start' does not belong into reply")
        #expect(fault([("type", "start"), ("saga", "a b")], of: .intake) == "malformed: saga is no saga id")
        #expect(fault([("type", "start"), ("saga", "a{1}")], of: .intake) == "malformed: saga is no saga id")
        #expect(fault([("type", "start"), ("saga", "a")], of: .intake) == "malformed: definition is missing")
        #expect(
            fault([("type", "start"), ("saga", "a"), ("definition", "d"), ("version", "0")], of: .intake)
                == "malformed: version is no decimal number from 1 to 9007199254740991")
        #expect(
            fault([("type", "control"), ("saga", "a"), ("operation", "explode")], of: .control)
                == "malformed: operation is none of cancel, pause, resume, retry, skip")
        #expect(
            fault([("type", "start"), ("saga", String(repeating: "a", count: 129)), ("definition", "d")], of: .intake)
                == "malformed: saga is no saga id")
    }

    @Test func labelsAreBounded() throws {
        func start(_ labels: [(String, String)]) -> [(String, String)] {
            [("type", "start"), ("saga", "a"), ("definition", "d")] + labels.map { ("label." + $0.0, $0.1) }
        }
        let (longest, many) = (String(repeating: "é", count: 128), (0..<16).map { ("l\($0)", "v") })
        let accepted = decode(fields(start([("a", longest)] + many.dropLast())), of: .intake)
        guard case .start(let message) = try accepted[0].content.get() else { return #expect(Bool(false), "no start") }
        #expect(message.labels.count == 16 && message.labels["a"] == longest)
        #expect(fault(start([("a", longest + "x")]), of: .intake) == "malformed: label 'a' has more than 256 bytes")
        #expect(fault(start([("z", "")] + many), of: .intake) == "malformed: more than 16 labels")
        #expect(fault(start([("a=b", "")]), of: .intake) == "malformed: a label's name is not allowed")
        let name = String(repeating: "n", count: 65)
        #expect(fault(start([(name, "")]), of: .intake) == "malformed: a label's name is not allowed")
        // A label that is given twice is one.
        #expect(try decode(fields(start(many + [("l0", "w")])), of: .intake)[0].content.get().saga == "a")
    }

    @Test func aMessageOverTheLimitIsOversizedAndItsSagaStillKnown() {
        let start = StartMessage(saga: "o-1", definition: "order", input: Array(repeating: 0, count: 1_000))
        let decoded = decode(start.fields, of: .intake, limits: .init(messageBytes: 500))
        guard case .failure(let reason)? = decoded.first?.content else { return #expect(Bool(false), "accepted") }
        #expect(reason.code == .oversized)
        #expect(decoded[0].saga == "o-1")
    }

    @Test func unknownFieldsAreIgnored() throws {
        var entry = SignalMessage(saga: "o-1", name: "go").fields
        entry.append("future", "yes")
        #expect(try decode(entry, of: .intake)[0].content.get() == .signal(SignalMessage(saga: "o-1", name: "go")))
    }

    /// Anything may come in: nothing traps, and each entry has at least one message or fault.
    @Test func mutatedEntriesNeverTrap() {
        var random = SystemRandomNumberGenerator()
        let names = [
            "type", "saga", "step", "phase", "attempt", "era", "token", "outcome", "x", "label.", "label.a", "",
        ]
        let values = ["reply", "start", "control", "a", "action", "1", "-1", "99999999999999999999", "", "\u{0}"]
        for _ in 0..<20_000 {
            let pairs = (0..<Int.random(in: 0...10, using: &random)).map { _ in
                (names.randomElement(using: &random) ?? "", values.randomElement(using: &random) ?? "")
            }
            for stream in InboxStream.inbox { #expect(!decode(fields(pairs), of: stream).isEmpty) }
        }
    }

    @Test func aCommandReadsBackAsItWasWritten() throws {
        let command = Command(
            saga: "o-1", definition: "order", version: 3, step: "charge", phase: .compensation, operation: "refund",
            isEffectKnown: true, attempt: 2, era: 7, token: "t", input: [1, 2],
            results: [.init(step: "create", payload: [3]), .init(step: "charge", payload: [])], deadline: 9,
            traceparent: "00-1")
        #expect(try command.fields.withViews { views throws(DeadReason) in try Command.decode(views) } == command)
        #expect(command.key == "o-1/charge/compensation")
    }

    @Test func outcomesReadBack() {
        let end = OutcomeEntry(saga: "o", definition: "d", version: 1, status: .stuck, error: "e", at: 5)
        #expect(end.fields.withViews { Outcome.decode($0) } == .end(end))
        let answer = OrderAnswer(saga: "o", control: "c", error: nil, at: 5)
        #expect(answer.fields.withViews { Outcome.decode($0) } == .answer(answer))
    }
}
