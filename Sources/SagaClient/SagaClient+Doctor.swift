public import SagaCore
import SagaRedis

extension SagaClient {
    /// Looks at the server's settings and at the namespace for what a saga log needs, and changes nothing.
    ///
    /// What the user may not see is a finding, too, and what can be said without it is said. Where the user lacks rights
    /// of an operator, that leaves entries in the server's ACL log.
    /// Redis: O(partitions × services + open sagas, up to 1,024, × definitions).
    ///
    /// - Parameter localTime: This machine's clock, in Unix milliseconds.
    public func examine(
        localTime: @escaping @Sendable () -> Milliseconds
    ) async throws(ClientError) -> [Finding] {
        var examiner = Examiner(client: self, localTime: localTime)
        let server = try await examiner.server()
        var findings = server.findings
        if let finding = server.confirmation(of: try await replicatedDefinitions()) { findings.append(finding) }
        do throws(ClientError) {
            findings += try await examiner.namespace(try await keys()).findings
        } catch {
            // A server that answered and is not in order is why; what it was found to be must not be lost.
            let isExplained = findings.contains { $0.severity == .danger }
            findings.append(try Self.finding(of: error, isExplained: isExplained))
        }
        return findings
    }

    /// The definitions that ask for durability `replicated`; none where they cannot be read, which is a finding of its own.
    private func replicatedDefinitions() async throws(ClientError) -> [String] {
        do throws(ClientError) {
            return try await definitions().filter { $0.durability == .replicated }.map(\.id)
        } catch {
            if case .unanswered = error { throw error }
            return []
        }
    }

    /// What a namespace that cannot be read is a sign of.
    private static func finding(of error: ClientError, isExplained: Bool) throws(ClientError) -> Finding {
        switch error {
        case .noNamespace(let name):
            Finding(
                .info, "namespace", "no orchestrator has initialised namespace '\(name)' yet",
                remedy: "start one with 'skald orchestrator'")
        case .refused(let reason) where reason.contains("NOPERM"):
            Finding(
                .info, "namespace", "the namespace cannot be looked at: \(reason)",
                remedy: "connect as an operator or a viewer, or grant the right ('skald acl viewer')")
        case .refused(let reason), .unreadable(let reason):
            Finding(
                .danger, "namespace", "the namespace cannot be read: \(reason)",
                remedy: "use the version of skald that wrote it, or look at what else writes there")
        case .unreachable(let reason) where isExplained:
            Finding(
                .danger, "namespace", "the namespace cannot be read: \(reason)",
                remedy: "mend the server first")
        case .unreachable, .unanswered, .overloaded: throw error
        }
    }
}
