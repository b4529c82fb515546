import RedisTransport
import SagaCore
import TestSupport

/// JSON of any kind.
struct JSONTarget: FuzzTarget {
    static let name = "json"

    mutating func attempt(_ random: inout SeededRandom) throws(Flaw) -> Bool {
        let input = HostileJSON.make(&random)
        guard let value = try? JSON.parse(input) else { return false }
        var writer = JSONWriter()
        writer.value(value)
        guard (try? JSON.parse(writer.bytes)) == value else {
            throw Flaw("what was read and is written reads the same", input)
        }
        var payload = JSONWriter()
        payload.payload(input)
        guard (try? JSON.parse(payload.bytes)) != nil else { throw Flaw("a payload is shown as JSON", input) }
        _ = (value.integer, value.double, value["a"], value[0])
        return true
    }
}

enum HostileJSON {
    static let mutator = Mutator([
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0000", "\\ud83d\\ude00", "\\ud800", "\"a\"", "\"items\"", "1.5",
        "true", "false", "null", " ", "\t", "\n", "[[[[[[[[", #"{"a":{"a":"#, "-", "e", "E+",
    ])

    private static let samples = [
        #"{"a":1,"b":[1,{"c":"x"}],"total":"7","0":"é","items":[{"id":1},{"id":2}]}"#, "[]", "{}", "7", #""text""#,
        "null", "[[1],[2,[3]]]", #"{"total":12.5,"a b":{"\n":[true,false]},"é":-1e-7}"#, #"{"a":{"a":{"a":[0]}}}"#,
        #"[1,2,3,"2026-11-24T10:00:00Z","1700000000000"]"#,
    ].map { Array($0.utf8) }

    static func make(_ random: inout SeededRandom) -> [UInt8] {
        if random.chance(0.01) {
            // Deeper than anything that is read.
            let depth = Int.random(in: 1...2_000, using: &random)
            let (open, close) = random.pick([("[", "]"), (#"{"a":"#, "}")])
            return Array((String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)).utf8)
        }
        let sample = random.pick(samples)
        return random.chance(0.1) ? sample : mutator.spoil(sample, random.pick(samples), &random)
    }
}

/// Conditions, lists and timers on payloads that say anything.
struct ConditionTarget: FuzzTarget {
    static let name = "condition"

    private let definitions: [Definition]
    private let paths = Mutator(["input", "result", ".", "..", "items", "0", "-1", "00", "input.", "result.a"])

    init() {
        var definitions: [Definition] = []
        for seed in 0..<400 as Range<UInt64> {
            var conditions = RandomConditions(random: SeededRandom(seed: seed), steps: ["a"])
            let when = conditions.condition()
            let path = conditions.path()
            var last = StepDraft(name: "c", service: "v", action: "x", when: conditions.condition(), after: ["a", "b"])
            last.forEach = ForEach(path, parallel: 2)
            let steps = [
                StepDraft(name: "a", service: "v", action: "x", compensation: .operation("u"), after: []),
                seed % 2 == 0
                    ? StepDraft(name: "b", delay: 5, after: ["a"])
                    : StepDraft(name: "b", until: .path(ValuePath(.result("a"), path.keys)), after: ["a"]),
                last, StepDraft(name: "d", service: "v", action: "x", when: when, after: ["a"]),
            ]
            // A draft that breaks a rule makes no sample.
            if let definition = try? Definition(validating: DefinitionDraft(name: "d", version: 1, steps: steps)) {
                definitions.append(definition)
            }
        }
        precondition(definitions.count > 100, "most drafts keep the rules, not \(definitions.count)")
        self.definitions = definitions
    }

    mutating func attempt(_ random: inout SeededRandom) throws(Flaw) -> Bool {
        let text = paths.spoil(Array("result.a.items.0".utf8), Array("input.total".utf8), &random)
        if let path = ValuePath(String(decoding: text, as: UTF8.self)), ValuePath(path.description) != path {
            throw Flaw("a path that was read and is written reads the same", text)
        }
        let (input, result) = (HostileJSON.make(&random), HostileJSON.make(&random))
        var directives: [Directive] = []
        let started = Started(definition: "d", version: 1, era: 1, input: input)
        var saga = Saga(id: "s", definition: random.pick(definitions), started: started, at: 1, directives: &directives)
        let reply = Reply(step: "a", phase: .action, attempt: 1, outcome: .succeeded, result: result)
        guard case .accept(let fact) = saga.decide(.reply(reply), at: 2) else {
            throw Flaw("the answer counts", result)
        }
        saga.evolve(LogEntry(index: 1, at: 2, fact: fact), directives: &directives)
        if let alarm = saga.nextAlarm, case .accept(let fact) = saga.decide(.tick, at: alarm) {
            saga.evolve(LogEntry(index: 2, at: alarm, fact: fact), directives: &directives)
        }
        return !saga.isCompensating
    }
}

/// The addresses of servers.
struct URLTarget: FuzzTarget {
    static let name = "url"

    private let mutator = Mutator([
        "redis://", "rediss://", "unix://", "redis-sentinel://", "redis-cluster://", "@", ":", "/", "?", "db=", "%",
        "%00",
        "%zz", "[::1]", "#", ",", "127.0.0.1", ":99999", "//", "tls=", "&",
    ])
    private let samples = [
        "redis://ann:secret@127.0.0.1:6379/3", "redis://:p%40ss@[::1]:6380", "unix:///run/redis.sock?db=2", "redis://h",
        "rediss://ann:secret@h:1", "redis-sentinel://a:1,b:2/main", "redis-cluster://a:1,b:2", "unix://u:p@/a/b",
    ].map { Array($0.utf8) }

    mutating func attempt(_ random: inout SeededRandom) throws(Flaw) -> Bool {
        var input = random.pick(samples)
        if !random.chance(0.05) { input = mutator.spoil(input, random.pick(samples), &random) }
        let endpoint: RedisEndpoint
        do throws(RedisURLError) {
            endpoint = try RedisEndpoint(url: String(decoding: input, as: UTF8.self))
        } catch {
            guard !error.message.isEmpty, !error.message.contains("\n") else {
                throw Flaw("who is refused is told why, in one line", input)
            }
            return false
        }
        if endpoint.password == "secret", endpoint.redacted.contains("secret") {
            let others = [endpoint.username ?? "", "\(endpoint.address)"]
            guard others.contains(where: { $0.contains("secret") }) else { throw Flaw("no password is shown", input) }
        }
        return true
    }
}
