import SagaCore
import Testing

@Suite("Properties of the machine")
struct MachinePropertyTests {
    /// Thousands of random sagas among random faults. A failure names its seed: `run(seed:)` repeats it alone.
    @Test(arguments: 0..<8)
    func everySagaEndsAllOrNothing(block: UInt64) throws {
        for seed in block * 1_000..<(block + 1) * 1_000 { try run(seed: seed) }
    }

    private func run(seed: UInt64) throws {
        var simulation = try MachineSimulation(seed: seed)
        do {
            try simulation.run()
        } catch {
            Issue.record("seed \(seed): \(error)\n\(simulation.trace.suffix(120).joined(separator: "\n"))")
            throw error
        }
    }
}
