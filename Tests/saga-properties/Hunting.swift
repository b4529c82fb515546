import SagaProperties

/// Runs random sagas.
func hunt(_ options: ArraySlice<String>) async throws {
    let arguments = Arguments(options)
    let start = ContinuousClock.now
    let (tally, finding) = try await Hunt(seeds: arguments.seeds, flaw: arguments.flaw).run()
    if let finding {
        print(try finding.report(flaw: arguments.flaw))
        fail("saga-properties --seed \(finding.seed) repeats it", code: 1)
    }
    let time = (ContinuousClock.now - start).formatted
    print(
        """
        seeds \(arguments.seeds.lowerBound) to \(arguments.seeds.upperBound - 1): \(tally.sagas) sagas, \
        \(tally.facts) facts, \(tally.completed) completed, \(tally.compensated) compensated, \(tally.stuck) times stuck, \
        \(tally.skipped) skips, \(tally.omitted) omitted, \(tally.items) items, \(tally.children) children, \(tally.signals) signals, \(tally.rewinds) rewinds, \(time) s
        """)
}
