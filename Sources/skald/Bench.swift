import SagaCore
import ArgumentParser
import Foundation
import LocalRedis
import Logging
import RedisTransport
import SagaBench
import SagaWire

/// A load against Redis.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure: three-step sagas with no-op services, over real streams.",
        discussion: """
            Works in a namespace of its own on the configured Redis, which it removes afterwards; --local starts a \
            redis-server (append-only file, fsync everysec) for it. --reference runs a bare mover of the same messages \
            in turn with it (consumer groups and XDEL, a state hash; no log, no timers, no logic), and prints ratios.
            """)

    @OptionGroup var global: GlobalOptions
    @Option(help: "Sagas under way at a time, comma-separated.") var inFlight = "1,128,1024"
    @Option(help: "Sagas of one measurement. Default: 1500 one at a time, 20000 otherwise.") var sagas: Int?
    @Option(help: "Partitions of the benchmark's namespace.") var partitions = 16
    @Option(help: "Bytes of the input and of each result.") var payload = 200
    @Option(help: "Measurements of each kind; the median counts.") var rounds = 3
    @Flag(help: "Measure the reference in turn with it.") var reference = false
    @Flag(help: "Start a redis-server for it.") var local = false

    func run() async throws {
        let counts = inFlight.split(separator: ",").compactMap { Int($0) }
        guard !counts.isEmpty, counts.allSatisfy({ $0 > 0 }), rounds > 0, partitions > 0, payload >= 2 else {
            throw ValidationError("--in-flight, --rounds and --partitions take numbers from 1, --payload from 2")
        }
        guard local else { return try await measure(counts, try global.endpoint) }
        var options = LocalRedisServer.Options()
        options.appendOnly = .everysec
        try await withLocalRedis(options) { redis in try await measure(counts, redis.endpoint) }
    }

    private func measure(_ counts: [Int], _ endpoint: RedisEndpoint) async throws {
        let logger = global.logger()
        if !global.json { print(BenchLine.header) }
        for count in counts {
            var options = BenchOptions(
                endpoint: endpoint, sagas: sagas ?? (count == 1 ? 1_500 : 20_000), inFlight: count,
                partitions: partitions, payloadBytes: payload)
            options.sagas = max(options.sagas, count)
            var own: [BenchResult] = []
            var others: [BenchResult] = []
            do {
                for _ in 0..<rounds {
                    own.append(try await SkaldBench(options, logger: logger).run())
                    if reference { others.append(try await ReferenceBench(options, logger: logger).run()) }
                }
            } catch let error as RedisError {
                throw fail("Redis is out of reach: \(error.message)", .unavailable)
            } catch let error as BenchError {
                throw fail(error.description)
            }
            BenchLine(name: "skald", inFlight: count, results: own).print(json: global.json)
            guard reference else { continue }
            BenchLine(name: "reference", inFlight: count, results: others).print(json: global.json)
            if !global.json { print(ratio(own, others)) }
        }
    }

    /// The median of the ratios of runs that followed each other: the machine's own drift falls out.
    private func ratio(_ own: [BenchResult], _ others: [BenchResult]) -> String {
        let rates = zip(own, others).map { $0.sagasPerSecond / $1.sagasPerSecond }.median
        let times = zip(own, others).map { $0.p50 / $1.p50 }.median
        return String(format: "  ratio to the reference: sagas/s %.2f, p50 %.2f", rates, times)
    }
}

/// The medians of several measurements of one kind.
private struct BenchLine {
    let name: String
    let inFlight: Int
    let results: [BenchResult]

    static let header = "            in flight   sagas/s   steps/s    p50 ms    p99 ms  Redis µs/step  bytes/saga"

    func print(json: Bool) {
        let rate = results.map(\.sagasPerSecond).median
        let steps = results.map(\.stepsPerSecond).median
        let (p50, p99) = (results.map(\.p50).median, results.map(\.p99).median)
        let cpu = results.map(\.redisMicrosecondsPerStep).median
        // The reference keeps a hash a saga and nothing else: its size says nothing.
        let bytes = name == "skald" ? results.compactMap(\.bytesPerSaga).median : nil
        guard json else {
            let text = String(format: "%9ld %9.0f %9.0f %9.2f %9.2f %14.1f", inFlight, rate, steps, p50, p99, cpu)
            return Swift.print(
                name.padding(toLength: 12, withPad: " ", startingAt: 0) + text
                    + (bytes.map { String(format: "%12.0f", $0) } ?? ""))
        }
        printJSON { writer in
            writer.beginObject()
            writer.field("name", name)
            writer.field("inFlight", inFlight)
            writer.field("sagasPerSecond", rate)
            writer.field("stepsPerSecond", steps)
            writer.field("p50Milliseconds", p50)
            writer.field("p99Milliseconds", p99)
            writer.field("redisMicrosecondsPerStep", cpu)
            if let bytes { writer.field("bytesPerSaga", bytes) }
            writer.endObject()
        }
    }
}

extension [Double] {
    fileprivate var median: Double { isEmpty ? 0 : sorted()[count / 2] }
}
