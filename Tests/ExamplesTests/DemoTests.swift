import Foundation
import LocalRedis
import TestSupport
import Testing

/// The demo itself: real processes, three of them killed, and an audit that passes.
@Suite struct DemoTests {
    @Test(.timeLimit(.minutes(5)))
    func theShopsBooksAgreeAfterKills() async throws {
        let output = FileManager.default.temporaryDirectory.appending(path: "skald-demo-\(UUID().uuidString).log").path
        // What cannot be removed stays in the system's temporary directory, and harms nobody.
        defer { try? FileManager.default.removeItem(atPath: output) }
        var demo = try ChildProcess.spawn(
            Repository.program("shop-demo"),
            [
                "--orders", "400", "--seed", "\(UInt64.random(in: 0...9_999))", "--patience", "240", "--definition",
                Repository.root.appending(path: "deploy/shop/order.yaml").path,
            ], output: output)
        while demo.isRunning { try await Task.sleep(for: .milliseconds(50)) }
        let text = try String(contentsOfFile: output, encoding: .utf8)
        #expect(demo.exitCode == 0, "\(text)")
        for sign in ["killed inventory-1", "killed payments-1", "killed orchestrator", "The books agree"] {
            #expect(text.contains(sign), "\(text)")
        }
    }
}
