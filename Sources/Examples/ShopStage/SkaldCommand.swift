import Foundation
import LocalRedis

/// Calls of the `skald` program.
package struct SkaldCommand {
    private let program: String
    private let redis: String
    private let output: String

    /// - Parameter output: a file for what the calls print.
    package init(_ programs: Programs, redis: String, output: String) {
        program = programs.path(of: "skald")
        self.redis = redis
        self.output = output
    }

    /// Registers a definition.
    package func apply(_ file: String) async throws {
        let result = try await call("apply", file)
        guard result.code == 0 else { throw StageError("skald apply: \(result.text)") }
    }

    package func show(_ saga: String) async throws -> String {
        let result = try await call("show", saga)
        guard result.code == 0 else { throw StageError("skald show: \(result.text)") }
        return result.text
    }

    private func call(_ arguments: String...) async throws -> (code: Int32?, text: String) {
        // A file of its own for each call would be left behind; the calls come one after the other.
        try Data().write(to: URL(filePath: output))
        var child = try ChildProcess.spawn(program, arguments + ["--redis", redis], output: output)
        while child.isRunning { await Pause.short() }
        let text = try String(contentsOfFile: output, encoding: .utf8)
        return (child.exitCode, text.trimmingCharacters(in: .newlines))
    }
}
