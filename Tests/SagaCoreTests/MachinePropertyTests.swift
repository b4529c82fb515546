import SagaProperties
import Testing

@Suite("Properties of the machine")
struct MachinePropertyTests {
    /// A few of the seeds that `saga-properties` runs by the hundred thousand.
    @Test(arguments: 0..<4)
    func everySagaEndsAllOrNothing(block: UInt64) async throws {
        let (tally, finding) = try await Hunt(seeds: block * 100..<(block + 1) * 100).run()
        if let finding { Issue.record(Comment(rawValue: try finding.report())) }
        #expect(tally.sagas == 100)
        // What the seeds do not reach, they do not test.
        #expect(tally.completed > 10 && tally.compensated > 10 && tally.rewinds > 10 && tally.signals > 10)
        #expect(tally.stuck > 0 && tally.skipped > 0)
    }
}
