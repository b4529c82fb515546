import Foundation
import TestSupport
import Testing

@Suite("The tools for authors of definitions")
struct DefinitionToolsTests {
    private let order = Repository.path(of: "deploy/shop/order.yaml")

    private func objects(_ result: Program.Result) throws -> [[String: Any]] {
        try result.output.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    // MARK: graph

    @Test func aGraphIsDrawnAsTextAndAsAFlowchart() async throws {
        let text = try await Program().run("graph", order)
        #expect(text.code == 0)
        #expect(text.output.hasPrefix("order@1, deadline 15m\n"))
        #expect(text.output.hasSuffix("Undone in this order: charge; then reserve; then create\n"))
        let chart = try await Program().run("graph", order, "--format", "mermaid")
        #expect(chart.output.contains("\nflowchart TD\n"))
        #expect(chart.output.contains("\n    s2 --> s3\n"))
        let json = try objects(try await Program().run("graph", order, "--json"))
        #expect(json.count == 1)
        #expect((json[0]["graph"] as? String).map { $0 + "\n" } == text.output)
        #expect(try await Program().run("graph", order, "--format", "svg").code == 64)
    }

    // MARK: simulate

    @Test func aSimulationExitsAsItsSagaEnds() async throws {
        let completed = try await Program().run("simulate", order)
        #expect(completed.code == 0)
        #expect(completed.output.hasSuffix("  saga     completed after 0.040s\n"))
        let compensated = try await Program().run("simulate", order, "--fail", "charge:2", "--fail", "confirm=day-full")
        #expect(compensated.code == 2)
        #expect(compensated.output.contains("charge   action attempt 3 → payments (charge)\n"))
        #expect(compensated.output.contains("confirm  refused: simulated refusal (day-full)\n"))
        let stuck = try await Program().run("simulate", order, "--fail", "confirm", "--fail-compensation", "reserve")
        #expect(stuck.code == 3)
        #expect(try await Program().run("simulate", order, "--timeout", "confirm").code == 4)
    }

    @Test func aSimulationTakesResultsSignalsAndOrders() async throws {
        try await withDirectory { directory in
            let file = directory.appending(path: "wait.yaml")
            try """
            name: waiting
            version: 1
            steps: [{name: a, service: s, action: do, compensation: undo}, {name: go, signal: go}]
            """.write(to: file, atomically: true, encoding: .utf8)
            let waiting = try await Program().run("simulate", file.path)
            #expect(waiting.code == 4)
            #expect(waiting.output.hasSuffix("saga  waits for signal 'go': nothing else moves it\n"))
            let signaled = try await Program().run(
                "simulate", file.path, "--result", #"a={"n":1}"#, "--signal", "go@2s=[7]")
            #expect(signaled.code == 0)
            #expect(signaled.output.contains(#"a     succeeded: {"n":1}"#))
            #expect(signaled.output.contains("+2.000s  go    succeeded: [7]\n"))
            for cancel in ["5s", "after:a"] {
                #expect(try await Program().run("simulate", file.path, "--cancel", cancel).code == 2)
            }
            let skipped = try await Program().run("simulate", file.path, "--skip", "go@1m")
            #expect(skipped.code == 0)
            let paused = try await Program().run(
                "simulate", file.path, "--pause", "1s", "--signal", "go@2s", "--resume", "3s")
            #expect(paused.output.hasSuffix("+3.000s  saga  completed after 3.000s\n"))
        }
    }

    @Test func aTimelineIsAlsoJSON() async throws {
        let lines = try objects(try await Program().run("simulate", order, "--fail", "create", "--json"))
        #expect(lines.map { $0["type"] as? String } == ["started", "sent", "failed", "turnedBack", "ended"])
        #expect(Set(lines[1].keys) == ["at", "type", "step", "item", "phase", "attempt", "text"])
        #expect(lines[2]["at"] as? Int == 10)
    }

    @Test(arguments: [
        ["--fail", "chrge"], ["--fail", "charge:0"], ["--fail", "charge:x"], ["--timeout", "nobody"],
        ["--fail-compensation", "confirm"], ["--signal", "go"], ["--cancel", "soon"], ["--cancel", "after:nobody"],
        ["--skip", "charge"], ["--retry", "nobody@1s"], ["--result", "charge"], ["--result", "nobody=1"],
        ["--input", "{"], ["--latency", "fast"], ["--definition", "other"],
    ])
    func whatTheDefinitionDoesNotHaveIsWrongUsage(arguments: [String]) async throws {
        let result = try await Program().run(["simulate", order] + arguments)
        #expect(result.code == 64)
        #expect(result.output == "")
    }

    @Test func oneOfSeveralDefinitionsIsChosenByName() async throws {
        try await withDirectory { directory in
            let file = directory.appending(path: "two.yaml")
            try """
            name: one
            version: 1
            steps: [{name: a, service: s, action: do, compensation: null}]
            ---
            name: two
            version: 1
            steps: [{name: b, service: s, action: do, compensation: null}]
            """.write(to: file, atomically: true, encoding: .utf8)
            let unclear = try await Program().run("simulate", file.path)
            #expect(unclear.code == 64)
            #expect(unclear.errors.contains("choose one of one@1, two@1 with --definition"))
            let chosen = try await Program().run("simulate", file.path, "--definition", "two")
            #expect(chosen.output.contains("two@1 starts"))
            let both = try await Program().run("drill", file.path, "--json")
            #expect(Set(try objects(both).map { $0["definition"] as? String }) == ["one", "two"])
        }
    }

    // MARK: drill

    @Test func aDrillShowsHowEachDisturbanceEnds() async throws {
        let drill = try await Program().run("drill", order)
        #expect(drill.code == 0)
        let rows = drill.output.split(separator: "\n")
        #expect(rows[0] == "order@1")
        #expect(rows[1].hasPrefix("STEP     WHAT IS DONE TO IT"))
        #expect(
            rows.contains { row in
                row.hasPrefix("charge   compensation is refused (confirm is refused)")
                    && row.contains("reserve, create")
                    && row.hasSuffix("stuck at 'charge', not undone: waits for an operator (skald retry, skip)")
            }, "\(drill.output)")
        let lines = try objects(try await Program().run("drill", order, "--json"))
        // Three steps that can be undone in six ways each; the pivot has no compensation.
        #expect(lines.count == 3 * 6 + 4)
        #expect(
            Set(lines[0].keys) == [
                "definition", "version", "step", "way", "disturbance", "end", "compensated", "took", "warnings",
                "leftAsMeant", "violations",
            ])
        #expect(lines.allSatisfy { ($0["violations"] as? [String]) == [] })
    }

    @Test func aFileThatIsNoDefinitionIsToldAsElsewhere() async throws {
        for command in ["graph", "simulate", "drill"] {
            let missing = try await Program().run(command, "/nowhere.yaml")
            #expect(missing.code == 1)
            #expect(missing.errors == "skald: the file '/nowhere.yaml' cannot be read\n")
        }
    }
}
