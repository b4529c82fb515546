import SagaScripts
import Testing

@Suite struct DeadLetterTests {
    /// Commits dead letters about an entry of the intake with these fields, and returns them.
    private func letters(
        of fields: [String], _ dead: (String) -> [CommitCall.Dead]
    ) async throws -> [ScriptServer.Entry] {
        var letters: [ScriptServer.Entry] = []
        try await ScriptServer.with { server in
            try await server.occupy()
            let id = fields.isEmpty ? "7-7" : try await server.add(fields, to: Key.intake)
            var call = CommitCall()
            call.dead = dead(id)
            #expect(try await server.call(SagaScripts.partitionCommit, call.keys, call.arguments).first == "ok")
            letters = try await server.stream(Key.dead)
            #expect(letters.allSatisfy { $0["source"] == Key.intake && $0["id"] == id && Int($0["at"] ?? "") != nil })
        }
        return letters
    }

    /// The fields behind those that every letter has.
    private func copied(_ letter: ScriptServer.Entry) -> [String] {
        let first = letter.fields.firstIndex { $0.hasPrefix("entry.") } ?? letter.fields.count
        return Array(letter.fields[first...])
    }

    @Test func theMessageThatIsMeantIsCopied() async throws {
        let fields = ["type", "start", "saga", "a", "type", "start", "saga", "b", "x", "y", "type", "z"]
        let letters = try await letters(of: fields) { id in
            [2, 0, 1, 3].map { .init(Key.intake, id, message: $0, saga: "s\($0)") }
        }
        #expect(letters.map { $0["message"] } == ["2", "0", "1", "3"])
        #expect(letters.map { $0["saga"] } == ["s2", "s0", "s1", "s3"])
        #expect(
            letters.map(copied) == [
                ["entry.type", "z"], ["entry.type", "start", "entry.saga", "a"],
                ["entry.type", "start", "entry.saga", "b", "entry.x", "y"], [],
            ])
    }

    @Test func whatComesBeforeTheFirstTypeIsAMessageOfItsOwn() async throws {
        let fields = ["saga", "a", "n", "1", "type", "start", "saga", "b"]
        let letters = try await letters(of: fields) { id in
            [.init(Key.intake, id, message: 0), .init(Key.intake, id, message: 1)]
        }
        #expect(
            letters.map(copied) == [["entry.saga", "a", "entry.n", "1"], ["entry.type", "start", "entry.saga", "b"]])
        #expect(letters.allSatisfy { $0["saga"] == nil })
    }

    @Test func longValuesAreCutAndThatIsSaid() async throws {
        let whole = String(repeating: "a", count: 4_096)
        let letters = try await letters(of: ["type", whole, "input", whole + "b", "last", "c"]) { id in
            [.init(Key.intake, id)]
        }
        #expect(
            copied(letters[0]) == [
                "entry.type", whole, "entry.input", whole + "… (cut from 4097 bytes)", "entry.last", "c",
            ])
    }

    @Test func longNamesAreCut() async throws {
        let name = String(repeating: "n", count: 5_000)
        let letters = try await letters(of: ["type", "x", name, "y"]) { id in [.init(Key.intake, id)] }
        #expect(copied(letters[0]) == ["entry.type", "x", "entry." + name.prefix(4_096), "y"])
    }

    @Test func ofVeryManyFieldsTheFirstAreCopied() async throws {
        let fields = ["type", "x"] + (0..<30_000).flatMap { ["f\($0)", "v\($0)"] }
        let letters = try await letters(of: fields) { id in [.init(Key.intake, id)] }
        #expect(copied(letters[0]).count == 512)
        #expect(copied(letters[0]).last == "v254")
    }

    @Test func anEntryThatIsGoneLeavesALetterWithoutIt() async throws {
        let letters = try await letters(of: []) { id in
            [.init(Key.intake, id, reason: "oversized: too large to be read", saga: "a")]
        }
        #expect(letters.count == 1)
        #expect(letters[0]["reason"] == "oversized: too large to be read")
        #expect(letters[0]["saga"] == "a")
        #expect(copied(letters[0]) == [])
    }

    /// One entry can hold a message for every field, each of them junk: the cost must not be the product.
    @Test func manyLettersAboutOneEntryReadItOnce() async throws {
        let count = 10_000
        let fields = (0..<count).flatMap { ["type", "junk\($0)"] }
        let start = ContinuousClock.now
        let letters = try await letters(of: fields) { id in
            (0..<count).map { .init(Key.intake, id, message: $0) }
        }
        // Read once for each letter, the entry would take minutes.
        #expect(ContinuousClock.now - start < .seconds(60))
        #expect(letters.map(copied) == (0..<count).map { ["entry.type", "junk\($0)"] })
    }

    @Test func anEventIsOneMessageWhateverItsFieldsAreCalled() async throws {
        try await ScriptServer.with { server in
            try await server.occupy()
            let fields = ["id", "e", "type", "x", "type", "y"]
            let id = try await server.add(fields, to: Key.event("A"))
            var call = CommitCall()
            call.commands = [("a", ["n", "1"])]
            call.dead = [
                .init(Key.event("A"), id), .init(Key.event("B"), "1-1"), .init(Key.event("A"), id, message: 1),
            ]
            #expect(try await server.call(SagaScripts.partitionCommit, call.keys, call.arguments).first == "ok")
            let letters = try await server.stream(Key.dead)
            #expect(letters.map { $0["source"] } == [Key.event("A"), Key.event("B"), Key.event("A")])
            #expect(letters.map(copied) == [["entry.id", "e", "entry.type", "x", "entry.type", "y"], [], []])
        }
    }
}
