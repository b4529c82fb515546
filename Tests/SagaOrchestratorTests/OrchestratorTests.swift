import SagaCore
import SagaOrchestrator
import SagaStore
import SagaTesting
import SagaWire
import Testing

@Suite("The orchestrator, on both stores")
struct OrchestratorTests {
    /// Plays a scenario on a fresh namespace with one definition.
    private func play(
        on kind: StoreKind, partitions: Int = 2, timeout: Milliseconds = 2_000, _ body: (Scenario) async throws -> Void
    ) async throws {
        try await withNamespace(on: kind, partitions: partitions) { namespace in
            let scenario = Scenario(namespace)
            try await scenario.register(orderDraft(timeout: timeout))
            try await body(scenario)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aSagaRunsThrough(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            try await scenario.run {
                try await scenario.start("s1")
                try await eventually("the saga ends") { try await scenario.end(of: "s1") != nil }
            }
            #expect(try await scenario.end(of: "s1") == .completed)
            let partition = scenario.partition(of: "s1")
            #expect(try await scenario.namespace.openSagas(of: partition).isEmpty)
            #expect(try await scenario.namespace.endedSagas(of: partition).keys.contains("s1"))
            #expect(try await scenario.namespace.log(of: "s1", in: partition).count == 4)
            #expect(try await scenario.deadReasons() == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aRefusedSagaIsCompensated(on kind: StoreKind) async throws {
        try await play(on: kind) { scenario in
            scenario.participants.setPlan { Behaviour($0.step == "charge" ? .failed : .succeeded) }
            try await scenario.run {
                try await scenario.start("s1")
                try await eventually("the saga ends") { try await scenario.end(of: "s1") != nil }
            }
            #expect(try await scenario.end(of: "s1") == .compensated)
            #expect(try await scenario.audit(["s1"]) == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func manySagasRunSideBySide(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 4) { scenario in
            let sagas = (0..<1_000).map { "s\($0)" }
            try await scenario.run {
                for saga in sagas { try await scenario.start(saga) }
                try await eventually("all sagas end", within: .seconds(60)) {
                    try await scenario.endedCount() == sagas.count
                }
            }
            #expect(try await scenario.audit(sagas) == [])
            #expect(try await scenario.outcomes().count == sagas.count)
            #expect(scenario.participants.effects.count == 3_000)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aRepeatedStartChangesNothingAndAnotherOneWithTheSameIDIsAConflict(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1) { scenario in
            try await scenario.run {
                try await scenario.start("s1", input: "{\"a\":1}")
                try await eventually("the saga ends") { try await scenario.end(of: "s1") != nil }
                try await scenario.start("s1", input: "{\"a\":1}")
                try await scenario.start("s1", input: "{\"a\":2}")
                try await scenario.start("s2")
                try await eventually("the other saga ends") { try await scenario.end(of: "s2") != nil }
            }
            #expect(try await scenario.deadReasons() == ["conflict"])
            #expect(try await scenario.namespace.log(of: "s1", in: 0).count == 4)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whatCannotBeProcessedGoesToTheDeadLettersAndTheOthersGoOn(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1) { scenario in
            try await scenario.run {
                var junk = Fields()
                junk.append("hello", "world")
                try await scenario.namespace.append(junk, to: .intake, of: 0)
                try await scenario.start("s0", "unknown")
                let id = AttemptID(saga: "nobody", step: "create", phase: .action, attempt: 1, era: 1, token: "x")
                let reply = ReplyMessage(id: id, outcome: .succeeded)
                try await scenario.namespace.append(reply.fields, to: .reply, of: 0)
                try await scenario.order(.cancel, "nobody", id: "c1")
                try await scenario.start("s1")
                try await eventually("the saga ends") { try await scenario.end(of: "s1") != nil }
                try await eventually("the order is answered") { try await scenario.outcomes().count == 3 }
            }
            #expect(
                try await scenario.deadReasons().sorted()
                    == ["malformed", "unknown-definition", "unknown-saga", "unknown-saga"])
            #expect(try await scenario.end(of: "s0") == .refused)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aForgedReplyIsBuriedAndDoesNotCount(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1) { scenario in
            try await scenario.run(participants: false) {
                try await scenario.start("s1")
                try await eventually("the command is out") {
                    try await !scenario.namespace.commands(of: "create-service", in: 0).isEmpty
                }
                let id = AttemptID(saga: "s1", step: "create", phase: .action, attempt: 1, era: 1, token: "00")
                let reply = ReplyMessage(id: id, outcome: .succeeded)
                try await scenario.namespace.append(reply.fields, to: .reply, of: 0)
                try await eventually("the letter is there") { try await scenario.deadReasons() == ["forged"] }
            }
            let log = try await scenario.namespace.log(of: "s1", in: 0)
            // On a slow machine the attempt's time may have passed.
            #expect(!log.contains { String(decoding: $0, as: UTF8.self).contains("\"type\":\"reply\"") })
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anEraFarAheadOfTheClockIsBuriedAndDoesNotRaiseThePartitions(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1) { scenario in
            try await scenario.run(participants: false) {
                try await scenario.start("s1")
                try await eventually("the command is out") {
                    try await !scenario.namespace.commands(of: "create-service", in: 0).isEmpty
                }
                let command = try await scenario.namespace.commands(of: "create-service", in: 0)[0]
                let era = Int64(command["era"] ?? "") ?? 0
                let latest: Int64 = 16_756_761_600_000
                var id = AttemptID(
                    saga: "s1", step: "create", phase: .action, attempt: 1, era: era, token: command["token"] ?? "")
                let stale = ReplyMessage(id: id, outcome: .stale, seen: latest)
                try await scenario.namespace.append(stale.fields, to: .reply, of: 0)
                id.era = latest
                let ahead = ReplyMessage(id: id, outcome: .succeeded)
                try await scenario.namespace.append(ahead.fields, to: .reply, of: 0)
                try await scenario.namespace.append(HeartbeatMessage(id: id).fields, to: .reply, of: 0)
                try await eventually("the letters are there") { try await scenario.deadReasons().count == 3 }
                id.era = era
                try await scenario.namespace.append(ReplyMessage(id: id, outcome: .succeeded).fields, to: .reply, of: 0)
                try await eventually("the partition's own era counts") {
                    try await !scenario.namespace.commands(of: "reserve-service", in: 0).isEmpty
                }
            }
            #expect(try await scenario.deadReasons() == ["future-era", "future-era", "future-era"])
            #expect(try await scenario.saga("s1")?.era ?? .max < 16_756_761_600_000)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aStartThatCannotBeReadIsToldAsRefusedUnlessItsSagaExists(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1) { scenario in
            try await scenario.run {
                try await scenario.start("s1")
                try await eventually("the saga ends") { try await scenario.end(of: "s1") != nil }
                for saga in ["s1", "s2"] {
                    var start = StartMessage(saga: saga, definition: "order", input: []).fields
                    start.append("deadline", "soon")
                    try await scenario.namespace.append(start, to: .intake, of: 0)
                }
                let large = StartMessage(
                    saga: "s3", definition: "order", input: Array(repeating: 0x20, count: 262_144))
                try await scenario.namespace.append(large.fields, to: .intake, of: 0)
                try await eventually("the letters are there") { try await scenario.deadReasons().count == 3 }
            }
            #expect(try await scenario.deadReasons() == ["malformed", "malformed", "oversized"])
            #expect(try await scenario.end(of: "s1") == .completed)
            #expect(try await scenario.end(of: "s2") == .refused)
            #expect(try await scenario.end(of: "s3") == .refused)
        }
    }

    @Test func aReplyThatIsReplayedIsIgnoredAndCounted() async throws {
        try await play(on: .redis, partitions: 1) { scenario in
            try await scenario.run {
                try await scenario.start("s1")
                try await eventually("the saga ends") { try await scenario.end(of: "s1") != nil }
            }
            let length = try await scenario.namespace.log(of: "s1", in: 0).count
            let command = try await scenario.namespace.commands(of: "create-service", in: 0)[0]
            let id = AttemptID(
                saga: "s1", step: "create", phase: .action, attempt: 1, era: Int64(command["era"] ?? "") ?? 0,
                token: command["token"] ?? "")
            var options = OrchestratorOptions(name: "o")
            options.block = 20
            let orchestrator = Orchestrator(store: scenario.namespace.store, options: options, logger: quietLogger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await orchestrator.run() }
                let replay = ReplyMessage(id: id, outcome: .failed, error: "a lie")
                try await scenario.namespace.append(replay.fields, to: .reply, of: 0)
                try await eventually("it is counted") { orchestrator.counts.ignored == 1 }
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(try await scenario.namespace.log(of: "s1", in: 0).count == length)
            #expect(try await scenario.deadReasons() == [])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anOrderBeforeItsStartWaitsForIt(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1) { scenario in
            for index in 0..<600 { try await scenario.start("s\(index)") }
            try await scenario.order(.cancel, "s599", id: "c1")
            try await scenario.run {
                try await eventually("all sagas end") { try await scenario.outcomes().count == 601 }
            }
            let answers = try await scenario.outcomes().compactMap { outcome in
                if case .answer(let answer) = outcome { answer } else { nil }
            }
            #expect(answers.map(\.error) == [nil])
            #expect(try await scenario.end(of: "s599") == .compensated)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anAttemptWithoutAnswerIsSentAgain(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1, timeout: 100) { scenario in
            try await scenario.run(participants: false) {
                try await scenario.start("s1")
                try await eventually("the second attempt is out, in the place of the first") {
                    let commands = try await scenario.namespace.commands(of: "create-service", in: 0)
                    return commands.compactMap { $0["attempt"] } == ["2"]
                }
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aNewVersionIsSeenByTheNextStart(on kind: StoreKind) async throws {
        try await play(on: kind, partitions: 1) { scenario in
            try await scenario.run {
                try await scenario.start("s1")
                try await eventually("the saga ends") { try await scenario.end(of: "s1") != nil }
                try await scenario.register(orderDraft(2))
                try await scenario.start("s2")
                try await eventually("the saga ends") { try await scenario.end(of: "s2") != nil }
            }
            let versions = try await scenario.outcomes().compactMap { outcome in
                if case .end(let entry) = outcome { entry.version } else { nil }
            }
            #expect(versions == [1, 2])
        }
    }
}
