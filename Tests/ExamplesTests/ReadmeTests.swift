import Foundation
import SagaWire
import TestSupport
import Testing

/// What the README shows is what is in the repository.
@Suite struct ReadmeTests {
    private let readme: String

    init() throws {
        readme = try Repository.text(of: "README.md")
    }

    /// The contents of all code blocks of a language.
    private func blocks(_ language: String) -> [String] {
        var blocks: [String] = []
        var block: [Substring]?
        for line in readme.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```", let lines = block {
                blocks.append(lines.joined(separator: "\n") + "\n")
                block = nil
            } else if line == "```\(language)" {
                block = []
            } else {
                block?.append(line)
            }
        }
        return blocks
    }

    @Test func itsServiceIsOneThatIsBuilt() throws {
        #expect(blocks("swift") == [try Repository.text(of: "Sources/Examples/points-service/main.swift")])
    }

    @Test func itsDefinitionIsAValidOne() throws {
        #expect(blocks("yaml") == [try Repository.text(of: "Sources/Examples/bonus.yaml")])
        let file = try DefinitionFile(
            parsing: Repository.bytes(of: "Sources/Examples/bonus.yaml"), name: "bonus.yaml")
        #expect(file.warnings.isEmpty)
    }

    @Test func itsCommandsAreTargetsOfTheMakefile() throws {
        let makefile = try Repository.text(of: "Makefile")
        let commands = readme.matches(of: /(?:`|    )make ([a-z]+)/).map { String($0.1) }
        #expect(commands.contains("demo") && commands.contains("test"))
        for command in Set(commands) {
            #expect(makefile.contains("\n\(command):"), "make \(command)")
        }
    }

    @Test func itsLinksLeadSomewhere() {
        for link in readme.matches(of: /\]\(([A-Za-z.][^)#:]*)\)/) {
            let path = Repository.root.appending(path: String(link.1)).path
            #expect(FileManager.default.fileExists(atPath: path), "\(link.1)")
        }
    }
}
