import SagaScripts
import Testing

/// Events stay as long as anybody needs them.
@Suite struct EventTrimTests {
    private static let topic = Key.event("A")

    /// A partition with an owner and ten events of a topic.
    private func with(_ body: (ScriptServer) async throws -> Void) async throws {
        try await ScriptServer.with { server in
            try await server.occupy()
            for id in 1...10 { try await server.send("XADD", Self.topic, "\(id)-0", "n", "\(id)") }
            try await body(server)
        }
    }

    /// Trims, and returns what is left; `trigger` says whether the owner reads the topic, too.
    private func trim(_ server: ScriptServer, olderThan events: String = "99-0", trigger: Bool) async throws -> [String]
    {
        let keys = [Key.state, Key.reply, Key.control, Key.intake, Key.outcome, Self.topic]
        let answer = try await server.call(
            SagaScripts.partitionTrim, keys, ["o1", "1", "0-0", events, "0", trigger ? "event:A" : ""])
        #expect(answer.first == "ok")
        return try await server.stream(Self.topic).map(\.id)
    }

    private func ids(_ numbers: ClosedRange<Int>) -> [String] { numbers.map { "\($0)-0" } }

    private func group(_ name: String, at id: String, _ server: ScriptServer) async throws {
        try await server.send("XGROUP", "CREATE", Self.topic, name, id)
    }

    private func read(_ count: Int, as group: String, _ server: ScriptServer) async throws {
        try await server.send("XREADGROUP", "GROUP", group, "c", "COUNT", "\(count)", "STREAMS", Self.topic, ">")
    }

    @Test func whatNobodyReadsGoesByItsAge() async throws {
        try await with { server in
            let all = try await trim(server, olderThan: "0-0", trigger: false)
            #expect(all == ids(1...10))
            #expect(try await trim(server, olderThan: "4-0", trigger: false) == ids(4...10))
            #expect(try await trim(server, olderThan: "99-0", trigger: false) == [])
        }
    }

    @Test func theOwnersPositionIsABoundWhereItIsOneOfTheReaders() async throws {
        try await with { server in
            #expect(try await trim(server, trigger: true) == ids(1...10), "nothing is read yet")
            try await server.send("HSET", Key.state, "event:A", "3-0")
            #expect(try await trim(server, trigger: true) == ids(3...10))
            #expect(
                try await trim(server, olderThan: "6-0", trigger: false) == ids(6...10), "a trigger that was given up")
        }
    }

    @Test func theSlowestGroupIsTheBound() async throws {
        try await with { server in
            try await group("fast", at: "0", server)
            try await group("slow", at: "0", server)
            #expect(try await trim(server, trigger: false) == ids(1...10), "undelivered")
            try await read(10, as: "fast", server)
            try await server.send("XACK", [Self.topic, "fast"] + ids(1...10))
            #expect(try await trim(server, trigger: false) == ids(1...10), "undelivered to one of them")
            try await read(5, as: "slow", server)
            try await server.send("XACK", [Self.topic, "slow"] + ids(1...2) + ids(4...5))
            #expect(try await trim(server, trigger: false) == ids(3...10), "pending")
            try await server.send("XACK", Self.topic, "slow", "3-0")
            #expect(try await trim(server, trigger: false) == ids(5...10), "the last delivered one stays")
            try await server.send("HSET", Key.state, "event:A", "4-0")
            #expect(try await trim(server, trigger: true) == ids(5...10))
            try await server.send("HSET", Key.state, "event:A", "9-0")
            #expect(try await trim(server, trigger: true) == ids(5...10))
            try await server.send("XGROUP", "DESTROY", Self.topic, "slow")
            #expect(try await trim(server, trigger: true) == ids(9...10))
            #expect(try await trim(server, trigger: false) == ids(10...10))
        }
    }

    /// They are compared number by number, not as text and not as Lua's numbers, which are exact up to 2^53 only.
    @Test func idsAreComparedExactly() async throws {
        let large = "9007199254740993"
        let ascending = [
            "9-0", "9-9", "9-10", "10-0", "\(large)-1", "\(large)-9007199254740992", "\(large)-9007199254740993",
            "18446744073709551614-0",
        ]
        try await ScriptServer.with { server in
            try await server.occupy()
            for id in ascending { try await server.send("XADD", Self.topic, id, "n", "1") }
            for place in ascending.indices.dropLast() {
                try await group("one", at: ascending[place], server)
                try await group("two", at: ascending[place + 1], server)
                #expect(try await trim(server, trigger: false) == Array(ascending[place...]))
                for name in ["one", "two"] { try await server.send("XGROUP", "DESTROY", Self.topic, name) }
            }
        }
    }

    @Test func aTopicThatIsNotThereIsNotMade() async throws {
        try await ScriptServer.with { server in
            try await server.occupy()
            #expect(try await trim(server, trigger: true) == [])
            #expect(try await server.dump()[Self.topic] == nil)
        }
    }
}
