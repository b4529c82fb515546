import SagaWire
import Testing

/// A definition file that is refused, and every line that its author is told, without the file's name.
struct RefusedFile: Sendable, CustomTestStringConvertible {
    var text: String
    var faults: [String]

    init(_ text: String, _ faults: String...) {
        self.text = text
        self.faults = faults
    }

    /// Steps under a header that is right; the first of them stands in line 2, from column 1.
    static func steps(_ steps: String..., faults: String...) -> RefusedFile {
        var file = RefusedFile("{name: d, version: 1, steps: [\n" + steps.joined(separator: ",\n") + "\n]}")
        file.faults = faults
        return file
    }

    var testDescription: String { faults.first ?? "no fault" }

    /// Reads the file and compares what is told.
    func check(name: String, sourceLocation: SourceLocation = #_sourceLocation) {
        var told: [String] = []
        do throws(DefinitionFileFaults) {
            _ = try DefinitionFile(parsing: Array(text.utf8), name: name)
        } catch {
            told = error.faults.map(\.description)
        }
        #expect(told == faults.map { "\(name):\($0)" }, sourceLocation: sourceLocation)
    }
}
