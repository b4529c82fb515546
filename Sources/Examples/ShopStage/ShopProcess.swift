import LocalRedis
import Synchronization

/// A program of the shop: started, killed and started again under one name, with one log file.
package final class ShopProcess: Sendable {
    package let name: String
    package let logFile: String
    private let program: String
    private let arguments: [String]
    private let child = Mutex<ChildProcess?>(nil)

    package init(_ name: String, program: String, arguments: [String], logFile: String) {
        self.name = name
        self.program = program
        self.arguments = arguments
        self.logFile = logFile
    }

    package var processID: Int32 { child.withLock { $0?.processID ?? 0 } }

    package var isRunning: Bool { child.withLock { $0?.isRunning ?? false } }

    package func start() throws {
        let started = try ChildProcess.spawn(program, arguments, output: logFile)
        child.withLock { $0 = started }
    }

    /// Ends it at once (SIGKILL).
    package func kill() {
        child.withLock { $0?.kill() }
    }

    /// Stops it where it is (SIGSTOP): it keeps its connections, and does nothing.
    package func freeze() {
        child.withLock { $0?.freeze() }
    }

    /// Lets it go on (SIGCONT).
    package func thaw() {
        child.withLock { $0?.thaw() }
    }

    /// Asks it to end (SIGTERM), and ends it where it doesn't within the time.
    ///
    /// - Returns: What is wrong with the end; nil where it ended with code 0, or was not running.
    package func stop(within time: Duration = .seconds(20)) async -> String? {
        guard isRunning else { return nil }
        child.withLock { $0?.terminate() }
        let deadline = ContinuousClock.now + time
        while isRunning {
            if ContinuousClock.now >= deadline {
                kill()
                return "\(name) did not end within \(time) of SIGTERM"
            }
            await Pause.short()
        }
        let code = child.withLock { $0?.exitCode }
        return code == 0 ? nil : "\(name) ended with \(code.map { "code \($0)" } ?? "a signal") after SIGTERM"
    }
}
