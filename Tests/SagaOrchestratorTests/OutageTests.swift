import SagaCore
import SagaOrchestrator
import SagaStore
import SagaTesting
import SagaWire
import Testing

@Suite("A service that is down for long")
struct OutageTests {
    /// Attempts of 100 ms, without end: what an hour is to attempts of half a minute, some seconds are to these.
    private func play(on kind: StoreKind, _ body: (Scenario) async throws -> Void) async throws {
        try await withNamespace(on: kind, partitions: 1) { namespace in
            let scenario = Scenario(namespace)
            let steps = ["create", "reserve"].map { name in
                StepDraft(
                    name: name, service: "\(name)-service", action: name, compensation: .operation("undo-\(name)"),
                    timeout: 100, retry: RetryPolicyDraft(attempts: 0, initial: 10, max: 20))
            }
            try await scenario.register(DefinitionDraft(name: "order", version: 1, steps: steps))
            try await body(scenario)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func itsStreamHoldsOneCommandForEachSagaHoweverOftenItIsSent(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            let sagas = (0..<40).map { "s\($0)" }
            try await scenario.run(participants: false) {
                for saga in sagas { try await scenario.start(saga) }
                try await eventually("several attempts of each are out") {
                    let commands = try await scenario.namespace.commands(of: "create-service", in: 0)
                    #expect(commands.count <= sagas.count)
                    return commands.count == sagas.count && commands.allSatisfy { Int($0["attempt"] ?? "") ?? 0 >= 4 }
                }
                let commands = try await scenario.namespace.commands(of: "create-service", in: 0)
                #expect(Set(commands.compactMap { $0["saga"] }) == Set(sagas))
            }
            // It comes back.
            try await scenario.run {
                try await eventually("all end") { try await scenario.endedCount() == sagas.count }
            }
            #expect(try await scenario.audit(sagas) == [])
            for saga in sagas { #expect(try await scenario.end(of: saga) == .completed) }
        }
    }

    /// The compensation still goes out: that the action was never delivered is not written in the log.
    @Test(arguments: StoreKind.allCases)
    func aCompensationTakesThePlaceOfAnActionThatNobodyWasGiven(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            try await scenario.run(participants: false) {
                try await scenario.start("s1")
                try await eventually("it is sent") {
                    try await scenario.namespace.commands(of: "create-service", in: 0).count == 1
                }
                try await scenario.order(.cancel, "s1", id: "c1")
                try await eventually("it turns back") {
                    try await scenario.namespace.commands(of: "create-service", in: 0).compactMap { $0["phase"] }
                        == ["compensation"]
                }
            }
            try await scenario.run {
                try await eventually("it ends") { try await scenario.end(of: "s1") == .compensated }
            }
            #expect(try await scenario.audit(["s1"]) == [])
        }
    }
}
