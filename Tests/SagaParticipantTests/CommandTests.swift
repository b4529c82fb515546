import SagaCore
import SagaParticipant
import SagaWire
import Testing

@Suite("Commands and replies at the edge")
struct CommandTests {
    @Test("A key names its own saga, step and phase, with or without an item")
    func keys() {
        for phase in Phase.allCases {
            var command = Command.test(phase, saga: "order-17/refund", step: "pay")
            #expect(command.keyFault == nil)
            let other = phase == .action ? "compensation" : "action"
            #expect(command.counterpartKey == "order-17/refund/pay/\(other)")
            command.key = "order-17/refund/pay#3/\(phase.rawValue)"
            #expect(command.keyFault == nil)
            #expect(command.counterpartKey == "order-17/refund/pay#3/\(other)")
            let wrong = [
                "", "/", "order-17/refund/pay", "order-17/refund/pay/", "order-17/refund/pay/\(other)",
                "order-17/refund/pays/\(phase.rawValue)", "order-17/pay/\(phase.rawValue)",
                "order-17/refund/pay/\(phase.rawValue)/", "order-17/refund/pay#3",
                "order-17/refund/pay#3/x/\(phase.rawValue)",
            ]
            for key in wrong {
                command.key = key
                #expect(command.keyFault?.code == .malformed, "\(key)")
            }
        }
    }

    @Test("A command of one item of a list carries the item, and is read back as it was")
    func items() throws {
        let command = Command(
            saga: "s1", definition: "order", version: 1, step: "pay", item: 2, value: Array(#"{"sku":"a"}"#.utf8),
            phase: .action, operation: "pay", attempt: 1, era: 5, token: "t.2", input: [], deadline: 9)
        #expect(command.key == "s1/pay#2/action" && command.keyFault == nil)
        let read = try command.fields.withViews { try Command.decode($0) }
        #expect(read == command)
        let context = CommandContext(read)
        #expect(context.item == 2)
        #expect(try context.value(as: [String: String].self) == ["sku": "a"])
        #expect(throws: Refusal.self) { try context.value(as: [Int].self) }
        #expect(try CommandContext(Command.test(.action)).value(as: Int.self) == nil)
    }

    @Test(
        "Texts are cut at whole characters",
        arguments: [("abc", 3, "abc"), ("abc", 2, "ab"), ("aä", 2, "a"), ("ä", 1, "")])
    func cut(_ text: String, _ limit: Int, _ expected: String) {
        #expect(text.cut(to: limit) == expected)
    }

    @Test("A result that no reply has room for is a refusal")
    func largeResult() {
        guard case .failed(let code, _) = HandlerOutcome(result: [UInt8](repeating: 0, count: 262_144)) else {
            Issue.record("expected a refusal")
            return
        }
        #expect(code == "result-too-large")
    }

    @Test("What a handler throws decides the outcome")
    func errors() {
        struct Trouble: Error {}
        #expect(HandlerOutcome(thrown: Refusal("code", "text")) == .failed(code: "code", error: "text"))
        #expect(HandlerOutcome(thrown: RetryLater("text", after: .seconds(2))) == .retry(error: "text", after: 2_000))
        #expect(HandlerOutcome(thrown: RetryLater("text", after: .seconds(-2))) == .retry(error: "text", after: 0))
        #expect(HandlerOutcome(thrown: Trouble()) == .retry(error: "Trouble()"))
        let long = HandlerOutcome(
            thrown: Refusal(String(repeating: "c", count: 100), String(repeating: "e", count: 9_000)))
        guard case .failed(let code, let error) = long else { return }
        #expect(code.utf8.count == 64)
        #expect(error.utf8.count == 4_096)
    }

    @Test("Options out of bounds are named")
    func options() {
        var options = ParticipantOptions()
        #expect(options.fault == nil)
        options.block = .seconds(3)
        #expect(options.fault?.contains("block") == true)
        options = ParticipantOptions()
        options.consumer = "a b"
        #expect(options.fault?.contains("consumer") == true)
    }
}
