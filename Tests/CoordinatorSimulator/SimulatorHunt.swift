package import SagaCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs the simulations of many seeds on all cores, each in one thread.
package struct SimulatorHunt: Sendable {
    package struct Finding: Sendable {
        package var seed: UInt64
        package var violation: Violation
    }

    package let seeds: [UInt64]
    package let safeguards: Safeguards

    package init(seeds: some Sequence<UInt64>, safeguards: Safeguards = .all) {
        self.seeds = Array(seeds)
        self.safeguards = safeguards
    }

    /// What the simulations came to and, where one broke a rule, the first seed that did; the hunt ends with it.
    package func run() async throws -> (tally: Tally, finding: Finding?) {
        let supply = Supply(seeds)
        return try await withThrowingTaskGroup(of: (Tally, Finding?).self) { group in
            for _ in 0..<Self.cores { group.addTask { try search(supply) } }
            var (total, first) = (Tally(), Finding?.none)
            for try await (tally, finding) in group {
                total += tally
                if let finding, finding.seed < first?.seed ?? .max { first = finding }
            }
            return (total, first)
        }
    }

    /// Runs all, and hands over what each seed that broke a rule did.
    package func survey(_ report: (Finding) -> Void) throws -> Tally {
        var tally = Tally()
        for seed in seeds {
            let result = try Simulation(seed: seed, safeguards: safeguards).run()
            tally += result.tally
            if let violation = result.violation { report(Finding(seed: seed, violation: violation)) }
        }
        return tally
    }

    private func search(_ supply: Supply) throws -> (Tally, Finding?) {
        var tally = Tally()
        while let seed = supply.next() {
            let result = try Simulation(seed: seed, safeguards: safeguards).run()
            tally += result.tally
            guard let violation = result.violation else { continue }
            supply.close()
            return (tally, Finding(seed: seed, violation: violation))
        }
        return (tally, nil)
    }

    private static var cores: Int { max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))) }
}

extension SimulatorHunt.Finding {
    /// What is wrong and the way to it.
    package func report(safeguards: Safeguards = .all) throws -> String {
        let simulation = try Simulation(seed: seed, safeguards: safeguards, isTracing: true)
        let result = simulation.run()
        let definitions = (result.violation?.saga).map(simulation.definitions) ?? []
        let trace = (definitions + result.account.suffix(400)).joined(separator: "\n")
        return "\(trace)\n\nseed \(seed): \(result.violation ?? violation)"
    }
}

/// Seeds, for as long as there are some and nothing was found.
private final class Supply: Sendable {
    private let seeds: [UInt64]
    private let position = Atomic(0)
    private let isClosed = Atomic(false)

    init(_ seeds: [UInt64]) { self.seeds = seeds }

    func next() -> UInt64? {
        guard !isClosed.load(ordering: .relaxed) else { return nil }
        let place = position.wrappingAdd(1, ordering: .relaxed).oldValue
        return place < seeds.count ? seeds[place] : nil
    }

    func close() { isClosed.store(true, ordering: .relaxed) }
}
