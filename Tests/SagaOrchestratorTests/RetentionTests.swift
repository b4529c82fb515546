import SagaCore
import SagaOrchestrator
import SagaStore
import SagaTesting
import SagaWire
import Testing

@Suite("Retention, on both stores")
struct RetentionTests {
    private func play(
        on kind: StoreKind, partitions: Int = 2, retention: Milliseconds? = nil,
        _ body: (Scenario) async throws -> Void
    ) async throws {
        try await withNamespace(on: kind, partitions: partitions) { namespace in
            let scenario = Scenario(namespace)
            scenario.participants.setPlan { command in
                Behaviour(command.phase == .action && command.saga.hasPrefix("bad") ? .failed : .succeeded)
            }
            var draft = orderDraft()
            draft.retention = retention
            try await scenario.register(draft)
            try await body(scenario)
        }
    }

    private func start(_ sagas: [String], _ scenario: Scenario) async throws {
        for saga in sagas {
            let start = StartMessage(saga: saga, definition: "order", input: [7], labels: ["a": "b"])
            try await scenario.namespace.append(start.fields, to: .intake, of: scenario.partition(of: saga))
        }
    }

    private func log(of saga: String, _ scenario: Scenario) async throws -> [[UInt8]] {
        try await scenario.namespace.log(of: saga, in: scenario.partition(of: saga))
    }

    private func tombstone(of saga: String, _ scenario: Scenario) async throws -> Tombstone? {
        guard let head = try await log(of: saga, scenario).first,
            case .tombstone(let tombstone) = try LogCodec.decode(head: head)
        else { return nil }
        return tombstone
    }

    @Test(arguments: StoreKind.allCases)
    func anEndedSagaStaysForItsDefinitionsRetention(on kind: StoreKind) async throws {
        for (retention, span) in [(nil, 7 * 86_400_000), (3_600_000, 3_600_000)] as [(Milliseconds?, Milliseconds)] {
            try await play(on: kind, retention: retention) { scenario in
                try await scenario.run {
                    try await start(["s1"], scenario)
                    try await eventually("it ends") { try await scenario.endedCount() == 1 }
                }
                let saga = try #require(try await scenario.saga("s1"))
                let removal = try await scenario.namespace.endedSagas(of: scenario.partition(of: "s1"))["s1"]
                #expect(removal == saga.finishedAt.map { $0 + span })
            }
        }
    }

    /// The owner that wrote an end knows when its time is over, without asking.
    @Test(arguments: StoreKind.allCases)
    func theOwnerRemovesASagaWhenItsTimeIsOver(on kind: StoreKind) async throws {
        try await play(on: kind, retention: 500) { scenario in
            try await scenario.run {
                try await start(["s1", "bad1"], scenario)
                for saga in ["s1", "bad1"] {
                    try await eventually("\(saga) is removed") { try await tombstone(of: saga, scenario) != nil }
                    let stone = try await tombstone(of: saga, scenario)
                    #expect(stone.map { $0.at >= $0.finishedAt + 500 } == true)
                }
            }
            #expect(try await scenario.endedCount() == 0)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func endedSagasAreRemovedInBatchesAndOthersStay(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            let sagas = (0..<40).map { $0 % 4 == 0 ? "bad\($0)" : "s\($0)" }
            try await scenario.run {
                try await start(sagas, scenario)
                try await eventually("they end") { try await scenario.endedCount() == sagas.count }
            }
            var before: [String: Saga] = [:]
            for saga in sagas { before[saga] = try await scenario.saga(saga) }
            try await scenario.namespace.hastenRemovals()
            try await scenario.run(configure: { options in
                (options.removalCount, options.trimInterval) = (3, 10)
            }) {
                try await start(["young"], scenario)
                try await eventually("they are removed") { try await scenario.endedCount() == 1 }
                try await eventually("the young one ends") { try await scenario.saga("young")?.status == .completed }
            }
            for saga in sagas {
                let (was, stone) = (try #require(before[saga]), try await tombstone(of: saga, scenario))
                #expect(try await log(of: saga, scenario).count == 1)
                #expect(stone?.status == was.status && stone?.startedAt == was.startedAt)
                #expect(stone?.definition == "order" && stone?.version == 1 && stone?.finishedAt == was.finishedAt)
                let expiry = try await scenario.namespace.logExpiry(of: saga, in: scenario.partition(of: saga))
                #expect(expiry == was.finishedAt.map { $0 + 30 * 86_400_000 })
            }
            for partition in 0..<2 {
                let young = partition == scenario.partition(of: "young") ? ["young"] : []
                for index in [SagaIndex.definition("order"), .label(name: "a", value: "b")] {
                    #expect(try await scenario.namespace.sagas(in: index, of: partition).keys.sorted() == young)
                }
                #expect(try await scenario.namespace.sagas(in: .status(.compensated), of: partition).isEmpty)
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whateverIsAboutARemovedSagaIsAnsweredAsEnded(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1) { scenario in
            try await scenario.run {
                try await start(["s1", "bad1"], scenario)
                try await eventually("they end") { try await scenario.endedCount() == 2 }
            }
            try await scenario.namespace.hastenRemovals()
            try await scenario.run {
                try await eventually("they are removed") { try await scenario.endedCount() == 0 }
                // Beside others that are new.
                try await start(["new1", "s1", "bad1", "new2"], scenario)
                let id = AttemptID(saga: "s1", step: "create", phase: .action, attempt: 1, era: 1, token: "x")
                try await scenario.namespace.append(
                    ReplyMessage(id: id, outcome: .succeeded).fields, to: .reply, of: 0)
                try await scenario.namespace.append(
                    SignalMessage(saga: "s1", name: "go").fields, to: .intake, of: 0)
                try await scenario.order(.cancel, "bad1", id: "c1")
                try await eventually("all are dead") { try await scenario.deadReasons().count == 5 }
                try await eventually("the new ones end") { try await scenario.endedCount() == 2 }
            }
            #expect(try await scenario.deadReasons() == Array(repeating: "ended", count: 5))
            for saga in ["s1", "bad1"] { #expect(try await scenario.end(of: saga) == .refused) }
            let told = try await scenario.outcomes().compactMap { outcome in
                switch outcome {
                case .end(let end) where end.status == .refused: end.error
                case .answer(let answer): answer.error
                default: nil
                }
            }
            #expect(
                Set(told) == [
                    "ended: saga 's1' ended completed and was removed by retention: start it under another id",
                    "ended: saga 'bad1' ended compensated and was removed by retention: start it under another id",
                    "ended: saga 'bad1' ended compensated and was removed by retention",
                ])
            #expect(try await tombstone(of: "s1", scenario) != nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anIDIsFreeAgainWhenParticipantsHaveForgottenIt(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1) { scenario in
            try await scenario.run {
                try await start(["s1"], scenario)
                try await eventually("it ends") { try await scenario.endedCount() == 1 }
            }
            let first = try await scenario.saga("s1")?.startedAt
            try await scenario.namespace.hastenRemovals()
            try await scenario.run(configure: { $0.tombstoneRetention = 0 }) {
                try await eventually("it is removed") { try await scenario.endedCount() == 0 }
                #expect(try await log(of: "s1", scenario).isEmpty)
                try await start(["s1"], scenario)
                try await eventually("it ends again") { try await scenario.endedCount() == 1 }
            }
            let (before, after) = (try #require(first), try #require(try await scenario.saga("s1")?.startedAt))
            #expect(after > before)
            #expect(try await scenario.namespace.logExpiry(of: "s1", in: 0) == nil)
        }
    }

    /// A parent may still take an ended child back, so that stays as long as the parent is open.
    @Test(arguments: StoreKind.allCases)
    func anEndedChildStaysUntilItsParentHasEnded(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1, retention: 1) { scenario in
            let steps = [StepDraft(name: "first", saga: "order"), StepDraft(name: "go", signal: "go")]
            try await scenario.register(DefinitionDraft(name: "family", version: 1, retention: 1, steps: steps))
            try await scenario.run(configure: { $0.trimInterval = 10 }) {
                try await scenario.start("p", "family")
                try await eventually("the child ends") { try await scenario.saga("p/first")?.status == .completed }
                // Others are removed meanwhile.
                try await start(["s1"], scenario)
                try await eventually("another is removed") { try await tombstone(of: "s1", scenario) != nil }
                #expect(try await scenario.saga("p/first")?.status == .completed)
                #expect(try await scenario.namespace.openSagas(of: 0).keys.sorted() == ["p"])
                #expect(try await scenario.endedCount() == 0)
                let index = try await scenario.namespace.sagas(in: .definition("order"), of: 0)
                #expect(index.keys.sorted() == ["p/first"])
                try await scenario.namespace.append(
                    SignalMessage(saga: "p", name: "go").fields, to: .intake, of: 0)
                for saga in ["p", "p/first"] {
                    try await eventually("\(saga) is removed") { try await tombstone(of: saga, scenario) != nil }
                }
            }
            #expect(try await scenario.namespace.sagas(in: .definition("order"), of: 0).isEmpty)
        }
    }

    /// A child that outlived its parent would be found by the next saga of the parent's id, and pass for its own.
    @Test(arguments: StoreKind.allCases)
    func aFamilyIsRemovedTogether(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1) { scenario in
            let steps = [
                StepDraft(name: "first", saga: "order"), StepDraft(name: "go", signal: "go"),
                StepDraft(name: "second", saga: "order"),
            ]
            try await scenario.register(DefinitionDraft(name: "family", version: 1, retention: 1_000, steps: steps))
            try await scenario.run {
                try await scenario.start("p", "family")
                try await eventually("the child ends") { try await scenario.saga("p/first")?.status == .completed }
                try await scenario.namespace.append(
                    SignalMessage(saga: "p", name: "go").fields, to: .intake, of: 0)
                try await eventually("it ends") { try await scenario.end(of: "p") != nil }
                let end = try #require(try await scenario.saga("p")?.finishedAt)
                let removals = try await scenario.namespace.endedSagas(of: 0)
                // Or they are removed already.
                #expect(removals.values.allSatisfy { $0 == end + 1_000 })
                try await eventually("all are removed") { try await scenario.endedCount() == 0 }
            }
            for saga in ["p", "p/first", "p/second"] { #expect(try await tombstone(of: saga, scenario) != nil) }
        }
    }

    /// What cannot be read must not keep what ended later from being removed.
    @Test func anUnreadableLogIsRemovedToo() async throws {
        let namespace = InMemoryNamespace(partitions: 1)
        let scenario = Scenario(namespace)
        try await scenario.register(orderDraft())
        try await scenario.run {
            try await start(["a", "b"], scenario)
            try await eventually("they end") { try await scenario.endedCount() == 2 }
        }
        namespace.memory.withContents { $0.partitions[0].logs["a"] = [[0]] }
        try await namespace.hastenRemovals()
        try await scenario.run(configure: { $0.removalCount = 1 }) {
            try await eventually("both are removed") { try await scenario.endedCount() == 0 }
        }
        #expect(try await namespace.sagas(in: .definition("order"), of: 0).isEmpty)
        #expect(try await tombstone(of: "a", scenario)?.definition == "")
        #expect(try await tombstone(of: "b", scenario)?.definition == "order")
    }
}
