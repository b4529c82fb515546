import SagaWire
import TestSupport
import Testing

/// The reference page of definition files: what it shows is what is read.
struct DefinitionFilesArticleTests {
    private func blocks() throws -> [String] {
        let text = try Repository.text(of: "Sources/SagaWire/SagaWire.docc/DefinitionFiles.md")
        return text.split(separator: "```yaml\n").dropFirst().compactMap { part in
            part.split(separator: "```", maxSplits: 1).first.map(String.init)
        }
    }

    /// A whole definition, a condition, or steps; what they take from others is in front of them.
    private func definition(of block: String) -> String {
        if block.hasPrefix("name:") { return block }
        let names = ["create", "book", "charge", "check"].filter {
            !block.contains("name: \($0)\n") && !block.contains("name: \($0),")
        }
        let others = names.map { "- {name: \($0), service: s, action: do, compensation: undo}\n" }.joined()
        let indented = block.split(separator: "\n").map { "  \($0)\n" }.joined()
        let steps = block.hasPrefix("when:") ? "- name: step\n  delay: 1s\n\(indented)" : block
        return "name: d\nversion: 1\nsteps:\n\(block.contains("pivot: true") ? "" : others)\(steps)"
    }

    @Test func everyExampleIsRead() throws {
        let blocks = try blocks()
        #expect(blocks.count >= 11)
        for block in blocks {
            let text = definition(of: block)
            do throws(DefinitionFileFaults) {
                let file = try DefinitionFile(parsing: Array(text.utf8), name: "example.yaml")
                #expect(file.warnings.isEmpty, "\(text)")
            } catch {
                Issue.record(error, "\(text)")
            }
        }
    }

    @Test func everyKeyIsThere() throws {
        let text = try Repository.text(of: "Sources/SagaWire/SagaWire.docc/DefinitionFiles.md")
        // The faults of unknown keys list the known ones.
        let unknown =
            "{x1: 1, compensation: {x2: 1}, trigger: {x3: 1}, steps: [{x4: 1, retry: {x5: 1}, when: {x6: 1}}]}"
        do throws(DefinitionFileFaults) {
            _ = try DefinitionFile(parsing: Array(unknown.utf8), name: "d.yaml")
            Issue.record("accepted")
        } catch {
            let lists = error.faults.compactMap { $0.reason.split(separator: "known are ").dropFirst().first }
            #expect(lists.count == 6)
            for key in lists.flatMap({ $0.split(separator: ", ") }) {
                #expect(text.contains("`\(key)") || text.contains("\(key):"), "\(key) is not explained")
            }
        }
    }
}
