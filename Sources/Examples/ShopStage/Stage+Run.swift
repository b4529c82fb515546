import Foundation

extension Stage {
    /// Gives a run of the shop a directory of its own, which is removed at its end, whatever happens.
    ///
    /// - Parameter keepsFiles: Leave it behind, and say where.
    package static func withDirectory<Result>(
        _ name: String, keepsFiles: Bool, _ body: (String, inout ProgressLine) async throws -> Result
    ) async throws -> Result {
        let directory = FileManager.default.temporaryDirectory.path + "/\(name)-\(UUID().uuidString.prefix(8))"
        var progress = ProgressLine()
        defer {
            if keepsFiles {
                progress.print("\nDatabases and logs: \(directory)")
            } else {
                // What cannot be removed stays in the system's temporary directory, and harms nobody.
                try? FileManager.default.removeItem(atPath: directory)
            }
        }
        return try await body(directory, &progress)
    }

    /// Plays, and strikes the stage afterwards; shows the processes' last words where the play was broken off by an error.
    package func play<Result>(
        _ progress: inout ProgressLine, _ body: (inout ProgressLine) async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await body(&progress)
            await strike()
            return result
        } catch {
            if !(error is CancellationError), !Task.isCancelled { progress.print(logTails()) }
            await strike()
            throw error
        }
    }
}
