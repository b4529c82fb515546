import SagaCore
import SagaOrchestrator
import SagaStore
import SagaTesting
import SagaWire
import Testing

@Suite("Starts while the store's memory is nearly used up")
struct AdmissionTests {
    private func play(_ body: (Scenario, InMemoryStore) async throws -> Void) async throws {
        let namespace = InMemoryNamespace(partitions: 2)
        let scenario = Scenario(namespace)
        try await scenario.register(orderDraft(timeout: 60_000))
        try await body(scenario, namespace.memory)
    }

    private func announced(_ memory: InMemoryStore, _ overload: Overload?) async throws {
        try await eventually("starters are told \(overload?.description ?? "nothing")") {
            memory.announcedOverload == overload
        }
    }

    @Test func startsWaitAboveTheShareAndGoOnSomeWayBelowIt() async throws {
        try await play { scenario, memory in
            memory.setMemory(StoreMemory(used: 80, limit: 100))
            try await scenario.run {
                try await scenario.start("before")
                try await eventually("it ends") { try await scenario.end(of: "before") == .completed }
                memory.setMemory(StoreMemory(used: 801, limit: 1_000))
                try await announced(memory, Overload(used: 81, allowed: 80))
                try await scenario.start("during")
                // Between the two marks nothing changes.
                memory.setMemory(StoreMemory(used: 76, limit: 100))
                try await announced(memory, Overload(used: 76, allowed: 80))
                #expect(try await scenario.saga("during") == nil)
                memory.setMemory(StoreMemory(used: 75, limit: 100))
                try await eventually("it ends") { try await scenario.end(of: "during") == .completed }
                try await announced(memory, nil)
            }
        }
    }

    @Test func whatIsBegunGoesOnAndItsOrdersToo() async throws {
        try await play { scenario, memory in
            try await scenario.run(participants: false) {
                for index in 0..<10 { try await scenario.start("s\(index)") }
                try await eventually("all are begun") { try await scenario.openCount() == 10 }
            }
            memory.setMemory(StoreMemory(used: 99, limit: 100))
            try await scenario.run {
                try await announced(memory, Overload(used: 99, allowed: 80))
                try await scenario.start("late")
                try await scenario.order(.cancel, "s0", id: "c1")
                try await eventually("all of them end") { try await scenario.endedCount() == 10 }
                #expect(try await scenario.saga("late") == nil)
            }
            #expect(try await scenario.audit((0..<10).map { "s\($0)" }) == [])
        }
    }

    /// Nobody measures: the store's refusal alone tells.
    @Test func aStoreThatRefusesStartsStillTakesEverythingElse() async throws {
        try await play { scenario, memory in
            try await scenario.run(participants: false) {
                for index in 0..<10 { try await scenario.start("s\(index)") }
                try await eventually("all are begun") { try await scenario.openCount() == 10 }
            }
            try await scenario.run(configure: { $0.memoryShare = nil }) {
                memory.setMemory(StoreMemory(used: 100, limit: 100))
                for index in 0..<10 { try await scenario.start("late\(index)") }
                try await eventually("all that were begun end") { try await scenario.endedCount() == 10 }
                #expect(try await scenario.openCount() == 0)
                memory.setMemory(StoreMemory(used: 50, limit: 100))
                try await eventually("the others, too") { try await scenario.endedCount() == 20 }
            }
        }
    }

    @Test func aShareIsRoundedUp() {
        #expect(StoreMemory(used: 801, limit: 1_000).percent == 81)
        #expect(StoreMemory(used: 800, limit: 1_000).percent == 80)
        #expect(StoreMemory(used: 5, limit: 0).percent == nil)
        #expect(StoreMemory(used: .max, limit: 5).percent == nil)
    }
}
