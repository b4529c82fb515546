import SagaCore
import SagaWire
import Testing

@Suite("The log's encoding")
struct LogCodecTests {
    private let facts: [Fact] = [
        .started(
            Started(
                definition: "order", version: 2, era: 9, isAfterRewind: true, deadline: 5, notBefore: 6,
                labels: ["a": "\"\n"], traceparent: "t", input: Array("{\"a\":\n1}".utf8))),
        .started(Started(definition: "order", version: 1, era: 9)),
        .replied(Reply(step: "a", phase: .action, attempt: 1, outcome: .succeeded)),
        .replied(Reply(step: "a", phase: .action, attempt: 1, outcome: .succeeded, result: [])),
        .replied(
            Reply(
                step: "a", phase: .compensation, attempt: 7, outcome: .retry, result: [10, 0, 255], error: "e\n",
                code: "c", retryAfter: 3)),
        .beat(step: "a", item: nil, phase: .compensation), .beat(step: "a", item: 7, phase: .action),
        .childReported(ChildReport(step: "a", outcome: .completed, result: Array("{}".utf8))),
        .childReported(ChildReport(step: "a", outcome: .refused, error: "no")), .recalled(reason: "its parent"),
        .replied(Reply(step: "a", item: 3, phase: .action, attempt: 2, outcome: .succeeded)),
        .started(
            Started(definition: "d", version: 1, era: 1, isAfterRewind: true, isChild: true, isRecalled: true)),
        .ticked,
        .ordered(Order(.skip, step: "a", by: "ann", reason: "r", result: [1])),
        .ordered(Order(.cancel)),
        .signaled(Signal("go", id: "1", payload: [10, 10])),
        .rewound(era: 1_700_000_000_000),
    ]

    @Test func everyFactReadsBackAsItWasWritten() throws {
        for (index, fact) in facts.enumerated() {
            var entry = LogEntry(index: index, at: 1_700_000_000_000 + Int64(index), fact: fact)
            // An empty input and none are one and the same.
            if case .started(var started) = fact, started.input.isEmpty {
                started.input = []
                entry.fact = .started(started)
            }
            #expect(try LogCodec.decode(LogCodec.encode(entry)) == entry)
        }
    }

    @Test func aTombstoneIsALogOfItsOwn() throws {
        let tombstone = Tombstone(
            at: 9, definition: "order", version: 2, status: .compensated, startedAt: 5, finishedAt: 7)
        #expect(
            String(decoding: tombstone.encoded, as: UTF8.self)
                == #"{"i":0,"at":9,"type":"tombstone","definition":"order","version":2,"status":"compensated","#
                + #""startedAt":5,"finishedAt":7}"#)
        #expect(try LogCodec.decode(head: tombstone.encoded) == .tombstone(tombstone))
        guard case .tombstone(tombstone) = try SagaLog.replay([tombstone.encoded], of: "s", definition: { _, _ in nil })
        else { return #expect(Bool(false), "no tombstone") }
        // It is no entry that could stand in a saga's log.
        #expect(throws: LogFault.self) { try LogCodec.decode(tombstone.encoded) }
        #expect(
            tombstone.reason(of: "s").description == "ended: saga 's' ended compensated and was removed by retention")
    }

    @Test func theHeadOfALogIsItsStart() throws {
        let started = Started(definition: "order", version: 1, era: 9, labels: ["a": "b"], input: [10, 1])
        let entry = LogCodec.encode(LogEntry(index: 0, at: 4, fact: .started(started)))
        #expect(try LogCodec.decode(head: entry) == .started(started, at: 4))
        #expect(try LogCodec.instant(of: entry) == 4)
        for text in [
            "", "{}", #"{"i":0,"at":1,"type":"tick"}"#,
            #"{"i":0,"at":1,"type":"tombstone","definition":"d","version":1,"status":"odd","startedAt":1}"#,
        ] {
            #expect(throws: LogFault.self, "\(text)") { try LogCodec.decode(head: Array(text.utf8)) }
        }
    }

    @Test func aUsualEntryIsShort() {
        let reply = Reply(step: "charge", phase: .action, attempt: 1, outcome: .succeeded, result: Array("{}".utf8))
        let bytes = LogCodec.encode(LogEntry(index: 3, at: 1_732_435_200_123, fact: .replied(reply)))
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"i":3,"at":1732435200123,"type":"reply","step":"charge"}"# + "\n{}")
    }

    @Test(arguments: [
        "", "{", "{}", #"{"i":0,"at":1}"#, #"{"i":0,"at":1,"type":"x"}"#, #"{"i":-1,"at":1,"type":"tick"}"#,
    ])
    func whatIsNoEntryIsAnError(text: String) {
        #expect(throws: LogFault.self) { try LogCodec.decode(Array(text.utf8)) }
    }

    @Test func aStoredLogReplaysToTheSagaThatWroteIt() throws {
        let definition = try Definition("order", version: 1) {
            StepDraft("create", service: "orders", action: "create").compensated(by: "cancel")
            StepDraft("charge", service: "payments", action: "charge").compensated(by: "refund")
        }
        let started = Started(definition: "order", version: 1, era: 1, input: [1])
        var directives: [Directive] = []
        var saga = Saga(id: "s", definition: definition, started: started, at: 1, directives: &directives)
        var log = [LogCodec.encode(LogEntry(index: 0, at: 1, fact: .started(started)))]
        for event in [
            Event.reply(Reply(step: "create", phase: .action, attempt: 1, outcome: .succeeded, result: [2])),
            .reply(Reply(step: "charge", phase: .action, attempt: 1, outcome: .failed, error: "no", code: "c")),
            .rewind(era: 5),
        ] {
            guard case .accept(let fact) = saga.decide(event, at: 2) else { return #expect(Bool(false), "\(event)") }
            let entry = LogEntry(index: saga.entryCount, at: 2, fact: fact)
            log.append(LogCodec.encode(entry))
            saga.evolve(entry, directives: &directives)
        }
        guard case .saga(let replayed) = try SagaLog.replay(log, of: "s", definition: { _, _ in definition }) else {
            return #expect(Bool(false), "not replayed")
        }
        #expect(replayed == saga)
        guard case .unknownDefinition("order", 1) = try SagaLog.replay(log, of: "s", definition: { _, _ in nil }) else {
            return #expect(Bool(false), "a missing definition is told")
        }
    }
}
