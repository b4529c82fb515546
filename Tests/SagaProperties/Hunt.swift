import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs the cases of many seeds on all cores.
package struct Hunt: Sendable {
    package struct Finding: Sendable {
        package var seed: UInt64
        package var violation: Violation
    }

    package let seeds: Range<UInt64>
    package let flaw: Flaw?

    package init(seeds: Range<UInt64>, flaw: Flaw? = nil) {
        self.seeds = seeds
        self.flaw = flaw
    }

    /// What the sagas came to and, where one broke a rule, the smallest seed that is known to; the hunt ends with it.
    package func run() async throws -> (tally: Tally, finding: Finding?) {
        let supply = Supply(seeds)
        return try await withThrowingTaskGroup(of: (Tally, Finding?).self) { group in
            for _ in 0..<Self.cores {
                group.addTask { try search(supply) }
            }
            var (total, first) = (Tally(), Finding?.none)
            for try await (tally, finding) in group {
                total += tally
                if let finding, finding.seed < first?.seed ?? .max { first = finding }
            }
            return (total, first)
        }
    }

    private func search(_ supply: Supply) throws -> (Tally, Finding?) {
        var tally = Tally()
        while let block = supply.next() {
            for seed in block {
                do {
                    tally += try SagaCase.random(seed: seed).run(flaw: flaw)
                } catch let violation as Violation {
                    supply.close()
                    return (tally, Finding(seed: seed, violation: violation))
                }
            }
        }
        return (tally, nil)
    }

    private static var cores: Int { max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))) }
}

extension Hunt.Finding {
    /// What is wrong, the way to it, and a test that repeats it.
    package func report(flaw: Flaw? = nil) throws -> String {
        let shrunk = Shrinker.shrink(.random(seed: seed), flaw: flaw)
        let trace = try shrunk.trace(flaw: flaw).suffix(120).joined(separator: "\n")
        let reason = shrunk.violation(flaw: flaw) ?? violation
        return "seed \(seed): \(reason)\n\n\(trace)\n\n\(shrunk.source)"
    }
}

/// Seeds in blocks, for as long as there are some and nothing was found.
private final class Supply: Sendable {
    private static let block: UInt64 = 100
    private let end: UInt64
    private let position: Atomic<UInt64>
    private let isClosed = Atomic(false)

    init(_ seeds: Range<UInt64>) {
        end = seeds.upperBound
        position = Atomic(seeds.lowerBound)
    }

    func next() -> Range<UInt64>? {
        guard !isClosed.load(ordering: .relaxed) else { return nil }
        let start = position.wrappingAdd(Self.block, ordering: .relaxed).oldValue
        return start < end ? start..<min(start + Self.block, end) : nil
    }

    func close() { isClosed.store(true, ordering: .relaxed) }
}
