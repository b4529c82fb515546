import Foundation
import LocalRedis
import TestSupport
import Testing

/// The manifest's settings, which the compiler accepts silently when they are misspelt, and the libraries' pages.
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

    @Test func everyLibraryHasARootPageAndIsDocumented() throws {
        let manifest = try Repository.text(of: "Package.swift")
        let libraries = manifest.matches(of: /\.library\(name: "([A-Za-z]+)"/).map { String($0.1) }
        #expect(libraries.count >= 8)
        let script = try Repository.text(of: ".ci/docs")
        let targets = try #require(script.firstMatch(of: /targets=\(([^)]*)\)/)).1.split { $0.isWhitespace }
        for library in libraries {
            let page = try Repository.text(of: "Sources/\(library)/\(library).docc/\(library).md")
            #expect(page.hasPrefix("# ``\(library)``\n"), "\(library)")
            #expect(targets.contains { $0 == library }, "\(library)")
        }
    }
}
