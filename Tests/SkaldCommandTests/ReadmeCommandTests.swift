import Foundation
import TestSupport
import Testing

/// The commands that the README shows can be typed as they stand there.
@Suite struct ReadmeCommandTests {
    /// Each without its comment, split at spaces: none of them has quotes.
    private let commands: [[String]]

    init() throws {
        commands = try Repository.text(of: "README.md").split(separator: "\n").compactMap { line in
            guard let match = line.wholeMatch(of: /\ {4}skald (.+?)(?: {2,}#.*)?/) else { return nil }
            return match.1.split(separator: " ").map(String.init)
        }
    }

    private static let forAuthors: Set = ["validate", "graph", "simulate", "drill"]

    @Test func thoseForAuthorsDoWhatItSays() async throws {
        let found = commands.filter { Self.forAuthors.contains($0[0]) }
        #expect(Set(found.map { $0[0] }) == Self.forAuthors)
        for command in found {
            // It says to type them in the folder of the examples.
            let arguments = command.map { argument in
                let file = argument.drop { $0 == "@" }
                let path = Repository.path(of: "Sources/Examples/\(file)")
                guard FileManager.default.fileExists(atPath: path) else { return argument }
                return argument.hasPrefix("@") ? "@" + path : path
            }
            let result = try await Program().run(arguments)
            // The simulated trip is one whose payment is refused.
            #expect(result.code == (command[0] == "simulate" ? 2 : 0), "\(command): \(result.errors)")
        }
    }

    @Test func thoseForOperatorsAreRightUsage() async throws {
        let found = commands.filter { !Self.forAuthors.contains($0[0]) }
        #expect(found.count >= 4)
        try await withThrowingTaskGroup { group in
            for command in found {
                group.addTask {
                    // Wrong usage is told before Redis is asked.
                    let result = try await Program(redis: "redis://127.0.0.1:1").run(command)
                    #expect(result.code == 69, "\(command): \(result.errors)")
                }
            }
            try await group.waitForAll()
        }
    }
}
