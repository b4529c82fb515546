import SagaCore
import SagaParticipant
import SagaWire
import Testing

/// One suite for every store.
@Suite("What every barrier does")
struct BarrierConformanceTests {
    @Test(
        "A repetition has no second effect, and gets the recorded result with its own attempt, era and token",
        arguments: TestBarrier.Kind.allCases)
    func duplicate(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        let first = try await barrier(.test(.action)) { _ in .succeeded([1, 0, 255]) }
        let again = Command.test(.action, attempt: 2, era: 9)
        let second = try await barrier(again) { _ in .failed(code: "no", error: "the stock is gone by now") }
        #expect(first?.outcome == .succeeded)
        #expect(second == ReplyMessage(id: again.id, outcome: .succeeded, result: [1, 0, 255]))
        #expect(try await barrier.effects() == [again.key: 1])
    }

    @Test("An empty result and none are told apart", arguments: TestBarrier.Kind.allCases)
    func emptyResult(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        for (step, result) in [("a", [UInt8]()), ("b", nil)] as [(String, [UInt8]?)] {
            _ = try await barrier(.test(.action, step: step)) { _ in .succeeded(result) }
            let again = try await barrier(.test(.action, step: step, attempt: 2))
            #expect(again?.result == result)
        }
    }

    @Test("A command of an older era has no effect and is told the newest one", arguments: TestBarrier.Kind.allCases)
    func olderEra(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        // Another step of the same saga raises the era of the whole saga.
        _ = try await barrier(.test(.action, step: "other", era: 8))
        let stale = Command.test(.action, era: 7)
        #expect(try await barrier(stale) == ReplyMessage(id: stale.id, outcome: .stale, seen: 8))
        #expect(try await barrier.effects()[stale.key] == nil)
        #expect(try await barrier.recorded("order-1", "reserve") == RecordedState(era: 8))
        // Another saga, and another namespace, have eras of their own.
        #expect(try await barrier(.test(.action, saga: "order-2", era: 7))?.outcome == .succeeded)
        let elsewhere = CommandBatch(namespace: "elsewhere", now: 1, commands: [stale])
        #expect(try await barrier.perform(elsewhere) { _ in .succeeded(nil) }.first?.reply?.outcome == .succeeded)
    }

    @Test("The era comes before everything else", arguments: TestBarrier.Kind.allCases)
    func eraComesFirst(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        _ = try await barrier(.test(.action, era: 8))
        _ = try await barrier(.test(.compensation, era: 8))
        for command in [
            Command.test(.action, era: 7), .test(.compensation, era: 7), .test(.compensation, known: true, era: 7),
        ] {
            #expect(try await barrier(command)?.outcome == .stale)
        }
    }

    @Test(
        "An action after its compensation has no effect and fails, though it had succeeded before",
        arguments: TestBarrier.Kind.allCases)
    func lateAction(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        let overtaken = Command.test(.action, step: "overtaken")
        #expect(try await barrier(.test(.compensation, step: "overtaken"))?.outcome == .succeeded)
        let late = try await barrier(overtaken)
        #expect(late?.outcome == .failed)
        #expect(late?.code == "late-action")
        #expect(try await barrier.effects() == [:])

        _ = try await barrier(.test(.action))
        _ = try await barrier(.test(.compensation))
        #expect(try await barrier(.test(.action, attempt: 2))?.code == "late-action")
        #expect(try await barrier.effects() == [Command.test(.action).key: 1, Command.test(.compensation).key: 1])
    }

    @Test("An empty compensation succeeds without an effect, and is recorded", arguments: TestBarrier.Kind.allCases)
    func emptyCompensation(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        let reply = try await barrier(.test(.compensation)) { _ in .failed(code: "never", error: "asked") }
        #expect(reply?.outcome == .succeeded)
        #expect(try await barrier.effects() == [:])
        #expect(try await barrier.recorded("order-1", "reserve").compensation == BarrierRecord(.succeeded))
    }

    @Test(
        "The compensation of a refused action is empty, also where the effect is called known",
        arguments: TestBarrier.Kind.allCases)
    func refusedActionHasNothingToUndo(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        for (step, known) in [("a", false), ("b", true)] {
            _ = try await barrier(.test(.action, step: step)) { _ in .failed(code: "no", error: "no") }
            #expect(try await barrier(.test(.compensation, step: step, known: known))?.outcome == .succeeded)
        }
        #expect(try await barrier.effects() == [:])
    }

    @Test("A known effect without a record fails, and keeps the action out", arguments: TestBarrier.Kind.allCases)
    func recordMissing(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        let reply = try await barrier(.test(.compensation, known: true))
        #expect(reply?.outcome == .failed)
        #expect(reply?.code == "record-missing")
        #expect(try await barrier(.test(.action, attempt: 2))?.code == "late-action")
        #expect(try await barrier(.test(.compensation, known: true, attempt: 2))?.code == "record-missing")
        #expect(try await barrier.effects() == [:])
    }

    @Test(
        "A refused action is rolled back, recorded, and refused again without asking",
        arguments: TestBarrier.Kind.allCases)
    func refusal(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        let first = try await barrier(.test(.action)) { _ in .failed(code: "out-of-stock", error: "only 3 left") }
        let second = try await barrier(.test(.action, attempt: 2))
        for reply in [first, second] {
            #expect(reply?.outcome == .failed)
            #expect(reply?.code == "out-of-stock")
            #expect(reply?.error == "only 3 left")
        }
        #expect(try await barrier.effects() == [:])
    }

    @Test(
        "A refused compensation is rolled back, blocks its action, and runs again at the next attempt",
        arguments: TestBarrier.Kind.allCases)
    func refusedCompensation(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        _ = try await barrier(.test(.action))
        let refused = try await barrier(.test(.compensation)) { _ in .failed(code: "shipped", error: "too late") }
        #expect(refused?.code == "shipped")
        #expect(try await barrier(.test(.action, attempt: 2))?.code == "late-action")
        #expect(try await barrier.effects() == [Command.test(.action).key: 1])
        #expect(try await barrier(.test(.compensation, attempt: 2))?.outcome == .succeeded)
        let repeated = try await barrier(.test(.compensation, attempt: 3)) { _ in .failed(code: "x", error: "x") }
        #expect(repeated?.outcome == .succeeded)
        #expect(try await barrier.effects()[Command.test(.compensation).key] == 1)
    }

    @Test("A retry leaves no effect and no record, but the era", arguments: TestBarrier.Kind.allCases)
    func retry(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        let reply = try await barrier(.test(.action, era: 9)) { _ in .retry(error: "locked", after: 50) }
        #expect(reply?.outcome == .retry)
        #expect(reply?.retryAfter == 50)
        #expect(try await barrier.effects() == [:])
        #expect(try await barrier.recorded("order-1", "reserve") == RecordedState(era: 9))
        #expect(try await barrier(.test(.action, attempt: 2, era: 9))?.outcome == .succeeded)
        #expect(try await barrier.effects() == [Command.test(.action).key: 1])
    }

    @Test(
        "A batch gives each command its own fate, in order, and sees the earlier ones' records",
        arguments: TestBarrier.Kind.allCases)
    func batch(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        let commands: [Command] = [
            .test(.action, saga: "a"), .test(.action, saga: "b"), .test(.action, saga: "c"),
            .test(.action, saga: "a", attempt: 2),
            .test(.compensation, saga: "a"), .test(.action, saga: "d", era: 9),
            .test(.action, saga: "d", step: "next", era: 8),
        ]
        let answers = try await barrier.perform(CommandBatch(namespace: "test", now: 1, commands: commands)) {
            command in
            switch command.saga {
            case "b": .failed(code: "no", error: "no")
            case "c": .retry(error: "later")
            default: .succeeded(nil)
            }
        }
        #expect(
            answers.map(\.reply?.outcome) == [.succeeded, .failed, .retry, .succeeded, .succeeded, .succeeded, .stale])
        #expect(answers.map(\.reply?.id) == commands.map(\.id))
        #expect(try await barrier.effects() == [commands[0].key: 1, commands[4].key: 1, commands[5].key: 1])
    }

    @Test("Deliveries of one key at the same time have one effect", arguments: TestBarrier.Kind.allCases)
    func concurrentDeliveries(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        let replies = try await withThrowingTaskGroup(of: ReplyMessage?.self) { group in
            for attempt in 1...24 {
                group.addTask {
                    try await barrier(.test(attempt % 3 == 0 ? .compensation : .action, attempt: attempt))
                }
            }
            return try await group.reduce(into: [ReplyMessage?]()) { $0.append($1) }
        }
        #expect(replies.count == 24)
        #expect(replies.allSatisfy { $0?.outcome == .succeeded || $0?.code == "late-action" })
        let effects = try await barrier.effects()
        let action = effects[Command.test(.action).key] ?? 0
        #expect(action <= 1)
        #expect(effects[Command.test(.compensation).key] ?? 0 == action)
    }

    @Test("An intended call counts as one that may have taken effect", arguments: TestBarrier.Kind.allCases)
    func intendedCall(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        let intend = CommandBatch(namespace: "test", now: 100, commands: [.test(.action)])
        #expect(try await barrier.perform(intend) { _ in .intended(until: 500) } == [.proceed])
        #expect(try await barrier.effects() == [:])
        #expect(try await barrier.recorded("order-1", "reserve").action == BarrierRecord(.intended, until: 500))
        // Its compensation has to wait until the call can no longer arrive.
        let early = try await barrier(.test(.compensation), now: 499)
        #expect(early?.outcome == .retry)
        #expect(early?.retryAfter == 1)
        // Interrupted, it is made again under the same key, and settled.
        #expect(try await barrier(.test(.action, attempt: 2), now: 300) { _ in .succeeded([1]) }?.outcome == .succeeded)
        #expect(try await barrier.recorded("order-1", "reserve").action == BarrierRecord(.succeeded, result: [1]))
        #expect(try await barrier(.test(.compensation, attempt: 2), now: 400)?.outcome == .succeeded)
    }

    @Test(
        "A call that was never heard of again is compensated when it can no longer arrive",
        arguments: TestBarrier.Kind.allCases)
    func callInDoubt(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        let intend = CommandBatch(namespace: "test", now: 100, commands: [.test(.action)])
        _ = try await barrier.perform(intend) { _ in .intended(until: 500) }
        #expect(try await barrier(.test(.compensation), now: 500)?.outcome == .succeeded)
        #expect(try await barrier.effects() == [Command.test(.compensation).key: 1])
        // What the call says in the end comes too late.
        #expect(try await barrier(.test(.action), now: 501)?.code == "late-action")
    }

    @Test("Old sagas are removed in portions, with their records", arguments: TestBarrier.Kind.allCases)
    func purge(_ kind: TestBarrier.Kind) async throws {
        let barrier = try TestBarrier.make(kind)
        let day: Milliseconds = 86_400_000
        for index in 0..<5 {
            _ = try await barrier(.test(.action, saga: "old-\(index)"), now: day)
            _ = try await barrier(.test(.action, saga: "new-\(index)"), now: day)
            // A later command of any kind keeps a saga.
            _ = try await barrier(.test(.action, saga: "new-\(index)", attempt: 2), now: 20 * day)
        }
        #expect(try await barrier.purge(10 * day, 3) == 3)
        #expect(try await barrier.purge(10 * day, 3) == 2)
        #expect(try await barrier.purge(10 * day, 3) == 0)
        #expect(try await barrier.recorded("old-0", "reserve") == RecordedState())
        #expect(try await barrier.recorded("new-0", "reserve").action?.outcome == .succeeded)
    }
}
