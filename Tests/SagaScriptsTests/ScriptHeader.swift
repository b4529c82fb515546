import Foundation
import SagaScripts

/// A script's file, split into its header and its body.
struct ScriptFile {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../lua/scripts")
        .standardized

    let name: String
    /// The comment lines behind the first line, without their dashes.
    let header: [String]
    let firstLine: String
    let body: String

    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            .map { String($0.dropLast(".lua".count)) }
    }

    init(_ name: String) throws {
        self.name = name
        let text = try String(contentsOf: Self.folder.appending(path: "\(name).lua"), encoding: .utf8)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        firstLine = lines.removeFirst()
        let length = lines.firstIndex { !$0.hasPrefix("--") || $0.hasPrefix("--!") } ?? lines.count
        header = lines[..<length].map { String($0.dropFirst(2)) }
        body = lines[length...].joined(separator: "\n")
    }

    /// The numbers with which the body uses KEYS or ARGV.
    func numbers(of array: String) throws -> Set<Int> {
        let use = try Regex("\(array)\\[(\\d+)\\]", as: (Substring, Substring).self)
        return Set(body.matches(of: use).compactMap { Int($0.output.1) })
    }

    /// Whether the body computes an index of KEYS or ARGV.
    func computesIndex(of array: String) throws -> Bool {
        body.contains(try Regex("\(array)\\[[^\\]\\d]")) || body.contains("unpack(\(array)")
    }

    struct Parameter {
        var number: Int
        /// Whether it stands for all from there on.
        var isOpen: Bool
        var meaning: String
    }

    /// The header's lines for KEYS or ARGV: `KEYS[1] state: hash, …`, `KEYS[6…] commands: stream, …`, and
    /// `ARGV[12…] for each …`.
    func parameters(_ array: String) throws -> [Parameter] {
        let line = try Regex(
            " \(array)\\[(\\d+)(…?)\\] (?:for each |[a-z]+: )(.+)",
            as: (Substring, Substring, Substring, Substring).self)
        return header.compactMap { text in
            guard let match = text.wholeMatch(of: line), let number = Int(match.output.1) else { return nil }
            return Parameter(number: number, isOpen: !match.output.2.isEmpty, meaning: String(match.output.3))
        }
    }

    /// The text behind one of the header's words, up to the next word.
    func section(_ word: String) -> String? {
        guard let start = header.firstIndex(where: { $0.hasPrefix(" \(word): ") }) else { return nil }
        let rest = header[(start + 1)...].prefix { $0.hasPrefix("     ") }
        return ([String(header[start].dropFirst(word.count + 3))] + rest).joined(separator: " ")
    }
}
