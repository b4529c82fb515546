import CoordinatorSimulator
import SagaCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

do {
    let arguments = try Arguments(CommandLine.arguments.dropFirst())
    switch arguments.mode {
    case .trace: try trace(arguments)
    case .hunt: try await hunt(arguments)
    case .sabotage: try await sabotage(arguments)
    case .survey: try survey(arguments)
    }
} catch let fault as Arguments.Fault {
    fail("\(fault.reason)\n\(Arguments.usage)", code: 64)
}

/// One seed with all that happened.
func trace(_ arguments: Arguments) throws {
    let simulation = try Simulation(seed: arguments.from, safeguards: arguments.safeguards, isTracing: true)
    let result = simulation.run()
    if let saga = result.violation?.saga { print(simulation.definitions(of: saga).joined(separator: "\n")) }
    print(result.trace.joined(separator: "\n"))
    print("seed \(arguments.from): \(result.violation.map { "\($0)" } ?? "nothing wrong"), hash \(result.hash)")
    if result.violation != nil { exit(1) }
}

func hunt(_ arguments: Arguments) async throws {
    let start = ContinuousClock.now
    let regressions = arguments.isComplete ? RegressionSeeds.all.map(\.seed) : []
    let hunt = SimulatorHunt(seeds: regressions + Array(arguments.seeds), safeguards: arguments.safeguards)
    print("simulations of seed \(arguments.from) and the \(arguments.count - 1) after it")
    let (tally, finding) = try await hunt.run()
    if let finding {
        print(try finding.report(safeguards: arguments.safeguards))
        fail("coordinator-simulator --seed \(finding.seed)\(arguments.repetition) repeats it", code: 1)
    }
    print("\(tally.text), \(seconds(since: start)) s")
}

func survey(_ arguments: Arguments) throws {
    let start = ContinuousClock.now
    let hunt = SimulatorHunt(seeds: arguments.seeds, safeguards: arguments.safeguards)
    let tally = try hunt.survey { print("seed \($0.seed): \($0.violation)") }
    print("\(tally.text), \(seconds(since: start)) s")
}

/// Each rule of the simulator's switched off: it must find each of them missing.
func sabotage(_ arguments: Arguments) async throws {
    var missed: [String] = []
    for (name, rule) in Safeguarding.simulated {
        let start = ContinuousClock.now
        let hunt = SimulatorHunt(seeds: arguments.seeds, safeguards: .all.subtracting(rule))
        let (tally, finding) = try await hunt.run()
        let verdict = finding.map { "seed \($0.seed): \($0.violation)" } ?? "not found"
        print("without \(name): \(tally.simulations) simulations, \(seconds(since: start)) s, \(verdict)")
        if finding == nil { missed.append(name) }
    }
    if !missed.isEmpty { fail("not missed: \(missed.joined(separator: ", "))", code: 1) }
}

func seconds(since start: ContinuousClock.Instant) -> String {
    let components = (ContinuousClock.now - start).components
    return "\(components.seconds).\(components.attoseconds / 100_000_000_000_000_000)"
}

/// Says why on standard error, and exits.
func fail(_ reason: String, code: CInt) -> Never {
    let line = Array("\(reason)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(code)
}
