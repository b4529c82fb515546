import SagaScripts
import Testing

@Suite struct TrimTests {
    private static let keys = [
        Key.state, Key.reply, Key.control, Key.intake, Key.outcome, Key.command("a"), Key.command("b"),
        Key.event("A"), Key.event("B"),
    ]

    /// A partition with an owner, ten commands for each of two services, ten events of each of two topics, and ten entries
    /// in every other stream.
    private func with(_ body: (ScriptServer) async throws -> Void) async throws {
        try await ScriptServer.with { server in
            try await server.occupy()
            for key in Self.keys.dropFirst() {
                for id in 1...10 { try await server.send("XADD", key, "\(id)-0", "n", "\(id)") }
            }
            try await body(server)
        }
    }

    private func trim(
        _ server: ScriptServer, outcomes: String = "0-0", events: String = "0-0", triggers: [String] = ["", ""]
    ) async throws {
        let answer = try await server.call(
            SagaScripts.partitionTrim, Self.keys, ["o1", "1", outcomes, events, "2", "a", "b"] + triggers)
        #expect(answer.first == "ok")
    }

    private func left(_ server: ScriptServer, _ key: String) async throws -> [Int] {
        try await server.stream(key).compactMap { $0.id.split(separator: "-").first.flatMap { Int($0) } }
    }

    private func read(_ server: ScriptServer, _ service: String, as consumer: String, _ count: Int) async throws {
        try await server.send(
            "XREADGROUP", "GROUP", service, consumer, "COUNT", "\(count)", "STREAMS", Key.command(service), ">")
    }

    @Test func commandsThatAreUndeliveredOrPendingStay() async throws {
        try await with { server in
            let key = Key.command("a")
            try await server.send("XGROUP", "CREATE", key, "a", "0")
            try await trim(server)
            #expect(try await left(server, key) == Array(1...10), "undelivered")
            try await read(server, "a", as: "one", 4)
            try await trim(server)
            #expect(try await left(server, key) == Array(1...10), "pending")
            try await server.send("XACK", key, "a", "2-0", "3-0")
            try await trim(server)
            #expect(try await left(server, key) == Array(1...10), "the oldest is pending")
            try await server.send("XACK", key, "a", "1-0")
            try await trim(server)
            #expect(try await left(server, key) == Array(4...10), "4 is pending, 5 undelivered")
            try await server.send("XACK", key, "a", "4-0")
            try await trim(server)
            #expect(try await left(server, key) == Array(4...10), "the last delivered one stays")
            try await read(server, "a", as: "one", 10)
            try await server.send("XACK", [key, "a"] + (5...10).map { "\($0)-0" })
            try await trim(server)
            #expect(try await left(server, key) == [10])
            // What comes now is delivered.
            try await server.send("XADD", key, "11-0", "n", "11")
            try await trim(server)
            #expect(try await left(server, key) == [10, 11])
        }
    }

    @Test func whatADeadConsumerHoldsStays() async throws {
        try await with { server in
            let key = Key.command("a")
            try await server.send("XGROUP", "CREATE", key, "a", "0")
            try await read(server, "a", as: "dead", 3)
            try await read(server, "a", as: "alive", 7)
            try await server.send("XACK", [key, "a", "1-0"] + (4...10).map { "\($0)-0" })
            try await trim(server)
            #expect(try await left(server, key) == Array(2...10))
        }
    }

    @Test func aPendingCommandThatIsDeletedDoesNotMatter() async throws {
        try await with { server in
            let key = Key.command("a")
            try await server.send("XGROUP", "CREATE", key, "a", "0")
            try await read(server, "a", as: "one", 5)
            try await server.send("XDEL", key, "1-0")
            try await trim(server)
            #expect(try await left(server, key) == Array(2...10))
        }
    }

    @Test func withoutTheServicesGroupNothingIsTrimmed() async throws {
        try await with { server in
            try await server.send("XGROUP", "CREATE", Key.command("a"), "somebody", "$")
            try await server.send("DEL", Key.command("b"))
            try await trim(server)
            #expect(try await left(server, Key.command("a")) == Array(1...10))
            #expect(try await server.dump()[Key.command("b")] == nil, "a stream that isn't there is not made")
        }
    }

    @Test func theInboxIsTrimmedBelowWhatIsAppliedHere() async throws {
        try await with { server in
            try await trim(server)
            for key in [Key.reply, Key.control, Key.intake] {
                #expect(try await left(server, key) == Array(1...10), "nothing is applied yet")
            }
            var call = CommitCall()
            call.positions = ["4-0", "0-0", "10-0"]
            #expect(try await server.call(SagaScripts.partitionCommit, call.keys, call.arguments).first == "ok")
            try await trim(server)
            #expect(try await left(server, Key.reply) == Array(4...10))
            #expect(try await left(server, Key.control) == Array(1...10))
            #expect(try await left(server, Key.intake) == [10])
        }
    }

    /// After a restart from an older dump the former owner still passes for the owner, and remembers positions that
    /// nobody has applied: its trim must not remove what is between.
    @Test func afterARewindTheInboxIsTrimmedByWhatTheServerKnows() async throws {
        try await with { server in
            var call = CommitCall()
            call.positions = ["9-0", "9-0", "9-0"]
            #expect(try await server.call(SagaScripts.partitionCommit, call.keys, call.arguments).first == "ok")
            try await server.send("HSET", Key.state, "sequence", "0", "reply", "2-0", "control", "2-0", "intake", "2-0")
            try await trim(server)
            for key in [Key.reply, Key.control, Key.intake] {
                #expect(try await left(server, key) == Array(2...10))
            }
        }
    }

    @Test func outcomesGoByTheirAge() async throws {
        try await with { server in
            try await trim(server, outcomes: "3-0")
            #expect(try await left(server, Key.outcome) == Array(3...10))
        }
    }

    @Test func anotherServicesBoundDoesNotCount() async throws {
        try await with { server in
            for service in ["a", "b"] {
                try await server.send("XGROUP", "CREATE", Key.command(service), service, "0")
                try await read(server, service, as: "one", 10)
            }
            try await server.send("XACK", [Key.command("a"), "a"] + (1...10).map { "\($0)-0" })
            try await trim(server)
            #expect(try await left(server, Key.command("a")) == [10])
            #expect(try await left(server, Key.command("b")) == Array(1...10))
        }
    }
}
