import SagaCore
import SagaProperties
import SagaWire
import TestSupport

/// Sagas under way, with their logs: what messages are about.
struct SagaSamples {
    struct Sample {
        var saga: Saga
        var log: [[UInt8]]
        var facts: [LogEntry]
    }

    /// The same ones on every run.
    let samples: [Sample]
    let definitions: [String: Definition]

    init(count: Int) {
        var samples: [Sample] = []
        var definitions: [String: Definition] = [:]
        for seed in 0..<UInt64(count) {
            var random = SeededRandom(seed: seed)
            // A draft that breaks a rule makes no sample; those of the generators keep them all.
            var draft = SagaCase.random(seed: seed).draft
            draft.name = "d\(seed)"
            guard let definition = try? Definition(validating: draft) else { continue }
            definitions[definition.id] = definition
            samples.append(Self.sample(definition, "s-\(seed)", &random))
        }
        self.samples = samples
        self.definitions = definitions
    }

    func definition(_ name: String, _ version: Int) -> Definition? {
        definitions["\(name)@\(version)"] ?? samples[0].saga.definition
    }

    private static func sample(_ definition: Definition, _ id: String, _ random: inout SeededRandom) -> Sample {
        var now: Milliseconds = 1_700_000_000_000
        let started = Started(
            definition: definition.name, version: definition.version, era: 5, deadline: random.maybe { _ in 60_000 },
            labels: ["a": "b"], input: payload(&random))
        var directives: [Directive] = []
        var saga = Saga(id: id, definition: definition, started: started, at: now, directives: &directives)
        var facts = [LogEntry(index: 0, at: now, fact: .started(started))]
        for _ in 0..<Int.random(in: 0...30, using: &random) {
            now += Int64.random(in: 0...2_000, using: &random)
            guard case .accept(let fact) = saga.decide(event(for: saga, &random), at: now) else { continue }
            let entry = LogEntry(index: saga.entryCount, at: now, fact: fact)
            saga.evolve(entry, directives: &directives)
            facts.append(entry)
        }
        return Sample(saga: saga, log: facts.map(LogCodec.encode), facts: facts)
    }

    static func payload(_ random: inout SeededRandom) -> [UInt8] {
        Array(
            random.pick([
                "{}", "[]", "[1,2,3]", #"{"a":1,"b":[1,{"c":"x"}],"total":"7","items":[{"id":1},{"id":2}]}"#, "", "7",
                #""text""#, "{", #"{"a":1e400}"#, "null",
            ]).utf8)
    }

    /// Something that may happen to a saga.
    static func event(for saga: Saga, _ random: inout SeededRandom) -> Event {
        let index = Int.random(in: saga.definition.steps.indices, using: &random)
        let (step, state) = (saga.definition.steps[index], saga.steps[index])
        let item = state.items.isEmpty ? nil : Int.random(in: 0...state.items.count, using: &random)
        let phase: Phase = random.chance(0.7) ? .action : .compensation
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<12:
            return .reply(
                Reply(
                    step: step.name, item: item, phase: phase, attempt: Int.random(in: 1...2, using: &random),
                    outcome: random.pick([.succeeded, .succeeded, .succeeded, .retry, .failed]),
                    result: random.maybe { payload(&$0) }, code: random.maybe { $0.pick(["a", "no-stock"]) },
                    retryAfter: random.maybe { _ in 10 }))
        case 12: return .heartbeat(step: step.name, item: item, phase: phase, attempt: 1)
        case 13, 14: return .tick
        case 15:
            return .order(
                Order(random.pick(Order.Operation.allCases), step: random.maybe { _ in step.name }, by: "ann"))
        case 16:
            return .signal(Signal(random.pick(["go", "ok"]), id: random.maybe { _ in "1" }, payload: payload(&random)))
        // A spoilt log can have any era.
        case 17: return .rewind(era: saga.era == .max ? .max : saga.era + 1)
        case 18: return .recall(reason: "its parent")
        default:
            return .child(
                ChildReport(
                    step: step.name, outcome: random.pick([.completed, .compensated, .refused]),
                    result: random.maybe { payload(&$0) }))
        }
    }
}
