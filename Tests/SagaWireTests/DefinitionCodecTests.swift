import SagaCore
import SagaWire
import TestSupport
import Testing

struct DefinitionCodecTests {
    private func text(_ definition: Definition) -> String { String(decoding: definition.canonicalJSON, as: UTF8.self) }

    /// Registered definitions are compared by these bytes: whoever changes them refuses what is registered already.
    @Test func theBytesNeverChange() throws {
        let definition = try Definition("order", version: 2, deadline: .seconds(900)) {
            StepDraft("create", service: "orders", action: "create").compensated(by: "cancel")
            StepDraft("note", service: "crm", action: "note").withoutCompensation().after("create")
            StepDraft("look", service: "crm", action: "look").after("create").timeout(.milliseconds(1500))
            StepDraft("charge", service: "payments", action: "charge").after("look", "note").uses("create").pivot()
        }
        let forward = #"{"attempts":10,"initial":"200ms","factor":2,"max":"30s","jitter":0.2}"#
        let expected = [
            #"{"name":"order","version":2,"deadline":"15m","durability":"replicated","#,
            #""compensation":{"order":"reverse","whenStuck":"continue"},"steps":["#,
            #"{"name":"create","service":"orders","action":"create","compensation":"cancel","timeout":"30s","#,
            #""retry":\#(forward),"#,
            #""compensationRetry":{"attempts":0,"initial":"500ms","factor":2,"max":"5m","jitter":0.2},"#,
            #""after":[],"uses":[]},"#,
            #"{"name":"note","service":"crm","action":"note","compensation":null,"timeout":"30s","#,
            #""retry":\#(forward),"after":["create"],"uses":[]},"#,
            #"{"name":"look","service":"crm","action":"look","timeout":"1500ms","#,
            #""retry":\#(forward),"after":["create"],"uses":[]},"#,
            #"{"name":"charge","service":"payments","action":"charge","timeout":"30s","#,
            #""retry":{"attempts":0,"initial":"200ms","factor":2,"max":"30s","jitter":0.2},"#,
            #""after":["note","look"],"uses":["create"],"pivot":true}]}"#,
        ]
        #expect(text(definition) == expected.joined())
        #expect(try Definition.decode(canonical: definition.canonicalJSON) == definition)
    }

    /// As above, for what only some definitions have.
    @Test func theBytesOfWhatIsSeldomNeverChange() throws {
        let definition = try Definition(
            "trip", version: 1, retention: .seconds(3600), trigger: EventTrigger(event: "Booked", isPerEvent: true)
        ) {
            StepDraft("a", service: "s", action: "do").withoutCompensation().forEach("input.items").noRetry(on: "x")
                .stop(on: "y", "timeout").emits(succeeded: "Done")
            StepDraft("b", saga: "c", inputFrom: "a")
                .when(
                    Condition("input.n", .atLeast(1), .isOneOf([1.5, .null]))
                        || !Condition("result.a.0", .hasPrefix("é\"")))
            StepDraft("c", until: "1970-01-01T00:00:01Z").emits(failed: "Late")
            StepDraft("e", until: "result.a.at").after("a")
            StepDraft("f", service: "s", action: "do").compensated(by: "undo").compensate(on: "z").after()
        }
        let expected = [
            #"{"name":"trip","version":1,"durability":"async","#,
            #""compensation":{"order":"reverse","whenStuck":"continue"},"retention":"1h","#,
            #""trigger":{"event":"Booked","each":"event"},"steps":["#,
            #"{"name":"a","service":"s","action":"do","forEach":{"items":"input.items","parallel":10},"#,
            #""emits":{"succeeded":"Done"},"compensation":null,"timeout":"30s","#,
            #""retry":{"attempts":10,"initial":"200ms","factor":2,"max":"30s","jitter":0.2},"#,
            #""noRetry":["x"],"stopOn":["y","timeout"],"after":[],"uses":[]},"#,
            #"{"name":"b","saga":"c","inputFrom":"a","when":{"or":[{"and":[{"path":"input.n","atLeast":1},"#,
            #"{"path":"input.n","in":[1.5,null]}]},{"not":{"path":"result.a.0","prefix":"é\""}}]},"after":["a"]},"#,
            #"{"name":"c","until":1000,"emits":{"failed":"Late"},"after":["b"]},"#,
            #"{"name":"e","until":"result.a.at","after":["a"]},"#,
            #"{"name":"f","service":"s","action":"do","compensation":"undo","timeout":"30s","#,
            #""retry":{"attempts":10,"initial":"200ms","factor":2,"max":"30s","jitter":0.2},"#,
            #""compensationRetry":{"attempts":0,"initial":"500ms","factor":2,"max":"5m","jitter":0.2},"#,
            #""compensateOn":["z"],"after":[],"uses":[]}]}"#,
        ]
        #expect(text(definition) == expected.joined())
        #expect(try Definition.decode(canonical: definition.canonicalJSON) == definition)
    }

    @Test func theOrderOfTheTestsOfOnePathDoesNotMatter() throws {
        let bytes = try ["atLeast: 1, lessThan: 9", "lessThan: 9, atLeast: 1"].map { tests in
            let text = "{name: d, version: 1, steps: [{name: a, delay: 1s, when: {path: input.n, \(tests)}}]}"
            return try DefinitionFile.parse(Array(text.utf8), name: "d.yaml")[0].canonicalJSON
        }
        #expect(bytes[0] == bytes[1])
    }

    @Test func whatMeansTheSameHasTheSameBytes() throws {
        let long = """
            # with every default written out, in another order, in other words
            steps:
              - {action: do, service: s, name: a, timeout: 30000ms, after: [], uses: [],
                 retry: {jitter: 0.20, max: 30000ms, factor: 2.0, initial: 200ms, attempts: 10}, pivot: false}
            compensation: {whenStuck: continue, order: reverse}
            durability: async
            version: 1
            name: d
            """
        let short = "name: d\nversion: 1\nsteps: [{name: a, service: s, action: do}]"
        let bytes = try [long, short].map {
            try DefinitionFile.parse(Array($0.utf8), name: "d.yaml")[0].canonicalJSON
        }
        #expect(bytes[0] == bytes[1])
    }

    @Test func storedBytesThatAreNoDefinitionAreRefused() {
        #expect {
            try Definition.decode(canonical: Array("{\"name\":\"d\",\"version\":1,\"later\":true,\"steps\":[]}".utf8))
        } throws: {
            "\($0)".hasPrefix("stored definition:1:25: unknown key 'later'")
        }
        #expect(throws: DefinitionFileFaults.self) { try Definition.decode(canonical: []) }
    }

    @Test func theLargestDefinitionRoundTrips() throws {
        let name = String(repeating: "x", count: 60)
        let names = (0..<100).map { "\(name)\($0)" }
        let codes = (0..<32).map { String(repeating: "\"", count: 60) + "\($0)" }
        let steps = names.indices.map { index in
            StepDraft(
                name: names[index], service: name, action: name,
                when: .test(ValuePath(.input), .equals(.string(String(repeating: "\u{1}", count: 2_729)))),
                forEach: ForEach(ValuePath(.input, [String(repeating: "\u{1}", count: 1_018)])),
                emits: Emits(succeeded: name, failed: name), noRetry: codes, stopOn: codes,
                after: Array(names[..<index]), uses: Array(names[..<index]))
        }
        let definition = try Definition(validating: DefinitionDraft(name: name, version: 1, steps: steps))
        #expect(try Definition.decode(canonical: definition.canonicalJSON) == definition)
    }

    /// The canonical JSON is YAML too, so the two readers must agree on it.
    @Test func randomDefinitionsRoundTripThroughBothReaders() {
        let seed = SeededRandom.pickSeed()
        var definitions = RandomDefinitions(seed: seed)
        for round in 0..<60 {
            let draft = definitions.draft()
            let comment: Comment = "SKALD_TEST_SEED=\(seed), round \(round)"
            do {
                let definition = try Definition(validating: draft)
                let bytes = definition.canonicalJSON
                #expect(try Definition.decode(canonical: bytes) == definition, comment)
                #expect(try DefinitionFile.parse(bytes, name: "d", format: .yaml) == [definition], comment)
            } catch {
                Issue.record(error, comment)
            }
        }
    }

    @Test func mutatedFilesNeverTrapAndAreRefusedOrRoundTrip() {
        let seed = SeededRandom.pickSeed()
        var definitions = RandomDefinitions(seed: seed)
        var accepted = 0
        let alphabet = Array("{}[],:\"'- \n#&*?!|>%@\\0123456789smhd\u{e9}\t".utf8)
        for round in 0..<300 {
            var draft = definitions.draft()
            draft.steps = Array(draft.steps.prefix(3))
            // A definition that lost its later steps may keep the rules or not; either will do here.
            guard let definition = try? Definition(validating: draft) else { continue }
            let text = definitions.random.pick([definition.canonicalJSON, Array(DefinitionFileTests.order.utf8)])
            let bytes = definitions.random.mutated(text, alphabet: alphabet)
            for format in [DefinitionFile.Format.json, .yaml] {
                do throws(DefinitionFileFaults) {
                    for read in try DefinitionFile.parse(bytes, name: "d", format: format) {
                        accepted += 1
                        #expect(
                            try Definition.decode(canonical: read.canonicalJSON) == read,
                            "SKALD_TEST_SEED=\(seed), round \(round)")
                    }
                } catch {
                    #expect(!error.faults.isEmpty)
                }
            }
        }
        #expect(accepted > 0, "SKALD_TEST_SEED=\(seed)")
    }
}
