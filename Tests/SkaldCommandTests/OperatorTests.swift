import Foundation
import LocalRedis
import RedisTransport
import SagaCore
import SagaTesting
import SagaWire
import Testing

/// What an operator does about many sagas: an orchestrator and participants in this process, the program in others.
@Suite("Operators' commands") struct OperatorTests {
    /// `charge` is refused, and `reserve` cannot be undone, unless the saga's id says otherwise.
    private let order = DefinitionDraft(
        name: "order", version: 1,
        steps: ["reserve", "charge"].map { name in
            StepDraft(name: name, service: "stock", action: name, compensation: .operation("undo-\(name)"))
        })
    private let held = DefinitionDraft(
        name: "held", version: 1,
        steps: [
            StepDraft(name: "reserve", service: "stock", action: "reserve", compensation: .operation("release")),
            StepDraft(name: "go", signal: "go"),
            StepDraft(name: "pay", service: "bank", action: "pay", isPivot: true),
        ])

    private func withSagas(_ body: @escaping @Sendable (Program, Scenario) async throws -> Void) async throws {
        try await withRedisNamespace { namespace, server in
            let scenario = Scenario(namespace)
            scenario.participants.setPlan { command in
                Behaviour(
                    command.step == "charge" || command.operation == "undo-reserve"
                        ? .failed : command.step == "pay" ? .retry : .succeeded)
            }
            try await scenario.register(order)
            try await scenario.register(held)
            let skald = Program(redis: server.url, namespace: "test")
            try await scenario.run { try await body(skald, scenario) }
        }
    }

    private func objects(_ output: String) throws -> [[String: Any]] {
        try output.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    private func started(_ sagas: [String], _ definition: String, _ scenario: Scenario) async throws {
        for saga in sagas { try await scenario.start(saga, definition) }
        for saga in sagas {
            try await eventually("\(saga) waits or is stuck") {
                guard let saga = try await scenario.saga(saga) else { return false }
                return saga.status == .stuck || definition == "held" && saga.steps[1].action.status == .running
            }
        }
    }

    @Test func stuckSagasAreListedAndRetriedTogether() async throws {
        try await withSagas { skald, scenario in
            try await started(["s1", "s2"], "order", scenario)
            let table = try await skald.run("failing", "--definition", "order").output
            #expect(table.split(separator: "\n").count == 3)
            let failing = try objects(try await skald.run("failing", "--json").output)
            #expect(Set(failing.compactMap { $0["id"] as? String }) == ["s1", "s2"])
            #expect(
                failing.allSatisfy { $0["phase"] as? String == "compensation" && $0["state"] as? String == "stuck" })
            #expect(failing.allSatisfy { $0["since"] is Int && $0["nextAttemptAt"] is NSNull })
            #expect(try await skald.run("failing", "--service", "bank").output == "nothing fails\n")
            let cut = try await skald.run("failing", "--limit", "1", "--json")
            #expect(cut.output.split(separator: "\n").count == 1)
            #expect(cut.errors == "1 more are left out; --limit takes a greater number\n")

            let selection = ["retry", "--status", "stuck", "--definition", "order"]
            let dry = try await skald.run(selection + ["--dry-run"])
            #expect(dry.code == 0)
            #expect(dry.output.contains("would be accepted: retry s1 (reserve)\n"))
            #expect(dry.output.hasSuffix("2 orders: 2 accepted, 0 refused (nothing was sent)\n"))

            scenario.participants.setPlan { _ in Behaviour() }
            let retried = try await skald.run(selection + ["--json", "--reason", "fixed"])
            #expect(retried.code == 0, "\(retried.errors)")
            let lines = try objects(retried.output)
            #expect(lines.count == 3)
            #expect(lines.dropLast().allSatisfy { $0["status"] as? String == "accepted" })
            #expect(lines.last?["accepted"] as? Int == 2 && lines.last?["refused"] as? Int == 0)
            for saga in ["s1", "s2"] {
                #expect(try await skald.run("wait", saga, "--timeout", "30s").code == 2)
            }
            let shown = try await skald.run("show", "s1").output
            #expect(shown.contains(/order +retry – by \S+@\S+: fixed/), "\(shown)")
        }
    }

    @Test func manyAreCancelledAndARefusalIsToldAndExitsWith1() async throws {
        try await withSagas { skald, scenario in
            try await started(["h1", "h2", "h3"], "held", scenario)
            #expect(try await skald.run("signal", "h3", "go").code == 0)
            try await eventually("the pivot waits") {
                try await scenario.saga("h3")?.steps[2].action.status == .waiting
            }
            let definitions = try objects(try await skald.run("definitions", "--json").output)
            #expect(definitions.map { $0["open"] as? Int } == [3, 0])

            let plan = try await skald.run("plan", "cancel", "h1", "--json")
            #expect(plan.code == 0)
            let object = try #require(try objects(plan.output).first)
            let waves = try #require(object["waves"] as? [[[String: Any]]])
            #expect(waves.map { $0.map { $0["operation"] as? String } } == [["release"]])
            #expect(object["refusal"] is NSNull && object["end"] as? String == "compensated")
            #expect(
                (object["exempt"] as? [[String: Any]])?.map { $0["because"] as? String } == [
                    "no-compensation", "not-due",
                ])
            let text = try await skald.run("plan", "cancel", "h1").output
            #expect(text.contains("1     reserve  stock    release    it succeeded\n"), "\(text)")
            let refused = try await skald.run("plan", "cancel", "h3")
            #expect(refused.code == 1)
            #expect(refused.errors.contains("cancel of 'h3' would be refused: the pivot 'pay' is due"))
            #expect(try await skald.run("plan", "cancel", "nobody").code == 1)

            #expect(
                try await skald.run("cancel", "h1", "--dry-run").output == "would be accepted: cancel h1 (reserve)\n")
            #expect(try await skald.run("cancel", "h3", "--dry-run").code == 1)
            let cancelled = try await skald.run("cancel", "--definition", "held", "--by", "ann")
            #expect(cancelled.code == 1)
            #expect(cancelled.output.contains("accepted: cancel h1\n"))
            #expect(
                cancelled.output.contains("refused: cancel h3: the pivot 'pay' is due: the saga only goes forward\n"))
            #expect(cancelled.output.hasSuffix("3 orders: 2 accepted, 1 refused\n"))
            #expect(cancelled.errors == "skald: 1 of 3 orders were not accepted\n")
            for saga in ["h1", "h2"] {
                #expect(try await skald.run("wait", saga, "--timeout", "30s").code == 2)
            }
            #expect(try await skald.run("cancel", "--label", "tier=gold").output == "no saga is meant\n")
        }
    }

    @Test func anOrderWithoutSagasOrWithTwoWaysToNameThemIsWrongUsage() async throws {
        let skald = Program(redis: "redis://127.0.0.1:1")
        for arguments in [
            ["cancel"], ["retry", "--dry-run"], ["pause", "--limit", "5"], ["cancel", "o-1", "--definition", "order"],
            ["cancel", "--status", "completed"], ["cancel", "--service", "stock"], ["retry", "--label", "gold"],
            ["cancel", "--definition", "order", "--step", "reserve"],
            ["resume", "--definition", "order", "--limit", "0"],
            ["skip", "o-1"], ["start", "order", "--at", "tomorrow"],
            ["start", "order", "--at", "2026-12-24T18:00:00Z", "--in", "3s"],
        ] {
            let result = try await skald.run(arguments)
            #expect(result.code == 64, "\(arguments): \(result)")
            #expect(result.output == "")
        }
    }

    @Test func aStartCanBeForLater() async throws {
        try await withSagas { skald, scenario in
            let later = "2100-01-01T01:00:00+01:00"
            for (saga, option, time) in [
                ("a", "--at", later), ("b", "--at", "4102444800000"), ("c", "--in", "7d"),
            ] {
                #expect(try await skald.run("start", "held", "--id", saga, option, time).code == 0)
                try await eventually("it is there") { try await scenario.saga(saga) != nil }
                #expect(try await scenario.saga(saga)?.status == .scheduled)
            }
            #expect(try await scenario.saga("a")?.started.notBefore == 4_102_444_800_000)
            #expect(try await scenario.saga("b")?.started.notBefore == 4_102_444_800_000)
            let c = try #require(try await scenario.saga("c"))
            let wait = try #require(c.started.notBefore) - c.startedAt
            // The coordinator's instant of the start is a little earlier or later than the program's.
            #expect((604_740_000...604_860_000).contains(wait), "\(wait)")
            #expect(try await skald.run("start", "order", "--id", "d", "--at", "2001-01-01T00:00:00Z").code == 0)
            try await eventually("it is begun at once") { try await scenario.saga("d")?.status == .stuck }
            #expect(try await skald.run("cancel", "--status", "scheduled").code == 0)
            #expect(try await skald.run("wait", "a", "--timeout", "30s").code == 2)
        }
    }
}
