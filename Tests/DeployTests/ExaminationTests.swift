import Foundation
import Logging
import RedisTransport
import SagaClient
import TestSupport
import Testing

/// The deployed settings and users, as doctor sees them.
@Suite struct ExaminationTests {
    @Test func theDeployedServerHasWhatASagaLogNeeds() async throws {
        try await DeployedServer.with { deployed in
            let client = SagaClient(
                endpoint: try deployed.endpoint(of: "skald-operator"),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let findings = try await client.examine { Int64(Date().timeIntervalSince1970 * 1_000) }
            for finding in findings { #expect(finding.severity <= .info, "\(finding.what)") }
            #expect(findings.first { $0.check == "access" }?.severity == .ok)
            #expect(findings.first { $0.check == "rights" }?.severity == .ok)
            await client.close()
            let admin = try await deployed.connectAsAdmin()
            #expect(try await admin.send(RedisCommand("ACL", "LOG")).value.count == 0)
            await admin.close()
        }
    }
}
