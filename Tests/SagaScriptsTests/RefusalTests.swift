import RedisTransport
import SagaScripts
import Testing

/// A call that is refused has written nothing, whatever it is refused for.
@Suite struct RefusalTests {
    /// Expects that a call is refused with an error of this code, and changes nothing.
    private func expectRefusal(
        _ code: RedisError.Code, _ server: ScriptServer, _ what: Comment, _ call: () async throws -> Void
    ) async throws {
        let before = try await server.dump()
        let error = await #expect(throws: RedisError.self, what) { try await call() }
        #expect(error?.code == code, what)
        let after = try await server.dump()
        #expect(after == before, what)
    }

    @Test(arguments: ScriptCase.all)
    func aKeyOfTheWrongType(_ one: ScriptCase) async throws {
        try await ScriptServer.with { server in
            for place in one.keys.indices {
                try await server.send("FLUSHALL")
                try await one.prepare(server)
                try await server.send("DEL", one.keys[place])
                try await server.send("SET", one.keys[place], "a string")
                try await expectRefusal(.wrongType, server, "KEYS[\(place + 1)] \(one.keys[place])") {
                    _ = try await one.call(server)
                }
            }
            // With all of the right type it is accepted.
            try await server.send("FLUSHALL")
            try await one.prepare(server)
            let answer = try await one.call(server)
            if let status = one.status { #expect(answer.first == status) }
        }
    }

    @Test(arguments: ScriptCase.all)
    func aFullServer(_ one: ScriptCase) async throws {
        try await ScriptServer.with { server in
            try await one.prepare(server)
            try await server.send("CONFIG", "SET", "maxmemory", "1")
            guard !one.worksWhenFull else {
                let answer = try await one.call(server)
                #expect(answer.first == one.status)
                return
            }
            try await expectRefusal(.outOfMemory, server, "\(one)") { _ = try await one.call(server) }
            try await server.send("CONFIG", "SET", "maxmemory", "0")
            let answer = try await one.call(server)
            if let status = one.status { #expect(answer.first == status) }
        }
    }

    /// What has to run on a full server writes next to nothing, or frees memory.
    @Test func onlyWhatWritesNextToNothingWorksOnAFullServer() {
        let names = ScriptCase.all.filter(\.worksWhenFull).map(\.script.name).sorted()
        #expect(
            names == [
                "consumer_remove", "inbox_peek", "member_beat", "namespace_announce", "partition_look",
                "partition_raise",
                "partition_release", "partition_renew", "partition_retire", "partition_settle", "partition_take",
                "partition_trim",
            ])
        #expect(ScriptCase.all.map(\.script.name).sorted() == SagaScripts.all.map(\.name).sorted())
    }

    @Test(arguments: ScriptCase.fenced.indices)
    func aCallerWhoIsNotTheOwnerOrNotUpToDate(_ index: Int) async throws {
        let (one, proofs) = ScriptCase.fenced[index]
        try await ScriptServer.with { server in
            try await one.prepare(server)
            let before = try await server.dump()
            for proof in proofs {
                for wrong in ["", "0x", "7"] {
                    var call = one
                    call.arguments[proof.index] = wrong
                    let answer = try await call.call(server)
                    #expect(answer == [proof.status], "ARGV[\(proof.index + 1)] '\(wrong)'")
                    let after = try await server.dump()
                    #expect(after == before, "ARGV[\(proof.index + 1)] '\(wrong)'")
                }
            }
        }
    }

    @Test func aLogOfAnotherLength() async throws {
        try await ScriptServer.with { server in
            try await ScriptCase.commit.prepare(server)
            let before = try await server.dump()
            for (saga, length) in [("new", 1), ("old", 0), ("old", 1), ("old", 3)] {
                for place in 0...1 {
                    var call = CommitCall()
                    call.changes = [.init("other", entries: ["x"], alarm: "at", instant: "1")]
                    call.changes.insert(.init(saga, length: length, entries: ["y"], alarm: "never"), at: place)
                    call.commands = [("a", ["n", "1"])]
                    call.outcomes = [["n", "1"]]
                    call.dead = [.init(Key.intake, "1-0")]
                    let answer = try await server.call(SagaScripts.partitionCommit, call.keys, call.arguments)
                    #expect(answer == ["log", saga])
                    let after = try await server.dump()
                    #expect(after == before, "\(saga) \(length)")
                }
            }
        }
    }

    /// Participants may write to the dead letters, so their ids can be used up on purpose.
    @Test func deadLettersWhoseIDsAreUsedUp() async throws {
        try await ScriptServer.with { server in
            try await ScriptCase.commit.prepare(server)
            try await server.send("XADD", Key.dead, "18446744073709551615-18446744073709551615", "n", "1")
            let before = try await server.dump()
            let error = await #expect(throws: RedisError.self) { _ = try await ScriptCase.commit.call(server) }
            #expect(error?.message.contains("exhausted the last possible ID") == true)
            let after = try await server.dump()
            #expect(after == before)
        }
    }

    @Test(arguments: ScriptCase.all)
    func anEmptyServer(_ one: ScriptCase) async throws {
        try await ScriptServer.with { server in
            let answer = try await one.call(server)
            switch one.script.name {
            case "namespace_open": #expect(answer == one.arguments)
            case "definition_register": #expect(answer == ["registered"])
            case "namespace_announce": return #expect(answer.first == "ok")
            case "partition_create": #expect(answer == ["created"])
            case "member_beat": #expect(answer == ["ok", "i1", "0", "60000", "present", "3", "-", "ann"])
            case "partition_look": #expect(answer == ["free"])
            case "inbox_peek": #expect(answer == [""])
            case "partition_take": #expect(answer.prefix(3) == ["taken", "1", "0"])
            case "partition_renew", "partition_release": #expect(answer == ["lost"])
            default: #expect(answer == ["fenced"])
            }
            guard !(answer.first.map { ["4", "registered", "created", "taken", "ok"].contains($0) } ?? false) else {
                return
            }
            #expect(try await server.dump().isEmpty)
        }
    }

    @Test(arguments: ScriptCase.all)
    func aRepeatedCallChangesNothingMore(_ one: ScriptCase) async throws {
        try await ScriptServer.with { server in
            try await one.prepare(server)
            let first = try await one.call(server)
            let before = try await server.dump()
            let second = try await one.call(server)
            let after = try await server.dump()
            switch one.script.name {
            case "partition_commit", "partition_settle", "partition_raise":
                #expect(second == ["sequence"])
            case "partition_release":
                #expect(second == ["lost"])
            case "partition_trim", "partition_retire", "consumer_remove", "namespace_announce":
                #expect(second.first == "ok")
            case "partition_renew", "member_beat":
                // Extends the lease again, and shows another sign of life.
                #expect(second == first)
                return #expect(Set(after.keys) == Set(before.keys))
            case "partition_create":
                #expect(second == ["exists"])
            case "partition_take":
                // Not under the same owner's name: its lease runs.
                #expect(second.prefix(2) == ["held", "ann"])
            default:
                #expect(second == first)
            }
            #expect(after == before)
        }
    }
}
