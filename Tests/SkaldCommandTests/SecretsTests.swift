import Foundation
import LocalRedis
import RedisTransport
import SagaTesting
import SagaWire
import Testing

/// Secrets of the real program's: where they come from, and that they don't show.
@Suite("Secrets of the program") struct SecretsTests {
    private static let password = "hunter2-of-redis"
    private static let tokenSecret = "a-secret-of-reply-tokens"

    /// A command with secrets in its environment.
    private func spawn(
        _ arguments: [String], _ environment: [String], _ output: String
    ) throws -> ChildProcess {
        // A shell takes them from a file: what env is given would stand in its own command line for a moment.
        let file = output + ".env"
        try Data(environment.map { "export \($0)\n" }.joined().utf8).write(to: URL(filePath: file))
        return try ChildProcess.spawn(
            "/bin/sh", ["-c", "file=$1; shift; . \"$file\"; exec \"$@\"", "sh", file, Program.path] + arguments,
            output: output)
    }

    private func run(_ arguments: [String], _ environment: [String], _ output: String) async throws -> String {
        var child = try spawn(arguments, environment, output)
        while child.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        return text(URL(filePath: output))
    }

    @Test func noOutputAndNoCommandLineShowsASecret() async throws {
        let options = LocalRedisServer.Options(extra: ["requirepass \(Self.password)"])
        try await withLocalRedis(options) { redis in
            try await withDirectory { directory in
                let (keyLine, keyFile) = (PayloadKeys.newLine(id: "k1"), directory.appending(path: "keys"))
                let key = String(keyLine.dropFirst(3))
                let secrets = [Self.password, Self.tokenSecret, key]
                try Data(keyLine.utf8).write(to: keyFile)
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile.path)
                let environment = [
                    "SKALD_REDIS_URL=\(redis.url)", "SKALD_REDIS_PASSWORD=\(Self.password)",
                    "SKALD_TOKEN_SECRET=\(Self.tokenSecret)", "SKALD_PAYLOAD_KEYS_FILE=\(keyFile.path)",
                ]
                let log = directory.appending(path: "orchestrator").path
                var orchestrator = try spawn(["orchestrator", "--log-level", "trace"], environment, log)
                defer { orchestrator.kill() }
                try await eventually("it works") { text(URL(filePath: log)).contains("orchestrator started") }
                let line = try Data(contentsOf: URL(filePath: "/proc/\(orchestrator.processID)/cmdline"))
                var shown = String(decoding: line, as: UTF8.self)
                #expect(shown.contains("orchestrator"))

                let file = directory.appending(path: "order.yaml")
                try Data("name: order\nversion: 1\nsteps:\n  - name: go\n    signal: go\n".utf8).write(to: file)
                let card = #"{"card":"4111-1111"}"#
                for (index, arguments) in [
                    ["apply", file.path], ["start", "order", "--id", "s1", "--input", card],
                    ["doctor"], ["status"], ["start", "--help"], ["show", "s1"], ["dead", "list"],
                ].enumerated() {
                    let output = try await run(arguments, environment, directory.appending(path: "\(index)").path)
                    #expect(!output.isEmpty || arguments[0] == "dead", "\(arguments)")
                    if arguments[0] == "show" { #expect(output.contains("4111-1111")) }
                    shown += output
                }
                let stranger = environment.filter { !$0.contains("KEYS_FILE") && !$0.contains("PASSWORD") }
                let wrong = try await run(["status"], stranger + ["SKALD_REDIS_PASSWORD=wrong-hunter3"], log + "-wrong")
                #expect(wrong.contains("WRONGPASS") && !wrong.contains("hunter3"), "\(wrong)")
                let blind = environment.filter { !$0.contains("KEYS_FILE") }
                let hidden = try await run(["show", "s1"], blind, log + "-blind")
                #expect(hidden.contains("encrypted with key k1"), "\(hidden)")
                shown += text(URL(filePath: log))
                for secret in secrets { #expect(!shown.contains(secret), "\(secret) is shown") }
            }
        }
    }

    @Test func aPasswordOnTheCommandLineIsWarnedOfAndNotRepeated() async throws {
        let result = try await Program().run("status", "--redis", "redis://:hunter2@127.0.0.1:1")
        #expect(result.code == 69)
        #expect(result.errors.components(separatedBy: "can be seen in the list of processes").count == 2)
        #expect(!result.errors.contains("hunter2"))
        let quiet = try await Program(redis: "redis://:hunter2@127.0.0.1:1").run("status")
        #expect(!quiet.errors.contains("list of processes"))
    }

    @Test func aKeyThatIsGeneratedIsALineOfAKeyFile() async throws {
        let result = try await Program().run("key", "generate", "--id", "k2")
        #expect(result.code == 0)
        #expect(try PayloadKeys(parsing: result.output, name: "keys").currentID == "k2")
    }
}
