import SagaCore
import SagaWire
import TestSupport

/// A stored entry.
struct LogTarget: FuzzTarget {
    static let name = "entry"

    private let sagas = SagaSamples(count: 200)
    private let mutator = LogTarget.mutator

    static let mutator = Mutator([
        #""i":"#, #""at":"#, #""type":"#, "\"started\"", "\"reply\"", "\"beat\"", "\"tick\"", "\"order\"", "\"signal\"",
        "\"rewind\"", "\"child\"", "\"recall\"", "\"tombstone\"", #""step":"s0""#, #""item":0"#, #""era":9"#, "{", "}",
        #""labels":{"a":1}"#, "\n", ",", "\"", "\\u0000", "\\ud800", "[", #""phase":"compensation""#, #""attempt":2"#,
    ])

    mutating func attempt(_ random: inout SeededRandom) throws(Flaw) -> Bool {
        let sample = random.pick(sagas.samples)
        let place = Int.random(in: sample.log.indices, using: &random)
        var input = sample.log[place]
        let isWhole = random.chance(0.1)
        if !isWhole { input = mutator.spoil(input, random.pick(sample.log), &random) }
        let entry = try? LogCodec.decode(input)
        if isWhole, entry != sample.facts[place] { throw Flaw("an entry reads as it was written", input) }
        if let entry, (try? LogCodec.decode(LogCodec.encode(entry))) != entry {
            throw Flaw("what was read and is written reads the same", input)
        }
        _ = try? LogCodec.decode(head: input)
        _ = try? LogCodec.instant(of: input)
        return entry != nil
    }
}

/// A whole stored log, replayed into the machine: entries are lost, doubled, moved, foreign and spoilt.
struct ReplayTarget: FuzzTarget {
    static let name = "log"

    private let sagas = SagaSamples(count: 200)

    mutating func attempt(_ random: inout SeededRandom) throws(Flaw) -> Bool {
        let sample = random.pick(sagas.samples)
        var log = sample.log
        let isWhole = random.chance(0.1)
        if !isWhole {
            for _ in 0..<Int.random(in: 1...3, using: &random) { spoil(&log, &random) }
        }
        let replayed: SagaLog.Replayed
        do throws(LogFault) {
            replayed = try SagaLog.replay(log, of: sample.saga.id, definition: sagas.definition)
        } catch {
            if isWhole { throw Flaw("a log is replayed: \(error)", Array(log.joined(separator: [10]))) }
            return false
        }
        guard case .saga(var saga) = replayed else { return false }
        if isWhole, saga != sample.saga { throw Flaw("a log replays to its saga", Array(log.joined(separator: [10]))) }
        // It goes on from wherever it is.
        var directives: [Directive] = []
        for _ in 0..<3 {
            let now = saga.startedAt.addingReportingOverflow(100_000)
            let event = SagaSamples.event(for: saga, &random)
            guard case .accept(let fact) = saga.decide(event, at: now.partialValue) else { continue }
            saga.evolve(LogEntry(index: saga.entryCount, at: now.partialValue, fact: fact), directives: &directives)
        }
        _ = saga.nextAlarm
        return true
    }

    private func spoil(_ log: inout [[UInt8]], _ random: inout SeededRandom) {
        guard !log.isEmpty else { return }
        let (place, other) = (Int.random(in: log.indices, using: &random), Int.random(in: log.indices, using: &random))
        switch Int.random(in: 0..<7, using: &random) {
        case 0: log.remove(at: place)
        case 1: log.insert(log[place], at: other)
        case 2: log.swapAt(place, other)
        case 3: log[place] = random.pick(random.pick(sagas.samples).log)
        case 4: retell(&log, place, &random)
        default: log[place] = LogTarget.mutator.spoil(log[place], log[other], &random)
        }
    }

    /// An entry of the right form whose index follows, and whose fact nobody would have decided on there.
    private func retell(_ log: inout [[UInt8]], _ place: Int, _ random: inout SeededRandom) {
        let source = random.pick(random.pick(sagas.samples).facts)
        var entry = LogEntry(index: place, at: source.at, fact: source.fact)
        if random.chance(0.2) { entry.at = random.pick([0, -1, .max, .min, 1]) }
        log[place] = LogCodec.encode(entry)
    }
}
