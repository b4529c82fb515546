import Foundation
import LocalRedis
import RedisTransport
import Testing

@Suite("The program's commands")
struct CommandTests {
    private let definition = """
        name: order
        version: 1
        steps:
          - {name: create, service: orders, action: create, compensation: cancel}
          - {name: approval, signal: approved, timeout: 1h}
        """

    @Test func whereRedisIsOutOfReachItSaysSoInOneLineAndExits69() async throws {
        let result = try await Program(redis: "redis://127.0.0.1:1").run("list")
        #expect(result.code == 69)
        #expect(result.errors.hasPrefix("skald: Redis is out of reach: "))
        #expect(result.errors.split(separator: "\n").count == 1)
        #expect(result.output == "")
    }

    @Test func wrongUsageExits64() async throws {
        #expect(try await Program().run("bogus").code == 64)
        #expect(try await Program().run("start").code == 64)
        #expect(try await Program().run("wait", "x", "--timeout", "soon").code == 64)
        #expect(try await Program(redis: "http://x").run("list").code == 64)
        #expect(try await Program().run("list", "--namespace", "Not One").code == 64)
    }

    @Test func aBadDefinitionIsToldWithFileLineAndColumn() async throws {
        try await withDirectory { directory in
            let file = directory.appending(path: "bad.yaml")
            try "name: order\nversion: 1\nsteps:\n  - {name: a, servce: s, action: do}\n"
                .write(to: file, atomically: true, encoding: .utf8)
            let result = try await Program().run("validate", file.path)
            #expect(result.code == 1)
            #expect(result.errors.hasPrefix("\(file.path):4:"))
            #expect(result.errors.contains("unknown key 'servce'; did you mean 'service'?"))
            let missing = try await Program().run("validate", "/nowhere.yaml")
            #expect(missing.code == 1)
            #expect(missing.errors == "skald: the file '/nowhere.yaml' cannot be read\n")
        }
    }

    @Test func definitionsAreAppliedOnceAndNeverChange() async throws {
        try await withLocalRedis { redis in
            try await withDirectory { directory in
                let file = directory.appending(path: "order.yaml")
                try definition.write(to: file, atomically: true, encoding: .utf8)
                let skald = Program(redis: redis.url)
                #expect(try await skald.run("apply", file.path).output == "registered order@1\n")
                #expect(try await skald.run("apply", file.path).code == 0)
                try definition.replacing("approved", with: "granted").write(to: file, atomically: true, encoding: .utf8)
                let changed = try await skald.run("apply", file.path)
                #expect(changed.code == 1)
                #expect(changed.errors.contains("order@1 is registered with other content"))
                let listed = try await skald.run("--json", "definitions")
                #expect(listed.output.hasPrefix(#"{"name":"order","version":1,"#))
            }
        }
    }

    @Test func anUnknownSagaAndANamespaceWithoutOrchestratorAreTold() async throws {
        try await withLocalRedis { redis in
            let skald = Program(redis: redis.url)
            let result = try await skald.run("show", "s-1")
            #expect(result.code == 1)
            #expect(result.errors.contains("no orchestrator has initialised namespace 'skald' yet"))
        }
    }

    @Test func aSagaIsStartedShownSteeredAndListed() async throws {
        try await withRunningOrchestrator { skald, redis, directory in
            let file = directory.appending(path: "order.yaml")
            try definition.write(to: file, atomically: true, encoding: .utf8)
            #expect(try await skald.run("apply", file.path).code == 0)
            #expect(try await skald.run("start", "order", "--id", "o-1", "--input", #"{"n":1}"#).output == "o-1\n")
            try await eventually("the saga is there") { try await skald.run("show", "o-1").code == 0 }

            let shown = try await skald.run("show", "o-1", "--json")
            let saga = try #require(try JSONSerialization.jsonObject(with: Data(shown.output.utf8)) as? [String: Any])
            #expect(
                Set(saga.keys) == [
                    "id", "definition", "version", "status", "error", "startedAt", "finishedAt", "input", "labels",
                    "paused", "steps", "timeline",
                ])
            #expect(saga["status"] as? String == "running")
            #expect(saga["finishedAt"] is NSNull)
            #expect((saga["input"] as? [String: Int]) == ["n": 1])
            let steps = try #require(saga["steps"] as? [[String: Any]])
            #expect(
                Set(steps[0].keys) == [
                    "name", "status", "attempts", "result", "error", "startedAt", "finishedAt", "compensation",
                ])

            #expect(try await skald.run("wait", "o-1", "--timeout", "200ms").code == 4)
            #expect(try await skald.run("wait", "nobody").code == 1)
            #expect(try await skald.run("skip", "o-1", "--step", "create", "--result", "7").code == 0)
            #expect(try await skald.run("signal", "o-1", "approved").code == 0)
            #expect(try await skald.run("wait", "o-1", "--timeout", "20s").code == 0)
            let refused = try await skald.run("cancel", "o-1")
            #expect(refused.code == 1)
            #expect(refused.errors == "skald: cancel of 'o-1' was refused: the saga is completed\n")

            #expect(try await skald.run("start", "order", "--id", "o-2").code == 0)
            try await eventually("the saga is there") { try await skald.run("show", "o-2").code == 0 }
            #expect(try await skald.run("cancel", "o-2", "--reason", "test").code == 0)
            // Nobody answers: the compensation is declared done by hand.
            #expect(try await skald.run("skip", "o-2", "--step", "create").code == 0)
            #expect(try await skald.run("wait", "o-2", "--timeout", "20s").code == 2)
            #expect(try await skald.run("show", "o-2").output.contains("cancelled by"))

            let listed = try await skald.run("list", "--json").output.split(separator: "\n")
            #expect(listed.count == 2)
            #expect(listed[0].hasPrefix(#"{"id":"o-2","definition":"order","version":1,"status":"compensated""#))
            #expect(try await skald.run("list", "--status", "completed", "--json").output.contains("o-1"))
            try await expectPages(of: skald)

            #expect(try await skald.run("start", "nothing", "--id", "o-3", "--wait").code == 1)
            let letters = try await skald.run("dead", "list", "--json")
            #expect(letters.output.contains(#""reason":"unknown-definition: 'nothing' is not registered""#))
            let status = try await skald.run("status", "--json")
            #expect(try JSONSerialization.jsonObject(with: Data(status.output.utf8)) is [String: Any])
        }
    }

    /// The sagas `o-2` and `o-1`, listed one by one.
    private func expectPages(of skald: Program) async throws {
        let first = try await skald.run("list", "--limit", "1")
        let lines = first.output.split(separator: "\n")
        #expect(lines.count == 3 && lines[0].hasPrefix("ID ") && lines[1].hasPrefix("o-2 "), "\(first.output)")
        let hint = try #require(lines.last?.wholeMatch(of: /there is more: add --cursor (\S+)/))
        let cursor = String(hint.output.1)
        let second = try await skald.run("list", "--limit", "1", "--cursor", cursor, "--json")
        let object = try JSONSerialization.jsonObject(with: Data(second.output.utf8))
        let row = try #require(object as? [String: Any])
        #expect(Set(row.keys) == ["id", "definition", "version", "status", "startedAt", "finishedAt"])
        #expect(row["id"] as? String == "o-1" && second.errors == "")
        let startedAt = try #require(row["startedAt"] as? Int)
        let json = try await skald.run("list", "--limit", "1", "--json")
        #expect(json.output.split(separator: "\n").count == 1)
        #expect(json.errors == "skald: there is more: add --cursor \(cursor)\n")
        for (options, ids) in [
            (["--since", "1h"], ["o-2", "o-1"]), (["--since", "2100-01-01T00:00:00Z"], []),
            (["--until", "2100-01-01T00:00:00+01:00", "--since", "0"], ["o-2", "o-1"]), (["--until", "1h"], []),
            (["--until", "\(startedAt + 1)"], ["o-1"]), (["--since", "\(startedAt + 1)"], ["o-2"]),
            (["--definition", "order", "--status", "compensated"], ["o-2"]), (["--label", "a=b"], []),
            (["--definition", "other"], []), (["--status", "running"], []),
        ] {
            let listed = try await skald.run(["list", "--json"] + options).output
            let found = try listed.split(separator: "\n").map { line in
                let row = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return row?["id"] as? String ?? ""
            }
            #expect(found == ids, "\(options)")
        }
        for wrong in [
            ["--since", "soon"], ["--until", "-1"], ["--cursor", "x"], ["--label", "a"], ["--limit", "0"],
            ["--status", "odd"], ["--label", "a=b", "--label", "a=c"],
        ] {
            let refused = try await skald.run(["list"] + wrong)
            #expect(refused.code == 64 && refused.output == "", "\(wrong)")
        }
    }
}

/// Runs an orchestrator process on a server of its own.
func withRunningOrchestrator(
    _ body: (_ skald: Program, _ redis: LocalRedisServer, _ directory: URL) async throws -> Void
) async throws {
    try await withLocalRedis { redis in
        try await withDirectory { directory in
            let skald = Program(redis: redis.url)
            var orchestrator = try skald.start(
                "orchestrator", "--id", "a", output: directory.appending(path: "a.log").path)
            defer { orchestrator.kill() }
            try await eventually("the partitions are owned") {
                try await skald.run("status", "--json").output.contains(#""owner":"a""#)
            }
            try await body(skald, redis, directory)
        }
    }
}
