import Foundation
import LocalRedis
import TestSupport
import Testing

/// The manifest's settings, which the compiler accepts silently when they are misspelt.
@Suite struct PackageTests {
    @Test func everyUpcomingFeatureIsOneThatTheCompilerKnows() async throws {
        let manifest = try String(contentsOfFile: Repository.path(of: "Package.swift"), encoding: .utf8)
        let features = manifest.matches(of: /enableUpcomingFeature\("([A-Za-z]+)"\)/).map { String($0.1) }
        #expect(features.count >= 4)
        let output = FileManager.default.temporaryDirectory.appending(path: "features-\(UUID().uuidString)").path
        // What cannot be removed stays in the system's temporary directory, and harms nobody.
        defer { try? FileManager.default.removeItem(atPath: output) }
        var compiler = try ChildProcess.spawn("/usr/bin/env", ["swiftc", "-print-supported-features"], output: output)
        while compiler.isRunning { try await Task.sleep(for: .milliseconds(20)) }
        let known = try String(contentsOfFile: output, encoding: .utf8)
        for feature in features { #expect(known.contains("\"\(feature)\""), "\(feature)") }
    }
}
