import Foundation
import LocalRedis
import RedisTransport
import SagaCore
import SagaTesting
import SagaWire
import Testing

/// What a script sees of sagas that run: an orchestrator and participants in this process, the program in others.
@Suite("Ends of sagas") struct SagaEndTests {
    private let order = DefinitionDraft(
        name: "order", version: 1,
        steps: ["reserve", "charge"].map { name in
            StepDraft(name: name, service: "stock", action: name, compensation: .operation("undo-\(name)"))
        })

    private func withSagas(_ body: @escaping @Sendable (Program, Scenario) async throws -> Void) async throws {
        try await withRedisNamespace { namespace, server in
            let scenario = Scenario(namespace)
            scenario.participants.setPlan { command in
                switch command.phase {
                case .action:
                    Behaviour(command.step == "charge" && !command.saga.hasPrefix("good") ? .failed : .succeeded)
                case .compensation: Behaviour(command.saga.hasPrefix("stuck") ? .failed : .succeeded)
                }
            }
            try await scenario.register(order)
            let skald = Program(redis: server.url, namespace: "test")
            try await scenario.run { try await body(skald, scenario) }
        }
    }

    @Test func theExitCodeTellsTheEnd() async throws {
        try await withSagas { skald, _ in
            for (saga, code, end) in [("good", 0, "completed"), ("bad", 2, "compensated"), ("stuck", 3, "stuck")] {
                let started = try await skald.run("start", "order", "--id", saga, "--wait", "--json")
                #expect(started.code == code, "\(started)")
                #expect(started.output.hasPrefix(#"{"id":"\#(saga)","status":"\#(end)","error":"#))
                #expect(started.output.split(separator: "\n").count == 1)
                let waited = try await skald.run("wait", saga)
                #expect(waited.code == code)
                #expect(waited.output.hasPrefix(end))
            }
            let skipped = try await skald.run("skip", "stuck", "--step", "reserve", "--reason", "by hand")
            #expect(skipped.code == 0, "\(skipped.errors)")
            #expect(try await skald.run("wait", "stuck", "--timeout", "60s").code == 2)
        }
    }

    @Test func aRemovedSagaIsToldInOneLine() async throws {
        try await withSagas { skald, scenario in
            let start = ["start", "order", "--id", "bad", "--label", "city=Köln", "--wait"]
            #expect(try await skald.run(start).code == 2)
            #expect(try await skald.run("list", "--label", "city=Köln", "--json").output.contains(#""id":"bad""#))
            try await scenario.namespace.hastenRemovals()
            // Its owner knows when the next one is due, unless it is another owner.
            try await scenario.namespace.changeServer()
            try await eventually("it is removed") { try await scenario.endedCount() == 0 }
            let shown = try await skald.run("show", "bad")
            #expect(shown.code == 1 && shown.output == "")
            #expect(shown.errors == "skald: saga 'bad' ended compensated and was removed by retention\n")
            #expect(try await skald.run("list", "--json").output == "")
            let again = try await skald.run("start", "order", "--id", "bad", "--wait")
            #expect(again.code == 1)
            #expect(again.errors.contains("ended: saga 'bad' ended compensated and was removed by retention"))
            let refused = try await skald.run("retry", "bad")
            #expect(refused.code == 1 && refused.errors.contains("removed by retention"))
        }
    }

    @Test func globalOptionsStandBeforeOrAfterTheCommand() async throws {
        try await withSagas { skald, _ in
            #expect(try await skald.run("start", "order", "--id", "good", "--wait").code == 0)
            let url = try #require(skald.redis)
            let bare = Program()
            for arguments in [
                ["--redis", url, "--namespace", "test", "cancel", "good"],
                ["cancel", "good", "--redis", url, "--namespace", "test"],
            ] {
                let refused = try await bare.run(arguments)
                #expect(refused.code == 1)
                #expect(refused.errors == "skald: cancel of 'good' was refused: the saga is completed\n")
            }
            let list = try await bare.run(["--redis", url, "--json", "--namespace", "test", "dead", "list"])
            #expect(list.code == 0 && list.output == "")
        }
    }

    @Test func whatAPeerWroteCannotAddLinesOrMoveTheCursor() async throws {
        try await withSagas { skald, scenario in
            let (saga, reason) = ("bad", "one\n+       1 ms  completed\u{1b}[2J\u{202e}\u{9b}")
            try await scenario.start(saga, input: #""\#(String("\u{202e}"))""#)
            try await eventually("it ends") { try await scenario.end(of: saga) != nil }
            _ = try await skald.run("retry", saga, "--reason", reason)
            let order = DefinitionDraft(name: "held", version: 1, steps: [StepDraft(name: "go", signal: "go")])
            try await scenario.register(order)
            #expect(try await skald.run("start", "held", "--id", "held").code == 0)
            try await eventually("it is begun") { try await scenario.saga("held") != nil }
            #expect(try await skald.run("cancel", "held", "--reason", reason).code == 0)
            for output in [
                try await skald.run("show", "held").output, try await skald.run("show", saga).output,
                try await skald.run("list").output, try await skald.run("dead", "list").output,
                try await skald.run("wait", "held").output,
            ] {
                #expect(!output.contains("\n+       1 ms  completed"))
                let isHarmless = output.unicodeScalars.allSatisfy { scalar in
                    scalar == "\n" || !scalar.properties.isBidiControl && scalar.properties.generalCategory != .control
                }
                #expect(isHarmless, "\(output.debugDescription)")
            }
            #expect(try await skald.run("show", "held").output.contains(#"one\u{a}+"#))
        }
    }

    @Test func inputThatIsNoJSONIsWrongUsageUnlessItIsAFile() async throws {
        try await withSagas { skald, scenario in
            #expect(try await skald.run("start", "order", "--id", "good", "--input", "{total: 5}").code == 64)
            try await withDirectory { directory in
                let file = directory.appending(path: "input")
                try Data([0, 255, 1]).write(to: file)
                #expect(try await skald.run("start", "order", "--id", "good", "--input", "@\(file.path)").code == 0)
            }
            try await eventually("it ends") { try await scenario.end(of: "good") != nil }
            #expect(try await skald.run("show", "good", "--json").output.contains(#""input":{"base64":"AP8B"}"#))
        }
    }
}
