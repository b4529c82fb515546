import ArgumentParser
import Foundation
import SagaClient

/// Looks for what a saga log needs and lacks.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the Redis server's settings, and the namespace, for what a saga log needs.",
        discussion: """
            Changes nothing. Exits 1 where a finding is a danger. Checks that the user has no right for are told as \
            such; an operator ('skald acl operator') has the rights for all of them.
            """)

    @OptionGroup var global: GlobalOptions
    @Flag(help: "Leave out what is in order.") var quiet = false

    func run() async throws {
        var findings: [Finding] = []
        try await global.withClient { client in
            findings = try await client.examine { Int64(Date().timeIntervalSince1970 * 1_000) }
        }
        for finding in findings where !quiet || finding.severity > .ok {
            if global.json { printJSON { finding.write(to: &$0) } } else { print(finding.text) }
        }
        if findings.contains(where: { $0.severity == .danger }) { throw ExitCode.failure }
    }
}

extension Finding {
    /// A line, and one below it where there is something to do.
    fileprivate var text: String {
        let width = 7
        let line = Terminal.pad(severity.rawValue, to: width) + "  " + Terminal.clean(what)
        guard let remedy else { return line }
        return line + "\n" + Terminal.pad("", to: width) + "  → " + Terminal.clean(remedy)
    }
}
