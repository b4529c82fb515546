import RedisTransport
import SagaScripts
import Testing

/// Heartbeats, by the script's own words.
@Suite struct MemberTests {
    private func beat(
        _ server: ScriptServer, _ instance: String, _ phase: String = "present", lease: Int = 60_000,
        name: String = "ann"
    ) async throws -> [String] {
        try await server.call(
            SagaScripts.memberBeat, [Key.members], [instance, phase, "\(lease)", "3", "7", name])
    }

    /// The instances of an answer.
    private func instances(_ answer: [String]) -> Set<String> {
        Set(stride(from: 1, to: answer.count, by: 7).map { answer[$0] })
    }

    @Test func aMemberIsToldOfAllOthers() async throws {
        try await ScriptServer.with { server in
            #expect(
                try await beat(server, "i1", name: "a  b") == ["ok", "i1", "0", "60000", "present", "3", "7", "a  b"])
            let answer = try await beat(server, "i2")
            #expect(instances(answer) == ["i1", "i2"])
            let first = Array(answer[1..<8])
            #expect(first[0] == "i1" && Array(first[2...]) == ["60000", "present", "3", "7", "a  b"])
            #expect((0..<10_000).contains(Int(first[1]) ?? -1), "its age")
        }
    }

    @Test func aMemberThatIsSilentForALeaseDoesNotCountAndIsLaterForgotten() async throws {
        try await ScriptServer.with { server in
            let now = (Int(try await server.send("TIME")[0].string ?? "") ?? 0) * 1_000
            for (instance, age) in [("young", 30), ("old", 90), ("ancient", 2_100), ("future", -90), ("soon", -30)] {
                try await server.send(
                    "HSET", Key.members, instance, "\(now - age * 1_000) 60000 present 1 - \(instance)")
            }
            try await server.send("HSET", Key.members, "odd", "what is this")
            #expect(instances(try await beat(server, "i1")) == ["i1", "young", "soon"])
            #expect(Set(try await server.hash(Key.members).keys) == ["i1", "young", "soon", "old"])
        }
    }

    @Test func aProcessThatIsStartedAgainIsOneMember() async throws {
        try await ScriptServer.with { server in
            _ = try await beat(server, "i1")
            _ = try await beat(server, "other", name: "bob")
            #expect(instances(try await beat(server, "i2", "joining")) == ["i2", "other"])
            // Two that run at the same time are two again.
            #expect(instances(try await beat(server, "i1")) == ["i1", "i2", "other"])
            #expect(instances(try await beat(server, "i2")) == ["i1", "i2", "other"])
        }
    }

    @Test func whoeverSaysGoodbyeIsForgotten() async throws {
        try await ScriptServer.with { server in
            _ = try await beat(server, "i1")
            _ = try await beat(server, "i2", "leaving")
            #expect(instances(try await beat(server, "i1")) == ["i1", "i2"])
            #expect(instances(try await beat(server, "i2", "gone")) == ["i1"])
            #expect(instances(try await beat(server, "i2", "gone")) == ["i1"])
            #expect(Set(try await server.hash(Key.members).keys) == ["i1"])
        }
    }
}
