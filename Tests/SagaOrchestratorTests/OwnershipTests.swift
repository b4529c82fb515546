import SagaCore
import SagaOrchestrator
import SagaStore
import SagaTesting
import SagaWire
import Testing

@Suite("Ownership")
struct OwnershipTests {
    @Test func aCommitWhoseAnswerWasLostIsFoundOut() async throws {
        let namespace = InMemoryNamespace()
        let scenario = Scenario(namespace)
        try await scenario.register(orderDraft())
        namespace.memory.setFault { _ in Int.random(in: 0..<4) == 0 ? .loseAnswer : .none }
        let sagas = (0..<50).map { "s\($0)" }
        try await scenario.run {
            for saga in sagas { try await scenario.start(saga) }
            try await eventually("all sagas end", within: .seconds(60)) {
                try await scenario.endedCount() == sagas.count
            }
        }
        #expect(try await scenario.audit(sagas) == [])
        #expect(try await scenario.outcomes().count == sagas.count)
        for saga in sagas {
            #expect(try await namespace.log(of: saga, in: scenario.partition(of: saga)).count == 4)
        }
    }

    @Test func aRefusedCommitIsTriedAgain() async throws {
        let namespace = InMemoryNamespace()
        let scenario = Scenario(namespace)
        try await scenario.register(orderDraft())
        namespace.memory.setFault { _ in
            Int.random(in: 0..<3) == 0 ? .refuse(StoreError(.full, .notApplied, "out of memory")) : .none
        }
        try await scenario.run {
            for index in 0..<50 { try await scenario.start("s\(index)") }
            try await eventually("all sagas end", within: .seconds(60)) { try await scenario.endedCount() == 50 }
        }
        #expect(try await scenario.deadReasons() == [])
    }

    @Test(arguments: StoreKind.allCases)
    func severalOrchestratorsShareThePartitionsAndHandThemOver(on kind: StoreKind) async throws {
        try await withNamespace(on: kind, partitions: 4) { namespace in
            let scenario = Scenario(namespace)
            try await scenario.register(orderDraft())
            for round in 0..<3 {
                try await scenario.run(on: [namespace.store, namespace.store]) {
                    for index in 0..<40 { try await scenario.start("s\(round)-\(index)") }
                    try await eventually("all sagas end") {
                        try await scenario.endedCount() == (round + 1) * 40
                    }
                }
            }
            let sagas = (0..<3).flatMap { round in (0..<40).map { "s\(round)-\($0)" } }
            #expect(try await scenario.audit(sagas) == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aFrozenOwnersPartitionsAreTakenAndItsLateCommitsAreRefused(on kind: StoreKind) async throws {
        try await withNamespace(on: kind) { namespace in
            let scenario = Scenario(namespace)
            try await scenario.register(orderDraft())
            let frozen = FreezableStore(namespace.store)
            let other = FreezableStore(namespace.store)
            other.freeze()
            let sagas = (0..<300).map { "s\($0)" }
            try await scenario.run(on: [frozen, other]) {
                for saga in sagas.prefix(150) { try await scenario.start(saga) }
                try await eventually("sagas begin to end") { try await scenario.endedCount() > 20 }
                frozen.freeze()
                other.thaw()
                let clock = ContinuousClock.now
                for saga in sagas.dropFirst(150) { try await scenario.start(saga) }
                try await eventually("the other one begins sagas in both partitions") {
                    var logs = 0
                    for saga in sagas.dropFirst(150).prefix(20) where try await scenario.saga(saga) != nil { logs += 1 }
                    return logs == 20
                }
                // The lease of 500 ms and a second, on a machine that has nothing else to do.
                #expect(ContinuousClock.now - clock < .milliseconds(4_000))
                frozen.thaw()
                try await eventually("all sagas end") { try await scenario.endedCount() == sagas.count }
            }
            #expect(try await scenario.audit(sagas) == [])
            #expect(try await scenario.outcomes().count == sagas.count)
        }
    }

    @Test func afterARewindEveryRepeatedSagaEndsAllOrNothing() async throws {
        let namespace = InMemoryNamespace()
        let scenario = Scenario(namespace)
        try await scenario.register(orderDraft())
        let sagas = (0..<40).map { "s\($0)" }
        try await scenario.run {
            for saga in sagas { try await scenario.start(saga) }
            try await eventually("some sagas end") { try await scenario.endedCount() >= 5 }
            let snapshot = namespace.memory.snapshot()
            try await eventually("all sagas end") { try await scenario.endedCount() == sagas.count }
            namespace.memory.restore(snapshot)
            for saga in sagas { try await scenario.start(saga) }
            try await eventually("all sagas end again") { try await scenario.endedCount() == sagas.count }
        }
        #expect(try await scenario.audit(sagas) == [])
        for saga in sagas { #expect(try await scenario.saga(saga)?.status == .completed) }
        #expect(try await scenario.openCount() == 0)
    }
}
