import Foundation
import LocalRedis
import TestSupport
import Testing

/// Real processes under random faults, for a short while; `make soak` does it for as long as told.
@Suite("The shop under faults", .serialized)
struct SoakTests {
    @Test(.timeLimit(.minutes(6)), arguments: ["standalone", "forgetful"])
    func nothingIsLostAndNothingIsHalfDone(ground: String) async throws {
        let output = FileManager.default.temporaryDirectory.appending(path: "skald-soak-\(UUID().uuidString).log").path
        // What cannot be removed stays in the system's temporary directory, and harms nobody.
        defer { try? FileManager.default.removeItem(atPath: output) }
        var soak = try ChildProcess.spawn(
            Repository.program("shop-soak"), ["--ground", ground, "--seconds", "15", "--patience", "240"],
            output: output)
        while soak.isRunning { try await Task.sleep(for: .milliseconds(50)) }
        let text = try String(contentsOfFile: output, encoding: .utf8)
        #expect(soak.exitCode == 0, "\(text)")
        #expect(text.contains("0 violations") && !text.contains("  0 faults"), "\(text)")
    }
}
