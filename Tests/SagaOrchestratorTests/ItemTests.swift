import SagaCore
import SagaOrchestrator
import SagaStore
import SagaTesting
import SagaWire
import Synchronization
import Testing

/// Steps that send one command an item.
@Suite("Items, on both stores")
struct ItemTests {
    private func play(on kind: StoreKind, _ body: (Scenario) async throws -> Void) async throws {
        try await withNamespace(on: kind, partitions: 1) { namespace in
            let scenario = Scenario(namespace)
            var reserve = StepDraft(
                name: "reserve", service: "stock", action: "reserve", compensation: .operation("release"),
                timeout: 60_000, retry: RetryPolicyDraft(attempts: 3, initial: 10, max: 20))
            reserve.forEach = ForEach(try #require(ValuePath("input.items")), parallel: 2)
            var charge = StepDraft(name: "charge", service: "payments", action: "charge", uses: ["reserve"])
            charge.compensation = .operation("refund")
            try await scenario.register(DefinitionDraft(name: "order", version: 1, steps: [reserve, charge]))
            try await body(scenario)
        }
    }

    private let input = #"{"items": ["a", {"sku": "b"}, 3]}"#

    @Test(arguments: StoreKind.allCases)
    func eachItemIsACommandAndTheResultsAreAList(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            let seen = Seen()
            scenario.participants.setPlan { command in
                seen.append(command)
                return Behaviour(result: command.value ?? Array("null".utf8))
            }
            try await scenario.run {
                try await scenario.start("s1", input: input)
                try await eventually("the saga ends") { try await scenario.end(of: "s1") != nil }
            }
            #expect(try await scenario.end(of: "s1") == .completed)
            let commands = seen.commands
            #expect(commands.prefix(3).map(\.item) == [0, 1, 2])
            #expect(commands.prefix(3).map(\.key) == (0..<3).map { "s1/reserve#\($0)/action" })
            #expect(
                commands.prefix(3).map { String(decoding: $0.value ?? [], as: UTF8.self) }
                    == [#""a""#, #"{"sku":"b"}"#, "3"])
            let results = commands.last?.result(of: "reserve").map { String(decoding: $0, as: UTF8.self) }
            #expect(results == #"["a",{"sku":"b"},3]"#)
            #expect(try await scenario.deadReasons() == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aRefusedItemUndoesTheOthersAndNotItself(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            let seen = Seen()
            scenario.participants.setPlan { command in
                seen.append(command)
                return Behaviour(command.item == 2 && command.phase == .action ? .failed : .succeeded)
            }
            try await scenario.run {
                try await scenario.start("s1", input: input)
                try await eventually("the saga ends") { try await scenario.end(of: "s1") != nil }
            }
            #expect(try await scenario.end(of: "s1") == .compensated)
            let undone = seen.commands.filter { $0.phase == .compensation }
            #expect(undone.compactMap(\.item).sorted() == [0, 1])
            #expect(undone.allSatisfy { $0.operation == "release" })
            #expect(scenario.participants.effects["s1/reserve"] == 0)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anItemsTokenIsGoodForNoOther(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            let seen = Seen()
            scenario.participants.setPlan { command in
                seen.append(command)
                return Behaviour(holdBefore: .seconds(60))
            }
            try await scenario.run {
                try await scenario.start("s1", input: input)
                try await eventually("two are sent") { seen.commands.count == 2 }
                let command = seen.commands[0]
                var forged = command.id
                forged.token = String(command.token.prefix { $0 != "." }) + ".1"
                for token in [forged.token, "x.1", "", ".", command.token + ".9"] {
                    forged.token = token
                    let reply = ReplyMessage(id: forged, outcome: .succeeded)
                    try await scenario.namespace.append(reply.fields, to: .reply, of: 0)
                }
                try await eventually("all are buried") { try await scenario.deadReasons().count == 5 }
                #expect(try await scenario.deadReasons() == Array(repeating: "forged", count: 5))
                let right = ReplyMessage(id: command.id, outcome: .succeeded)
                try await scenario.namespace.append(right.fields, to: .reply, of: 0)
                try await eventually("the third is sent") { seen.commands.count == 3 }
            }
            let saga = try #require(try await scenario.saga("s1"))
            #expect(saga.steps[0].items.map(\.action.status) == [.succeeded, .running, .running])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anInputThatIsNoListIsToldAndLeavesNothing(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            try await scenario.run {
                try await scenario.start("s1", input: "{}")
                try await scenario.start("s2", input: "no JSON")
                try await scenario.start("s3", input: #"{"items": []}"#)
                try await eventually("all end") { try await scenario.endedCount() == 3 }
            }
            #expect(try await scenario.saga("s1")?.error?.contains("must lead to a list") == true)
            #expect(try await scenario.saga("s2")?.error?.contains("is no JSON") == true)
            #expect(try await scenario.end(of: "s3") == .completed)
        }
    }
}

/// Commands in the order in which they came.
private final class Seen: Sendable {
    private let list = Mutex<[Command]>([])

    func append(_ command: Command) { list.withLock { $0.append(command) } }
    var commands: [Command] { list.withLock { $0 } }
}
