import SagaScripts
import Testing

/// Taking, renewing, releasing and raising, by the script's own words.
@Suite struct OwnershipTests {
    private func take(
        _ server: ScriptServer, _ owner: String, name: String = "ann", lease: Int = 60_000, stale: String = "",
        previous: String = ""
    ) async throws -> [String] {
        try await server.call(
            SagaScripts.partitionTake, [Key.state], [owner, name, "\(lease)", stale, previous, "\(owner)'s"])
    }

    private func look(_ server: ScriptServer) async throws -> [String] {
        try await server.call(SagaScripts.partitionLook, [Key.state], [])
    }

    @Test func aNewPartitionBeginsAtTheBeginning() async throws {
        try await ScriptServer.with { server in
            try await server.create()
            let era = try await server.hash(Key.state)["era"] ?? ""
            let answer = try await take(server, "o1")
            let now = answer[10]
            #expect(answer == ["taken", "1", "0", "0-0", "0-0", "0-0", era, "0", era, "0", now])
            let state = try await server.hash(Key.state)
            #expect(state["owner"] == "o1" && state["name"] == "ann" && state["lease"] == "60000")
            #expect(state["until"] == "\((Int(now) ?? 0) + 60_000)")
            #expect(state["run_id"]?.count == 40 && state["replication_id"]?.count == 40)
        }
    }

    /// A partition of which nothing is stored was there before: it is created before anybody can take it.
    @Test func aPartitionThatIsGoneWasLost() async throws {
        try await ScriptServer.with { server in
            let answer = try await take(server, "o1")
            let now = answer[10]
            #expect(answer == ["taken", "1", "0", "0-0", "0-0", "0-0", now, "0", now, "1", now])
            #expect(try await take(server, "o2", previous: "o1")[9] == "1", "until somebody has raised the era")
            let raise = ["o2", "2", "0", "99999999999999"]
            #expect(try await server.call(SagaScripts.partitionRaise, [Key.state], raise).first == "ok")
            #expect(try await take(server, "o3", previous: "o2")[9] == "0")
        }
    }

    @Test func aLeaseThatRunsIsRespected() async throws {
        try await ScriptServer.with { server in
            _ = try await take(server, "o1", name: "ann", lease: 60_000)
            let before = try await server.dump()
            let answer = try await take(server, "o2", name: "bob", lease: 10)
            #expect(answer == ["held", "ann", "60000", "o1:1:0", "o1's"])
            #expect(try await look(server) == answer)
            let after = try await server.dump()
            #expect(after == before)
        }
    }

    @Test func aLeaseThatHasRunOutOrWasReleasedIsFree() async throws {
        try await ScriptServer.with { server in
            _ = try await take(server, "o1")
            try await server.send("HSET", Key.state, "until", "1")
            #expect(try await look(server) == ["expired", "ann", "60000", "o1:1:0", "o1's"])
            #expect(try await take(server, "o2").prefix(2) == ["taken", "2"])
            #expect(try await server.call(SagaScripts.partitionRelease, [Key.state], ["o2"]) == ["released"])
            #expect(try await look(server) == ["free"])
            #expect(try await take(server, "o3").prefix(2) == ["taken", "3"])
        }
    }

    @Test func anOwnerTakesItsOwnPartitionAnew() async throws {
        try await ScriptServer.with { server in
            _ = try await take(server, "o1")
            #expect(try await take(server, "o2", previous: "o0").first == "held")
            #expect(try await take(server, "o2", previous: "o1").prefix(2) == ["taken", "2"])
        }
    }

    @Test func aHolderWhoShowsNoSignOfLifeIsDead() async throws {
        try await ScriptServer.with { server in
            _ = try await take(server, "o1")
            let mark = try await look(server)[3]
            #expect(try await server.call(SagaScripts.partitionRenew, [Key.state], ["o1", "60000"]).first == "renewed")
            let next = try await take(server, "o2", stale: mark)
            #expect(next.first == "held" && next[3] != mark, "it has renewed since")
            #expect(try await take(server, "o2", stale: next[3]).prefix(2) == ["taken", "2"])
            // The mark is of no use twice.
            #expect(try await take(server, "o3", stale: next[3]).first == "held")
        }
    }

    /// The clock that fell back an hour: the lease seems to last an hour longer, and only the mark helps.
    @Test func aClockThatRanBackwardsKeepsALeaseButNotADeadOwner() async throws {
        try await ScriptServer.with { server in
            _ = try await take(server, "o1", lease: 10)
            let future = "99999999999999"
            try await server.send("HSET", Key.state, "clock", future, "until", "\((Int(future) ?? 0) + 10)")
            let held = try await take(server, "o2")
            #expect(held.first == "held")
            let taken = try await take(server, "o2", lease: 10, stale: held[3])
            #expect(taken.first == "taken" && taken[10] == future)
            let state = try await server.hash(Key.state)
            #expect(state["clock"] == future)
            #expect(state["until"] == "\((Int(future) ?? 0) + 10)")
            #expect(try await server.call(SagaScripts.partitionRenew, [Key.state], ["o2", "10"]).first == "renewed")
            #expect(try await server.hash(Key.state)["clock"] == future)
        }
    }

    @Test(arguments: ["run_id", "replication_id"])
    func anotherServerMeansThatNewestWritesMayBeLost(_ field: String) async throws {
        try await ScriptServer.with { server in
            try await server.create()
            _ = try await take(server, "o1")
            let (renew, arguments) = (SagaScripts.partitionRenew, ["o1", "60000"])
            #expect(try await server.call(renew, [Key.state], arguments) == ["renewed", "0"])
            try await server.send("HSET", Key.state, field, "another")
            #expect(try await server.call(renew, [Key.state], arguments) == ["renewed", "1"])
            let taken = try await take(server, "o2", previous: "o1")
            #expect(taken[9] == "1")
            // Until somebody has raised the era, everybody is told.
            let again = try await take(server, "o3", previous: "o2")
            #expect(again[9] == "1")
            let raised = try await server.call(
                SagaScripts.partitionRaise, [Key.state], ["o3", "3", "0", "99999999999999"])
            #expect(raised.first == "ok")
            let after = try await take(server, "o4", previous: "o3")
            #expect(after[9] == "0")
            #expect(after[6] == "99999999999999" && after[7] == "1", "the era, and that it was raised")
            #expect(after[8] == taken[6], "what was verified stays behind the era")
        }
    }

    @Test func theNewOwnerFindsWhatTheLastOneLeft() async throws {
        try await ScriptServer.with { server in
            _ = try await take(server, "o1")
            var call = CommitCall()
            call.positions = ["1-1", "2-2", "3-3"]
            call.verified = "5"
            #expect(try await server.call(SagaScripts.partitionCommit, call.keys, call.arguments).first == "ok")
            let taken = try await take(server, "o2", previous: "o1")
            #expect(Array(taken[1...5]) == ["2", "1", "1-1", "2-2", "3-3"])
            #expect(taken[8] == "5")
        }
    }

    /// A taking that was lost in a rewind lets the next one give the same epoch: the owner tells them apart.
    @Test func aReusedEpochDoesNotLetTheFormerOwnerIn() async throws {
        try await ScriptServer.with { server in
            _ = try await take(server, "o1")
            let dump = try await server.dump()[Key.state] ?? []
            #expect(try await take(server, "lost", previous: "o1")[1] == "2")
            try await server.restore(Key.state, dump)
            #expect(try await take(server, "o2", previous: "o1")[1] == "2")
            let before = try await server.dump()
            var call = CommitCall()
            (call.owner, call.epoch) = ("lost", 2)
            call.changes = [.init("s", entries: ["x"])]
            #expect(try await server.call(SagaScripts.partitionCommit, call.keys, call.arguments) == ["fenced"])
            let after = try await server.dump()
            #expect(after == before)
            call.owner = "o2"
            #expect(try await server.call(SagaScripts.partitionCommit, call.keys, call.arguments).first == "ok")
        }
    }

    @Test func anEraOnlyRises() async throws {
        try await ScriptServer.with { server in
            let era = Int(try await take(server, "o1")[6]) ?? 0
            for (value, status) in [(era, "sequence"), (era - 1, "sequence"), (era + 1, "ok"), (era + 1, "sequence")] {
                let answer = try await server.call(
                    SagaScripts.partitionRaise, [Key.state], ["o1", "1", "0", "\(value)"])
                #expect(answer.first == status, "\(value - era)")
            }
            #expect(try await server.hash(Key.state)["era"] == "\(era + 1)")
        }
    }

    @Test func whatIsReleasedIsNotTheFormerOwnersAnyMore() async throws {
        try await ScriptServer.with { server in
            _ = try await take(server, "o1")
            try await server.call(SagaScripts.partitionRelease, [Key.state], ["o1"])
            #expect(try await server.call(SagaScripts.partitionRenew, [Key.state], ["o1", "60000"]) == ["lost"])
            let call = CommitCall()
            #expect(try await server.call(SagaScripts.partitionCommit, call.keys, call.arguments) == ["fenced"])
        }
    }
}
