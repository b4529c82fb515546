import RedisTransport
import SagaScripts
import Testing

@Suite struct CommitTests {
    private func commit(_ server: ScriptServer, _ call: CommitCall) async throws -> [String] {
        try await server.call(SagaScripts.partitionCommit, call.keys, call.arguments)
    }

    @Test func everythingIsApplied() async throws {
        try await ScriptServer.with { server in
            try await ScriptCase.commit.prepare(server)
            var call = CommitCall()
            call.positions = ["1-1", "2-2", "3-3"]
            call.verified = "77"
            call.changes = [
                .init(
                    "new", entries: ["n0", "n1"], alarm: "at", instant: "1700000000123",
                    indexes: [("definition:d", "1700000000001"), ("label:a=b {c}", "1700000000001")]),
                .init(
                    "old", length: 2, entries: ["c"], alarm: "ended", instant: "50",
                    indexes: [("status:compensated", ""), ("definition:d", "7")]),
            ]
            call.commands = [
                ("a", ["saga", "new", "n", "1"]), ("c", ["saga", "new"]), ("a", ["saga", "new", "n", "2"]),
            ]
            call.outcomes = [["saga", "old", "status", "completed"], ["saga", "x", "control", "1"]]
            let answer = try await commit(server, call)
            let state = try await server.hash(Key.state)
            #expect(answer.prefix(2) == ["ok", state["clock"] ?? ""])
            let ids = try await [server.stream(Key.command("a")).dropFirst(4), server.stream(Key.command("c"))[...]]
            #expect(answer.dropFirst(2) == [ids[0].first?.id ?? "", ids[1].first?.id ?? "", ids[0].last?.id ?? ""])
            #expect(state["sequence"] == "1")
            #expect(state["verified"] == "77")
            #expect([state["reply"], state["control"], state["intake"]] == ["1-1", "2-2", "3-3"])
            #expect(try await server.list(Key.log("new")) == ["n0", "n1"])
            #expect(try await server.list(Key.log("old")) == ["a", "b", "c"])
            #expect(try await server.scores(Key.open) == ["new": "1700000000123"])
            #expect(try await server.scores(Key.ended) == ["done": "70", "old": "50"])
            #expect(
                try await server.scores(Key.index("definition:d"))
                    == ["done": "40", "new": "1700000000001", "old": "7"])
            #expect(try await server.scores(Key.index("label:a=b {c}")) == ["new": "1700000000001"])
            #expect(try await server.scores(Key.index("status:compensated")) == ["done": "40"])
            #expect(try await server.stream(Key.command("a")).dropFirst(4).map { $0["n"] } == ["1", "2"])
            #expect(try await server.stream(Key.command("c")).map(\.fields) == [["saga", "new"]])
            #expect(try await server.stream(Key.outcome).dropFirst().map(\.fields) == call.outcomes)
            #expect(try await server.stream(Key.dead).isEmpty)
        }
    }

    @Test func anAlarmIsSetKeptOrForgotten() async throws {
        try await ScriptServer.with { server in
            try await ScriptCase.commit.prepare(server)
            let steps: [(alarm: String, instant: String, open: [String: String], ended: [String: String])] = [
                ("at", "10", ["s": "10"], [:]), ("keep", "", ["s": "10"], [:]), ("never", "", ["s": "inf"], [:]),
                ("at", "9007199254740993", ["s": "9007199254740992"], [:]), ("gone", "", [:], [:]),
                ("at", "20", ["s": "20"], [:]), ("rested", "", [:], [:]), ("ended", "30", [:], ["s": "30"]),
            ]
            try await server.send("DEL", Key.open, Key.ended)
            for (index, step) in steps.enumerated() {
                var call = CommitCall()
                call.sequence = index
                call.changes = [.init("s", alarm: step.alarm, instant: step.instant)]
                #expect(try await commit(server, call).first == "ok")
                #expect(try await server.scores(Key.open) == step.open)
                #expect(try await server.scores(Key.ended) == step.ended)
            }
            // None of them touches the log.
            #expect(try await server.list(Key.log("s")) == [])
        }
    }

    @Test(arguments: [1, 2, 3_999, 4_000, 4_001, 8_000, 20_000])
    func oneSagasEntriesKeepTheirOrderHoweverManyTheyAre(_ count: Int) async throws {
        try await ScriptServer.with { server in
            try await server.occupy()
            var call = CommitCall()
            call.changes = [.init("s", entries: (0..<count).map { "entry \($0)" })]
            #expect(try await commit(server, call).first == "ok")
            #expect(try await server.list(Key.log("s")) == call.changes[0].entries)
        }
    }

    @Test func aThousandSagasAndTwoThousandCommandsAreOneCommit() async throws {
        try await ScriptServer.with { server in
            try await server.occupy()
            var call = CommitCall()
            for index in 0..<1_000 {
                call.changes.append(
                    .init("s\(index)", entries: ["a", "b"], alarm: "at", instant: "\(index)"))
                for service in ["x", "y"] {
                    call.commands.append((service, ["saga", "s\(index)"] + (0..<11).flatMap { ["f\($0)", "v"] }))
                }
            }
            let start = ContinuousClock.now
            #expect(try await commit(server, call).first == "ok")
            #expect(ContinuousClock.now - start < .seconds(2), "it blocks everybody")
            for service in ["x", "y"] {
                let commands = try await server.stream(Key.command(service))
                #expect(commands.map { $0["saga"] } == (0..<1_000).map { "s\($0)" })
            }
            #expect(try await server.scores(Key.open).count == 1_000)
            #expect(try await server.list(Key.log("s999")) == ["a", "b"])
        }
    }

    @Test func aReplacedCommandGoesWhereNobodyWasGivenIt() async throws {
        try await ScriptServer.with { server in
            try await server.occupy()
            for service in ["a", "b", "c"] {
                for id in 9...12 { try await server.send("XADD", Key.command(service), "\(id)-0", "n", "\(id)") }
            }
            // Of `a` two are delivered, of `b` none is, and `c` has no group of its own.
            try await server.send("XGROUP", "CREATE", Key.command("a"), "a", "0")
            try await server.send("XREADGROUP", "GROUP", "a", "x", "COUNT", "2", "STREAMS", Key.command("a"), ">")
            try await server.send("XGROUP", "CREATE", Key.command("b"), "b", "0")
            try await server.send("XGROUP", "CREATE", Key.command("c"), "other", "$")
            var call = CommitCall()
            call.commands = ["a", "b", "c"].map { ($0, ["n", "new"]) }
            for service in ["a", "b", "c"] {
                call.replaced += [(service, "10-0"), (service, "11-0"), (service, "8-0")]
            }
            #expect(try await commit(server, call).first == "ok")
            for (service, left) in [
                ("a", ["9", "10", "12", "new"]), ("b", ["9", "12", "new"]), ("c", ["9", "12", "new"]),
            ] {
                #expect(try await server.stream(Key.command(service)).map { $0["n"] ?? "" } == left)
            }
        }
    }

    @Test func thePartitionsClockNeverRunsBackwards() async throws {
        try await ScriptServer.with { server in
            try await server.occupy()
            try await server.send("HSET", Key.state, "clock", "99999999999999")
            let answer = try await commit(server, CommitCall())
            #expect(answer == ["ok", "99999999999999"])
            #expect(try await server.hash(Key.state)["clock"] == "99999999999999")
        }
    }

    @Test func sequencesStayDecimalHoweverLargeTheyAre() async throws {
        try await ScriptServer.with { server in
            try await server.occupy()
            try await server.send("HSET", Key.state, "sequence", "999999999999999")
            var call = CommitCall()
            call.sequence = 999_999_999_999_999
            #expect(try await commit(server, call).first == "ok")
            #expect(try await server.hash(Key.state)["sequence"] == "1000000000000000")
        }
    }

    @Test func positionsOfTopicsAreFieldsOfTheState() async throws {
        try await ScriptServer.with { server in
            try await server.occupy()
            var call = CommitCall()
            call.changes = [.init("s", entries: ["x"])]
            call.commands = [("a", ["n", "1"])]
            call.outcomes = [["n", "1"]]
            call.events = (0..<100).map { ("T\($0)", "\($0 + 1)-0") }
            #expect(try await commit(server, call).first == "ok")
            let taken = try await server.call(
                SagaScripts.partitionTake, [Key.state], ["o2", "ann", "60000", "", "o1", "i2"])
            #expect(taken[0] == "taken" && taken.count == 11 + 200)
            let pairs = stride(from: 11, to: taken.count, by: 2).map { (taken[$0], taken[$0 + 1]) }
            #expect(
                Dictionary(pairs) { $1 }
                    == Dictionary(uniqueKeysWithValues: call.events.map { ($0.topic, $0.position) }))
            call = CommitCall()
            (call.owner, call.epoch, call.sequence) = ("o2", 2, 1)
            call.events = [("T7", "9-9")]
            #expect(try await commit(server, call).first == "ok")
            let state = try await server.hash(Key.state)
            #expect(state["event:T7"] == "9-9" && state["event:T8"] == "9-0" && state["sequence"] == "2")
        }
    }
}
