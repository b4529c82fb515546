package import Foundation

/// An authority of a test's own that signs certificates, made with the `openssl` tool in a temporary directory.
package final class TestAuthority: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package let directory: URL

    package init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "skald-ca-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try openSSL("req -x509 \(Self.newKey) -keyout ca.key -out ca.pem -days 2 -subj /CN=Skald-test-authority")
    }

    deinit {
        // What cannot be removed stays in the system's temporary directory, and harms nobody.
        try? FileManager.default.removeItem(at: directory)
    }

    /// The authority's own certificate.
    package var file: String { path("ca.pem") }

    package func path(_ file: String) -> String { directory.appending(path: file).path }

    /// Signs `NAME.pem` with the key `NAME.key`.
    ///
    /// - Parameters:
    ///   - names: what the certificate is for, as OpenSSL writes it.
    ///   - days: how long it is valid; below zero it has expired.
    package func sign(
        _ name: String, for names: String = "DNS:localhost,IP:127.0.0.1", days: Int = 2
    ) throws -> (certificate: String, key: String) {
        try Data("subjectAltName=\(names)\n".utf8).write(to: directory.appending(path: "\(name).ext"))
        try openSSL("req \(Self.newKey) -keyout \(name).key -out \(name).csr -subj /CN=\(name)")
        try openSSL(
            "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -out \(name).pem -days \(days) "
                + "-extfile \(name).ext")
        return (path("\(name).pem"), path("\(name).key"))
    }

    private static let newKey = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"

    private func openSSL(_ arguments: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = directory
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: "openssl \(arguments): \(text)") }
    }
}
