import CoordinatorSimulator
import SagaCore
import Testing

@Suite("The coordinator, simulated")
struct SimulatorTests {
    @Test func aSeedRunsTheSameTwice() throws {
        for seed: UInt64 in [1, 2, 3] {
            let first = try Simulation(seed: seed).run()
            let second = try Simulation(seed: seed, isTracing: true).run()
            #expect(first.hash == second.hash)
            #expect(first.tally == second.tally)
        }
    }

    @Test func someSeedsKeepAllPromises() throws {
        var tally = Tally()
        for seed: UInt64 in 0..<24 {
            let result = try Simulation(seed: seed).run()
            #expect(result.violation == nil, "coordinator-simulator --seed \(seed)")
            tally += result.tally
        }
        #expect(tally.sagas == 480)
        #expect(tally.rewinds > 0 && tally.crashes > 0 && tally.freezes > 0 && tally.lostAnswers > 0)
    }

    @Test(arguments: RegressionSeeds.all.map(\.seed))
    func whatWasFoundStaysAway(seed: UInt64) throws {
        let result = try Simulation(seed: seed).run()
        #expect(result.violation == nil)
    }

    @Test func aCommitOfAFormerOwnerIsNoticed() async throws {
        let (_, finding) = try await SimulatorHunt(
            seeds: 0..<100, safeguards: .all.subtracting(.epochChecked)
        ).run()
        #expect(finding?.violation.rule == .fenced)
    }
}
