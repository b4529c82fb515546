import SagaCore
import SagaOrchestrator
import SagaStore
import SagaTesting
import SagaWire
import Testing

/// Sagas whose steps are sagas.
@Suite("Child sagas, on both stores")
struct FamilyTests {
    /// A parent of three steps, the middle one a child of two.
    private func play(
        on kind: StoreKind, partitions: Int = 2, pivot: String? = nil, _ body: (Scenario) async throws -> Void
    ) async throws {
        try await withNamespace(on: kind, partitions: partitions) { namespace in
            let scenario = Scenario(namespace)
            try await scenario.register(
                DefinitionDraft(
                    name: "award", version: 1,
                    steps: [command("count"), StepDraft("approve", signal: "approved"), command("book")]))
            try await scenario.register(
                DefinitionDraft(
                    name: "order", version: 1,
                    steps: [command("create"), StepDraft("loyalty", saga: "award"), command("ship")]))
            try await body(scenario)
        }
    }

    private func command(_ name: String) -> StepDraft {
        StepDraft(
            name: name, service: "\(name)-service", action: name, compensation: .operation("undo-\(name)"),
            timeout: 2_000, retry: RetryPolicyDraft(initial: 10, max: 100))
    }

    private func approve(_ saga: String, _ scenario: Scenario) async throws {
        let signal = SignalMessage(saga: saga, name: "approved", payload: Array("true".utf8), id: "1")
        try await scenario.namespace.append(signal.fields, to: .intake, of: scenario.partition(of: saga))
    }

    private func childWaits(_ scenario: Scenario, _ parent: String = "s1") async throws {
        try await eventually("the child waits for its signal") {
            try await scenario.saga("\(parent)/loyalty")?.steps[1].action.status == .running
        }
    }

    @Test(arguments: StoreKind.allCases)
    func theParentWaitsForItsChildAndGoesOn(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            scenario.participants.setPlan { Behaviour(result: Array("\"\($0.step)\"".utf8)) }
            try await scenario.run {
                try await scenario.start("s1", input: #"{"a":1}"#)
                try await childWaits(scenario)
                #expect(try await scenario.end(of: "s1") == nil)
                try await approve("s1/loyalty", scenario)
                try await eventually("the parent ends") { try await scenario.end(of: "s1") != nil }
            }
            #expect(try await scenario.end(of: "s1") == .completed)
            #expect(try await scenario.end(of: "s1/loyalty") == .completed)
            let parent = try #require(try await scenario.saga("s1"))
            #expect(parent.steps[1].result == Array("\"book\"".utf8))
            let child = try #require(try await scenario.saga("s1/loyalty"))
            #expect(child.started.input == Array(#"{"a":1}"#.utf8) && child.started.isChild)
            #expect(try await scenario.openCount() == 0)
            #expect(try await scenario.endedCount() == 2)
            #expect(try await scenario.deadReasons() == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aFailedChildTurnsItsParentBack(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            scenario.participants.setPlan { Behaviour($0.step == "book" ? .failed : .succeeded) }
            try await scenario.run {
                try await scenario.start("s1")
                try await approve("s1/loyalty", scenario, whenStartedBy: childWaits)
                try await eventually("the parent ends") { try await scenario.end(of: "s1") != nil }
            }
            #expect(try await scenario.end(of: "s1/loyalty") == .compensated)
            #expect(try await scenario.end(of: "s1") == .compensated)
            #expect(try await scenario.audit(["s1", "s1/loyalty"]) == [])
            #expect(try await scenario.saga("s1")?.error?.contains("book failed") == true)
        }
    }

    private func approve(
        _ saga: String, _ scenario: Scenario, whenStartedBy wait: (Scenario, String) async throws -> Void
    ) async throws {
        try await wait(scenario, "s1")
        try await approve(saga, scenario)
    }

    @Test(arguments: StoreKind.allCases)
    func aCompletedChildIsUndoneWithItsParent(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            scenario.participants.setPlan { Behaviour($0.step == "ship" ? .failed : .succeeded) }
            try await scenario.run {
                try await scenario.start("s1")
                try await approve("s1/loyalty", scenario, whenStartedBy: childWaits)
                try await eventually("the parent ends") { try await scenario.end(of: "s1") != nil }
            }
            #expect(try await scenario.end(of: "s1") == .compensated)
            #expect(try await scenario.saga("s1/loyalty")?.status == .compensated)
            #expect(try await scenario.audit(["s1", "s1/loyalty"]) == [])
            #expect(try await scenario.endedCount() == 2)
            #expect(try await scenario.openCount() == 0)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func cancellingGoesDownTheTree(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            try await scenario.run {
                try await scenario.start("s1")
                try await childWaits(scenario)
                try await scenario.order(.cancel, "s1", id: "c1")
                try await eventually("the parent ends") { try await scenario.end(of: "s1") != nil }
            }
            #expect(try await scenario.saga("s1/loyalty")?.status == .compensated)
            #expect(try await scenario.audit(["s1", "s1/loyalty"]) == [])
            #expect(try await scenario.endedCount() == 2)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aFamilyIsReadFromItsLogs(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            scenario.participants.setPlan { Behaviour($0.step == "ship" ? .failed : .succeeded) }
            try await scenario.run {
                try await scenario.start("s1")
                try await childWaits(scenario)
            }
            // Another orchestrator, which knows the family from the store alone.
            try await scenario.run {
                try await approve("s1/loyalty", scenario)
                try await eventually("the parent ends") { try await scenario.end(of: "s1") != nil }
            }
            #expect(try await scenario.end(of: "s1") == .compensated)
            #expect(try await scenario.audit(["s1", "s1/loyalty"]) == [])
            #expect(try await scenario.endedCount() == 2)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aTakenIDAndAnUnknownDefinitionTurnTheParentBack(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1) { scenario in
            try await scenario.register(
                DefinitionDraft(name: "lost", version: 1, steps: [StepDraft("loyalty", saga: "nobody-knows")]))
            try await scenario.register(
                DefinitionDraft(name: "single", version: 1, steps: [StepDraft("approve", signal: "approved")]))
            try await scenario.run {
                try await scenario.start("s1/loyalty", "single")
                try await scenario.start("s1")
                try await scenario.start("s2", "lost")
                try await eventually("both end") {
                    let ends = [try await scenario.end(of: "s1"), try await scenario.end(of: "s2")]
                    return !ends.contains(nil)
                }
            }
            #expect(try await scenario.end(of: "s1") == .compensated)
            #expect(try await scenario.saga("s1")?.error?.contains("taken") == true)
            #expect(try await scenario.saga("s1/loyalty")?.status == .running)
            #expect(try await scenario.end(of: "s2") == .compensated)
            #expect(try await scenario.saga("s2")?.error?.contains("'nobody-knows' is not registered") == true)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aChildWithAPivotNeedsAStepThatIsThePivot(on kind: StoreKind) async throws {
        try await withNamespace(on: kind, partitions: 1) { namespace in
            let scenario = Scenario(namespace)
            var last = command("book")
            (last.compensation, last.isPivot) = (.absent, true)
            try await scenario.register(
                DefinitionDraft(name: "award", version: 1, durability: .async, steps: [command("count"), last]))
            var step = StepDraft("loyalty", saga: "award")
            try await scenario.register(
                DefinitionDraft(name: "careless", version: 1, steps: [command("create"), step]))
            step.isPivot = true
            try await scenario.register(
                DefinitionDraft(name: "careful", version: 1, durability: .async, steps: [command("create"), step]))
            try await scenario.run {
                try await scenario.start("s1", "careless")
                try await scenario.start("s2", "careful")
                try await eventually("both end") {
                    let ends = [try await scenario.end(of: "s1"), try await scenario.end(of: "s2")]
                    return !ends.contains(nil)
                }
            }
            #expect(try await scenario.end(of: "s1") == .compensated)
            #expect(try await scenario.saga("s1")?.error?.contains("has a pivot") == true)
            #expect(try await scenario.end(of: "s2") == .completed)
            #expect(try await scenario.audit(["s2/loyalty"]) == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func afterARewindTheWholeFamilyIsVerified(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1) { scenario in
            try await scenario.run {
                try await scenario.start("s1")
                try await childWaits(scenario)
            }
            try await scenario.namespace.changeServer()
            try await scenario.run {
                try await eventually("both are verified") {
                    let family = [try await scenario.saga("s1"), try await scenario.saga("s1/loyalty")]
                    return family.allSatisfy { $0.map { $0.compensatesAll && !$0.isVerifying } ?? false }
                }
                try await approve("s1/loyalty", scenario)
                try await eventually("the parent ends") { try await scenario.end(of: "s1") != nil }
            }
            #expect(try await scenario.end(of: "s1") == .completed)
            #expect(try await scenario.audit(["s1/loyalty"]) == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aChildThatTheLogDoesNotKnowIsEnteredToBeUndone(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1) { scenario in
            scenario.participants.setPlan { Behaviour($0.step == "create" ? .failed : .succeeded) }
            try await scenario.namespace.changeServer()
            try await scenario.run {
                try await scenario.start("s1")
                try await eventually("the parent ends") { try await scenario.end(of: "s1") != nil }
            }
            #expect(try await scenario.end(of: "s1") == .compensated)
            let child = try #require(try await scenario.saga("s1/loyalty"))
            #expect(child.status == .compensated && child.started.isRecalled)
            #expect(child.steps.filter { $0.compensation.status == .succeeded }.count == 2)
            #expect(try await scenario.audit(["s1", "s1/loyalty"]) == [])
        }
    }
}
