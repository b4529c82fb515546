import SagaCore
import SagaOrchestrator
import SagaStore
import SagaTesting
import SagaWire
import Testing

/// Families in the list of open sagas, and ids that families need.
@Suite("Child sagas' alarms and ids, on both stores")
struct FamilyAlarmTests {
    private func command(_ name: String, timeout: Milliseconds = 60_000) -> StepDraft {
        StepDraft(
            name: name, service: "\(name)-service", action: name, compensation: .operation("undo-\(name)"),
            timeout: timeout, retry: RetryPolicyDraft(initial: 10, max: 100))
    }

    private func register(_ scenario: Scenario, _ name: String, _ steps: [StepDraft]) async throws {
        try await scenario.register(DefinitionDraft(name: name, version: 1, steps: steps))
    }

    /// The alarm that a child had before it ended is not in the store any more.
    @Test(arguments: StoreKind.allCases)
    func aChildThatIsTakenBackIsOpenAgain(on kind: StoreKind) async throws {
        try await withNamespace(on: kind, partitions: 1) { namespace in
            let scenario = Scenario(namespace)
            try await register(scenario, "award", [command("book")])
            try await register(scenario, "order", [StepDraft("loyalty", saga: "award"), command("ship")])
            scenario.participants.setPlan { command in
                Behaviour(
                    command.step == "ship" ? .failed : .succeeded,
                    holdBefore: command.phase == .compensation ? .seconds(600) : .zero)
            }
            try await scenario.run {
                try await scenario.start("s1")
                try await eventually("the child is taken back") {
                    try await scenario.saga("s1/loyalty")?.status == .compensating
                }
                #expect(try await namespace.openSagas(of: 0).keys.sorted() == ["s1", "s1/loyalty"])
            }
        }
    }

    /// Ids of children that begin in the commit that begins their parent cannot be looked for before.
    @Test(arguments: StoreKind.allCases)
    func takenIDsOfChildrenThatBeginAtOnceBlockNobody(on kind: StoreKind) async throws {
        try await withNamespace(on: kind, partitions: 1) { namespace in
            let scenario = Scenario(namespace)
            try await register(scenario, "single", [StepDraft("approve", signal: "approved")])
            try await register(scenario, "award", [StepDraft("bonus", saga: "single")])
            try await register(scenario, "order", [StepDraft("loyalty", saga: "award")])
            try await scenario.run {
                try await scenario.start("s1/loyalty", "single")
                try await scenario.start("s2/loyalty/bonus", "single")
                try await eventually("both ids are taken") { try await scenario.openCount() == 2 }
            }
            try await scenario.run {
                try await scenario.start("s1")
                try await scenario.start("s2")
                for saga in ["s1", "s2"] {
                    try await eventually("\(saga) ends") { try await scenario.end(of: saga) != nil }
                    #expect(try await scenario.end(of: saga) == .compensated)
                    #expect(try await scenario.saga(saga)?.error?.contains("taken") == true)
                }
            }
            #expect(try await scenario.saga("s1/loyalty")?.status == .running)
        }
    }

    /// It waits for nothing else: the end must not be told to nobody.
    @Test func aParentThatCouldNotBeReadHearsOfItsChildsEndLater() async throws {
        let namespace = InMemoryNamespace(partitions: 1)
        let scenario = Scenario(namespace)
        try await register(scenario, "award", [StepDraft("approve", signal: "approved")])
        try await register(scenario, "order", [StepDraft("loyalty", saga: "award")])
        try await scenario.run {
            try await scenario.start("s1")
            try await eventually("the child waits") { try await scenario.saga("s1/loyalty") != nil }
        }
        let log = try await namespace.log(of: "s1", in: 0)
        namespace.memory.withContents { $0.partitions[0].logs["s1"]?.append([0]) }
        try await scenario.run {
            try await namespace.append(
                SignalMessage(saga: "s1/loyalty", name: "approved").fields, to: .intake, of: 0)
            try await eventually("the child ends") { try await scenario.saga("s1/loyalty")?.status == .completed }
        }
        #expect(try await namespace.openSagas(of: 0).keys.sorted() == ["s1", "s1/loyalty"])
        namespace.memory.withContents { contents in
            contents.partitions[0].logs["s1"] = log
            contents.partitions[0].open["s1/loyalty"] = 1
        }
        try await scenario.run {
            try await eventually("the parent ends") { try await scenario.end(of: "s1") == .completed }
        }
        #expect(try await scenario.endedCount() == 2)
        #expect(try await scenario.openCount() == 0)
    }

    /// Else one start could make sagas without end in one commit.
    @Test(arguments: StoreKind.allCases)
    func aDefinitionThatRunsItselfIsRefused(on kind: StoreKind) async throws {
        try await withNamespace(on: kind, partitions: 1) { namespace in
            let scenario = Scenario(namespace)
            try await register(scenario, "egg", [StepDraft("a", saga: "hen")])
            try await register(scenario, "hen", [StepDraft("b", saga: "egg")])
            try await scenario.run {
                try await scenario.start("s1", "egg")
                try await eventually("it ends") { try await scenario.end(of: "s1") != nil }
            }
            #expect(try await scenario.end(of: "s1") == .compensated)
            #expect(try await scenario.saga("s1")?.error?.contains("'egg' would run itself") == true)
            #expect(try await scenario.endedCount() == 2)
        }
    }

    /// A round of the sweep that finds all its sagas verified already commits nothing.
    @Test(arguments: StoreKind.allCases)
    func aSagaGoesOnAfterASweepThatHadNothingToDo(on kind: StoreKind) async throws {
        try await withNamespace(on: kind, partitions: 1) { namespace in
            let scenario = Scenario(namespace)
            try await register(
                scenario, "wait", [StepDraft("one", signal: "first"), StepDraft("two", signal: "second")])
            let sagas = (0..<700).map { "s\($0)" }
            @Sendable func signal(_ name: String) async throws {
                for saga in sagas {
                    try await namespace.append(SignalMessage(saga: saga, name: name).fields, to: .intake, of: 0)
                }
            }
            let configure = { (options: inout OrchestratorOptions) in options.readCount = 1_000 }
            try await scenario.run(configure: configure) {
                for saga in sagas { try await scenario.start(saga, "wait") }
                try await eventually("they wait") { try await scenario.openCount() == sagas.count }
            }
            try await namespace.changeServer()
            try await signal("first")
            try await scenario.run(configure: configure) {
                try await eventually("they go on") { try await scenario.saga("s699")?.steps[0].action.isDone == true }
                // Whatever the sweep still has to do, it does before this.
                try await scenario.start("last", "wait")
                try await eventually("the last one waits") { try await scenario.saga("last") != nil }
                try await signal("second")
                try await eventually("they end") { try await scenario.endedCount() == sagas.count }
            }
        }
    }
}
