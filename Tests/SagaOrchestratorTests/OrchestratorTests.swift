import SagaCore
import SagaOrchestrator
import SagaStore
import SagaWire
import Synchronization
import Testing

@Suite("The orchestrator, on the in-memory store")
struct OrchestratorTests {
    @Test func aSagaRunsThrough() async throws {
        let world = World()
        _ = try await world.register(orderDraft())
        try await world.run {
            world.start("s1")
            try await eventually("the saga ends") { world.end(of: "s1") != nil }
        }
        #expect(world.end(of: "s1") == .completed)
        let partition = world.store.snapshot().partitions[0]
        #expect(partition.open.isEmpty)
        #expect(partition.ended.keys.contains("s1"))
        #expect(partition.logs["s1"]?.count == 4)
        #expect(world.deadReasons == [])
    }

    @Test func aRefusedSagaIsCompensated() async throws {
        let world = World()
        _ = try await world.register(orderDraft())
        world.answers.withLock { $0["charge/action"] = .failed }
        try await world.run {
            world.start("s1")
            try await eventually("the saga ends") { world.end(of: "s1") != nil }
        }
        #expect(world.end(of: "s1") == .compensated)
        #expect(world.effects.withLock { $0.values.allSatisfy { $0 == 0 } })
    }

    @Test func manySagasRunSideBySide() async throws {
        let world = World(partitions: 4)
        _ = try await world.register(orderDraft())
        try await world.run {
            for index in 0..<2_000 { world.start("s\(index)", partition: index % 4) }
            try await eventually("all sagas end", within: .seconds(60)) { world.outcomes.count == 2_000 }
        }
        #expect(world.effects.withLock { $0.values.allSatisfy { $0 == 1 } && $0.count == 6_000 })
    }

    @Test func aRepeatedStartChangesNothingAndAnotherOneWithTheSameIDIsAConflict() async throws {
        let world = World()
        _ = try await world.register(orderDraft())
        try await world.run {
            world.start("s1", input: "{\"a\":1}")
            try await eventually("the saga ends") { world.end(of: "s1") != nil }
            world.start("s1", input: "{\"a\":1}")
            world.start("s1", input: "{\"a\":2}")
            world.start("s2")
            try await eventually("the other saga ends") { world.end(of: "s2") != nil }
        }
        #expect(world.deadReasons == ["conflict"])
        #expect(world.store.snapshot().partitions[0].logs["s1"]?.count == 4)
    }

    @Test func whatCannotBeProcessedGoesToTheDeadLettersAndTheOthersGoOn() async throws {
        let world = World()
        _ = try await world.register(orderDraft())
        try await world.run {
            var junk = Fields()
            junk.append("hello", "world")
            world.store.append(junk, to: .intake, of: 0)
            world.start("s0", "unknown")
            let id = AttemptID(saga: "nobody", step: "create", phase: .action, attempt: 1, era: 1, token: "x")
            world.store.append(ReplyMessage(id: id, outcome: .succeeded).fields, to: .reply, of: 0)
            world.order(.cancel, "nobody", id: "c1")
            world.start("s1")
            try await eventually("the saga ends") { world.end(of: "s1") != nil }
            try await eventually("the order is answered") { world.outcomes.count == 3 }
        }
        #expect(world.deadReasons.sorted() == ["malformed", "unknown-definition", "unknown-saga", "unknown-saga"])
        #expect(world.end(of: "s0") == .refused)
    }

    @Test func aForgedReplyIsBuriedAndDoesNotCount() async throws {
        let world = World()
        _ = try await world.register(orderDraft())
        try await world.run(participants: false) {
            world.start("s1")
            try await eventually("the command is out") {
                world.store.snapshot().partitions[0].commands["create-service"] != nil
            }
            let id = AttemptID(saga: "s1", step: "create", phase: .action, attempt: 1, era: 1, token: "00")
            world.store.append(ReplyMessage(id: id, outcome: .succeeded).fields, to: .reply, of: 0)
            try await eventually("the letter is there") { world.deadReasons == ["forged"] }
        }
        #expect(world.store.snapshot().partitions[0].logs["s1"]?.count == 1)
    }

    @Test func anOrderBeforeItsStartWaitsForIt() async throws {
        let world = World()
        _ = try await world.register(orderDraft())
        for index in 0..<600 { world.start("s\(index)") }
        world.order(.cancel, "s599", id: "c1")
        try await world.run {
            try await eventually("all sagas end") { world.outcomes.count == 601 }
        }
        let answers = world.outcomes.compactMap { if case .answer(let answer) = $0 { answer } else { nil } }
        #expect(answers.map(\.error) == [nil])
        #expect(world.end(of: "s599") == .compensated)
    }

    @Test func anAttemptWithoutAnswerIsSentAgain() async throws {
        let world = World()
        _ = try await world.register(orderDraft())
        try await world.run(participants: false) {
            world.start("s1")
            let attempts = {
                world.store.snapshot().partitions[0].commands["create-service"]?.count ?? 0
            }
            try await eventually("the first attempt is out") { attempts() == 1 }
            world.advance(2_500)
            try await eventually("the second attempt is out") { attempts() == 2 }
        }
    }

    @Test func aNewVersionIsSeenByTheNextStart() async throws {
        let world = World()
        _ = try await world.register(orderDraft(1))
        try await world.run {
            world.start("s1")
            try await eventually("the saga ends") { world.end(of: "s1") != nil }
            _ = try await world.register(orderDraft(2))
            world.start("s2")
            try await eventually("the saga ends") { world.end(of: "s2") != nil }
        }
        let versions = world.outcomes.compactMap { if case .end(let entry) = $0 { entry.version } else { nil } }
        #expect(versions == [1, 2])
    }
}

@Suite("Ownership, on the in-memory store")
struct OwnershipTests {
    @Test func aCommitWhoseAnswerWasLostIsFoundOut() async throws {
        let world = World()
        _ = try await world.register(orderDraft())
        world.store.setFault { _ in Int.random(in: 0..<4) == 0 ? .loseAnswer : .none }
        try await world.run {
            for index in 0..<50 { world.start("s\(index)") }
            try await eventually("all sagas end", within: .seconds(60)) { world.outcomes.count == 50 }
        }
        #expect(world.effects.withLock { $0.values.allSatisfy { $0 >= 1 } && $0.count == 150 })
        #expect(world.store.snapshot().partitions[0].logs.values.allSatisfy { $0.count == 4 })
    }

    @Test func arefusedCommitIsTriedAgain() async throws {
        let world = World()
        _ = try await world.register(orderDraft())
        world.store.setFault { _ in
            Int.random(in: 0..<3) == 0 ? .refuse(StoreError(.full, .notApplied, "out of memory")) : .none
        }
        try await world.run {
            for index in 0..<50 { world.start("s\(index)") }
            try await eventually("all sagas end", within: .seconds(60)) { world.outcomes.count == 50 }
        }
        #expect(world.deadReasons == [])
    }

    @Test func severalOrchestratorsShareThePartitionsAndHandThemOver() async throws {
        let world = World(partitions: 4)
        _ = try await world.register(orderDraft())
        for round in 0..<3 {
            try await world.run(orchestrators: 2) {
                for index in 0..<40 { world.start("s\(round)-\(index)", partition: index % 4) }
                try await eventually("all sagas end") { world.outcomes.count == (round + 1) * 40 }
            }
        }
        #expect(world.effects.withLock { $0.values.allSatisfy { $0 == 1 } })
    }

    @Test func afterARewindEveryRepeatedSagaEndsAllOrNothing() async throws {
        let world = World()
        _ = try await world.register(orderDraft())
        try await world.run {
            for index in 0..<20 { world.start("s\(index)") }
            try await eventually("some sagas end") { world.outcomes.count >= 5 }
            let snapshot = world.store.snapshot()
            try await eventually("all sagas end") { world.outcomes.count == 20 }
            world.store.restore(snapshot)
            for index in 0..<20 { world.start("s\(index)") }
            try await eventually("all sagas end again") { world.outcomes.count == 20 }
        }
        let partition = world.store.snapshot().partitions[0]
        #expect((0..<20).allSatisfy { world.end(of: "s\($0)") == .completed })
        #expect(partition.open.isEmpty)
    }
}
