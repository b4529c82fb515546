/// Where in a test's source something was said.
struct SourcePlace {
    var fileID: String
    var filePath: String
    var line: Int
    var column: Int
}

/// What was not as a test of a definition expected it.
public struct SagaFixtureFailure: Error, Sendable, CustomStringConvertible {
    /// One line: what was expected, and what was there.
    public let reason: String
    /// What led there.
    public let transcript: [String]
    /// Where in the test's source.
    public let fileID: String
    public let filePath: String
    public let line: Int
    public let column: Int

    public var description: String {
        (["\(fileID):\(line): \(reason)"] + transcript.map { "    \($0)" }).joined(separator: "\n")
    }
}
