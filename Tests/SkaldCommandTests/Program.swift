import Foundation
import LocalRedis
import SagaTesting
import TestSupport
import Testing

/// Runs of the built program.
struct Program: Sendable {
    /// The built `skald`, beside the test bundle.
    static let path = Repository.program("skald")

    struct Result {
        var code: Int32
        var output: String
        var errors: String
    }

    var redis: String?
    var namespace: String?

    private var environment: [String] {
        [redis.map { "SKALD_REDIS_URL=\($0)" }, namespace.map { "SKALD_NAMESPACE=\($0)" }].compactMap(\.self)
    }

    /// Runs a command to its end. Standard output and standard error are told apart by a shell.
    func run(_ arguments: String...) async throws -> Result { try await run(arguments) }

    func run(_ arguments: [String]) async throws -> Result {
        let base = FileManager.default.temporaryDirectory.appending(path: "skald-run-\(UUID().uuidString)").path
        // What cannot be removed stays in the system's temporary directory, and harms nobody.
        defer { for end in ["", ".err", ".log"] { try? FileManager.default.removeItem(atPath: base + end) } }
        var child = try ChildProcess.spawn(
            "/usr/bin/env",
            environment + ["sh", "-c", "out=$1; shift; exec \"$@\" >\"$out\" 2>\"$out.err\"", "sh", base, Self.path]
                + arguments, output: base + ".log")
        while child.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        return Result(
            code: child.exitCode ?? -1, output: try String(contentsOfFile: base, encoding: .utf8),
            errors: try String(contentsOfFile: base + ".err", encoding: .utf8))
    }

    /// Starts a command that runs on; its output goes to a file.
    func start(_ arguments: String..., output: String) throws -> ChildProcess {
        try ChildProcess.spawn("/usr/bin/env", environment + [Self.path] + arguments, output: output)
    }
}

/// A directory that is removed afterwards.
func withDirectory<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appending(path: "skald-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    // What cannot be removed stays in the system's temporary directory, and harms nobody.
    defer { try? FileManager.default.removeItem(at: directory) }
    return try await body(directory)
}

/// Waits until a condition is true, with the patience that processes need.
func eventually(_ condition: String, within limit: Duration = .seconds(30), _ isTrue: () async throws -> Bool)
    async throws
{
    try await SagaTesting.eventually(condition, within: limit, isTrue)
}

func text(_ file: URL) -> String {
    // A file that isn't there yet says nothing.
    (try? String(contentsOf: file, encoding: .utf8)) ?? ""
}
