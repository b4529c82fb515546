import SagaScripts
import Testing

@Suite struct NamespaceTests {
    @Test func theFirstCallerFixesTheNamespace() async throws {
        try await ScriptServer.with { server in
            let first = try await server.call(SagaScripts.namespaceOpen, [Key.meta], ["4", "1", "abc"])
            let second = try await server.call(SagaScripts.namespaceOpen, [Key.meta], ["8", "2", "def"])
            #expect(first == ["4", "1", "abc"])
            #expect(second == first)
            #expect(try await server.hash(Key.meta) == ["partitions": "4", "protocol": "1", "incarnation": "abc"])
        }
    }

    @Test func aRegisteredVersionNeverChanges() async throws {
        try await ScriptServer.with { server in
            let (script, keys) = (SagaScripts.definitionRegister, [Key.definitions])
            let first = try await server.call(script, keys, ["a@1", "{}"])
            #expect(first == ["registered"])
            #expect(try await server.call(script, keys, ["a@1", "{}"]) == ["registered"])
            #expect(try await server.call(script, keys, ["a@1", "{ }"]) == ["conflict"])
            #expect(try await server.call(script, keys, ["a@2", "{ }"]) == ["registered"])
            #expect(try await server.hash(Key.definitions) == ["a@1": "{}", "a@2": "{ }"])
        }
    }

    @Test func peekingFindsTheNextEntry() async throws {
        try await ScriptServer.with { server in
            for id in 1...3 { try await server.send("XADD", Key.intake, "\(id)-\(id)", "n", "1") }
            for (position, next) in [("0-0", "1-1"), ("1-1", "2-2"), ("1-2", "2-2"), ("3-2", "3-3"), ("3-3", "")] {
                #expect(try await server.call(SagaScripts.inboxPeek, [Key.intake], [position]) == [next])
            }
        }
    }
}
