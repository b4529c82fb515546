import LocalRedis
import RedisTransport
import SagaClient
import SagaCore
import SagaRedis
import SagaTesting
import SagaWire
import Testing

/// A saga of it goes only forward once `pay` is due; whatever fails waits for an hour.
private let patient = DefinitionDraft(
    name: "patient", version: 1,
    steps: ["reserve", "pay"].map { name in
        StepDraft(
            name: name, service: "\(name)-service", action: name,
            compensation: name == "pay" ? .absent : .operation("undo-\(name)"), timeout: 3_600_000,
            retry: RetryPolicyDraft(initial: 3_600_000, max: 3_600_000, jitter: 0), isPivot: name == "pay")
    })

@Suite struct OrdersTests {
    /// Gives an order to many; what became of each.
    private func give(
        _ order: Order, _ selection: SagaSelection, _ client: SagaClient, isDryRun: Bool = false
    ) async throws -> [SelectedOrder] {
        var answers: [SelectedOrder] = []
        try await client.order(order, selection, isDryRun: isDryRun) { answers.append($0) }
        return answers.sorted { $0.saga < $1.saga }
    }

    private func waiting(_ ids: [String], _ fixture: Fixture) async throws {
        try await fixture.scenario.register(SagaClientTests.waiting)
        try await fixture.client.start(ids.map { start($0, "waiting") })
        try await eventually("all are begun") { try await fixture.scenario.openCount() >= ids.count }
    }

    /// Sagas of `patient`, which must be registered, that wait an hour each: for `pay`, or those named `early…` for `reserve`.
    private func patient(_ ids: [String], _ fixture: Fixture) async throws {
        fixture.scenario.participants.setPlan { command in
            Behaviour(command.step == "pay" || command.saga.hasPrefix("early") ? .retry : .succeeded)
        }
        try await fixture.client.start(ids.map { start($0, "patient") })
        try await eventually("all wait for their next attempt") {
            try await failing(fixture.client).count { $0.state == .waiting } == ids.count
        }
    }

    private func failing(
        _ client: SagaClient, definition: String? = nil, service: String? = nil
    ) async throws -> [FailingStep] {
        var steps: [FailingStep] = []
        try await client.failing(definition: definition, service: service) { steps.append($0) }
        return steps.sorted { $0.saga < $1.saga }
    }

    @Test func everySagaOfADefinitionIsToldOnceOverFewConnections() async throws {
        try await withFixture { fixture in
            let ids = (0..<600).map { "w\($0)" }
            try await fixture.scenario.run {
                try await waiting(ids, fixture)
                func connections() async throws -> Int {
                    let info = try await fixture.send(RedisCommand("INFO", "stats")).string ?? ""
                    let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("total_connections") }
                    return line.flatMap { Int($0.drop { $0 != ":" }.dropFirst()) } ?? 0
                }
                let before = try await connections()
                let order = Order(.pause, by: "ann@desk", reason: "maintenance")
                let answers = try await give(order, SagaSelection(definition: "waiting"), fixture.client)
                #expect(answers.map(\.saga) == ids.sorted())
                #expect(answers.allSatisfy { $0.answer == .accepted && $0.definition == "waiting" })
                #expect(try await connections() - before < 20)
                let again = try await give(order, SagaSelection(definition: "waiting", limit: 7), fixture.client)
                #expect(again.map(\.answer) == Array(repeating: .refused("the saga is paused already"), count: 7))
                let view = try #require(try await fixture.client.saga("w17"))
                #expect(view.saga.isPaused)
                #expect(view.timeline.last?.text == "by ann@desk: maintenance")
                #expect(try await give(order, SagaSelection(definition: "nothing"), fixture.client).isEmpty)
            }
        }
    }

    @Test func aLimitHoldsForAllPartitionsTogetherAndLabelsAndStatusSelect() async throws {
        try await withFixture(partitions: 4) { fixture in
            let client = fixture.client
            try await fixture.scenario.run {
                try await waiting((0..<40).map { "w\($0)" }, fixture)
                let limited = SagaSelection(definition: "waiting", limit: 15)
                #expect(try await give(Order(.cancel), limited, client).count == 15)
                #expect(try await fixture.scenario.openCount() == 25)
                var gold = start("gold", "waiting")
                gold.labels = ["tier": "gold", "shop": "a"]
                try await client.start(gold)
                try await eventually("it is begun") { try await client.saga("gold") != nil }
                let labelled = SagaSelection(status: .running, labels: ["tier": "gold"])
                #expect(try await give(Order(.pause), labelled, client).map(\.saga) == ["gold"])
                let stuck = SagaSelection(status: .stuck, labels: ["tier": "gold"])
                #expect(try await give(Order(.resume), stuck, client).isEmpty)
            }
        }
    }

    @Test func afterAnOutageAllThatWaitsForTheServiceIsRetriedNow() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            try await fixture.scenario.register(SagaClientTests.patient)
            try await fixture.scenario.run {
                try await patient(["early", "p1", "p2", "p3"], fixture)
                let steps = try await failing(client, service: "pay-service")
                #expect(steps.map(\.saga) == ["p1", "p2", "p3"])
                for step in steps {
                    #expect(step.phase == .action && step.attempts == 1 && step.error == "passing trouble")
                    #expect(step.nextAttemptAt == step.since + 3_600_000)
                }
                #expect(try await failing(client, definition: "order").isEmpty)

                fixture.scenario.participants.setPlan { _ in Behaviour() }
                let answers = try await give(Order(.retry), SagaSelection(service: "pay-service"), client)
                #expect(answers.map(\.saga) == ["p1", "p2", "p3"])
                #expect(answers.allSatisfy { $0.step == "pay" && $0.answer == .accepted })
                for saga in ["p1", "p2", "p3"] {
                    #expect(try await client.wait(for: saga, timeout: .seconds(30)) == .ended(.completed, error: nil))
                }
                #expect(try await failing(client).map(\.saga) == ["early"], "another service's step waits on")
            }
        }
    }

    @Test func anItemThatFailsIsToldAndItsStepRetriedWithOneOrder() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            let lines = try #require(ValuePath("input.lines"))
            try await fixture.scenario.register(
                DefinitionDraft(
                    name: "lines", version: 1,
                    steps: [
                        StepDraft(
                            name: "reserve", service: "stock", action: "reserve", forEach: ForEach(lines),
                            compensation: .operation("release"),
                            retry: RetryPolicyDraft(initial: 3_600_000, max: 3_600_000, jitter: 0))
                    ]))
            fixture.scenario.participants.setPlan { Behaviour($0.item == 1 ? .retry : .succeeded) }
            try await fixture.scenario.run {
                try await client.start(start("l1", "lines", input: #"{"lines": [5, 6, 7]}"#))
                try await eventually("an item waits") { try await failing(client).map(\.state) == [.waiting] }
                #expect(try await failing(client).map(\.item) == [1])
                fixture.scenario.participants.setPlan { _ in Behaviour() }
                let answers = try await give(Order(.retry), SagaSelection(service: "stock"), client)
                #expect(answers.map(\.step) == ["reserve"])
                #expect(try await client.wait(for: "l1", timeout: .seconds(30)) == .ended(.completed, error: nil))
            }
        }
    }

    @Test func stuckSagasOfADefinitionAreRetriedTogether() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            try await fixture.scenario.run {
                let ids = (0..<5).map { "stuck-\($0)" }
                for id in ids { _ = try await client.startAndWait(start(id), timeout: .seconds(30)) }
                let steps = try await failing(client)
                #expect(steps.map(\.saga) == ids)
                #expect(steps.allSatisfy { $0.phase == .compensation && $0.state == .stuck && $0.nextAttemptAt == nil })
                fixture.scenario.participants.setPlan { _ in Behaviour() }
                let selection = SagaSelection(status: .stuck, definition: "order")
                let preview = try await give(Order(.retry), selection, client, isDryRun: true)
                #expect(preview.map(\.steps) == Array(repeating: ["reserve"], count: 5))
                let answers = try await give(Order(.retry), selection, client)
                #expect(answers.map(\.saga) == ids && answers.allSatisfy { $0.answer == .accepted })
                try await eventually("all are undone") { try await fixture.scenario.openCount() == 0 }
            }
        }
    }

    @Test func aDryRunSaysWhatTheMachineWouldAndSendsNothing() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            try await fixture.scenario.register(SagaClientTests.patient)
            try await fixture.scenario.run {
                try await patient(["early", "p1"], fixture)
            }
            // Nobody reads now: what was sent would still be there.
            let answers = try await give(Order(.cancel), SagaSelection(status: .running), client, isDryRun: true)
            #expect(answers.map(\.saga) == ["early", "p1"])
            #expect(answers[0].answer == .accepted && answers[0].steps == ["reserve"])
            #expect(answers[1].answer == .refused("the pivot 'pay' is due: the saga only goes forward"))
            #expect(try await client.preview(Order(.cancel), of: "p1") == answers[1])
            #expect(try await client.preview(Order(.skip, step: "pay"), of: "p1")?.steps == ["pay"])
            #expect(try await client.preview(Order(.cancel), of: "nobody") == nil)
            for partition in 0..<2 {
                #expect(try await fixture.namespace.inbox(.control, of: partition).isEmpty)
            }
        }
    }

    @Test func whereNobodyAnswersTheOrdersStandAndNoFurtherOnesAreSent() async throws {
        try await withFixture(partitions: 1) { fixture in
            let client = fixture.client
            let ids = (0..<200).map { "w\($0)" }
            try await fixture.scenario.run { try await waiting(ids, fixture) }
            var answers: [SelectedOrder] = []
            let failure = await error { () async throws(ClientError) in
                try await client.order(
                    Order(.pause), SagaSelection(status: .running), timeout: .milliseconds(50)
                ) { answers.append($0) }
            }
            guard case .unanswered = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
            #expect(answers.count == 128 && answers.allSatisfy { $0.answer == .unanswered })
            let paused = answers.map(\.saga)
            try await fixture.scenario.run {
                try await eventually("they are carried out") {
                    for saga in paused where try await client.saga(saga)?.saga.isPaused == false { return false }
                    return true
                }
                for saga in Set(ids).subtracting(paused) {
                    #expect(try await client.saga(saga)?.saga.isPaused == false)
                }
            }
        }
    }

    @Test func whatCannotBeIsRefusedBeforeAnythingIsRead() async throws {
        try await withFixture { fixture in
            for (order, selection) in [
                (Order(.skip, step: "reserve"), SagaSelection(definition: "order")),
                (Order(.cancel), SagaSelection(service: "reserve-service")),
                (Order(.cancel), SagaSelection(status: .completed)),
                (Order(.retry, step: "no step"), SagaSelection(status: .stuck)),
            ] {
                let failure = await error { () async throws(ClientError) in
                    try await fixture.client.order(order, selection) { _ in Issue.record("\(order.operation)") }
                }
                guard case .refused = failure else {
                    Issue.record("\(String(describing: failure))")
                    continue
                }
            }
        }
    }

    @Test func aSagaThatCannotBeReadIsToldAndTheOthersAreServed() async throws {
        try await withFixture(partitions: 1) { fixture in
            let client = fixture.client
            try await fixture.scenario.run {
                try await waiting(["w1", "w2"], fixture)
            }
            let log = fixture.namespace.keys.log(0, saga: "w1")
            _ = try await fixture.send(RedisCommand("LSET", log, "0", "{}"))
            let answers = try await give(Order(.cancel), SagaSelection(definition: "waiting"), client, isDryRun: true)
            guard case .unreadable(let reason) = answers.first?.answer else {
                Issue.record("\(answers)")
                return
            }
            #expect(reason.contains("'w1'"))
            #expect(answers.map(\.saga) == ["w1", "w2"] && answers[1].answer == .accepted)
            #expect(try await client.openCounts() == ["waiting@1": 1])
        }
    }

    @Test func theOpenSagasOfEachVersionAreCounted() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            try await fixture.scenario.run {
                #expect(try await client.openCounts() == [:])
                try await waiting((0..<300).map { "w\($0)" }, fixture)
                var next = SagaClientTests.waiting
                next.version = 2
                try await fixture.scenario.register(next)
                try await client.start((0..<5).map { start("v\($0)", "waiting") })
                #expect(
                    try await client.startAndWait(start("s1"), timeout: .seconds(30)) == .ended(.completed, error: nil))
                try await eventually("all are begun") { try await fixture.scenario.openCount() == 305 }
                #expect(try await client.openCounts() == ["waiting@1": 300, "waiting@2": 5])
            }
        }
    }

    @Test func whoMayNotLookAtOpenSagasIsToldNoCount() async throws {
        try await withFixture { fixture in
            _ = try await fixture.send(
                RedisCommand("ACL", "SETUSER", "starter", "on", ">secret", "~*", "+@all", "-zscan"))
            let endpoint = try RedisEndpoint(url: "redis://starter:secret@127.0.0.1:\(fixture.server.port)")
            let starter = SagaClient(endpoint: endpoint, namespace: "test", logger: quietLogger)
            #expect(try await starter.openCounts() == nil)
            await starter.close()
        }
    }
}
