public import Logging
import Synchronization

/// Keeps what is logged, for tests of what an operator reads.
public final class LogRecorder: Sendable {
    public struct Line: Sendable, Hashable {
        public var level: Logger.Level
        public var message: String
        /// The value of `error`.
        public var error: String?
    }

    private let recorded = Mutex<[Line]>([])

    public init() {}

    /// What was logged so far, in order.
    public var lines: [Line] { recorded.withLock { $0 } }

    /// A logger that writes here, all levels.
    public var logger: Logger { Logger(label: "recorded") { _ in Handler(recorder: self) } }

    private func record(_ line: Line) { recorded.withLock { $0.append(line) } }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var logLevel = Logger.Level.trace
        var metadata = Logger.Metadata()

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            recorder.record(
                Line(
                    level: event.level, message: event.message.description,
                    error: event.metadata?["error"].map { "\($0)" }))
        }
    }
}
