import LocalRedis
import Logging
import NIOCore
import RedisTransport
import Synchronization
import Testing

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(upTo count: Int) -> [UInt8] {
        (0..<Int.random(in: 0...count, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}

/// The error of what must fail; a test fails if it does not.
func failure(
    of body: () async throws(RedisError) -> some Any, sourceLocation: SourceLocation = #_sourceLocation
) async -> RedisError? {
    do throws(RedisError) {
        _ = try await body()
        Issue.record("expected an error", sourceLocation: sourceLocation)
        return nil
    } catch {
        return error
    }
}

/// Keeps what is logged.
struct CapturingLogHandler: LogHandler {
    final class Messages: Sendable {
        private let messages = Mutex<[String]>([])
        var all: [String] { messages.withLock { $0 } }
        func add(_ message: String) { messages.withLock { $0.append(message) } }
    }

    let captured: Messages
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        captured.add("\(event.level) \(event.message)")
    }
}

extension Logger {
    static func capturing(_ messages: CapturingLogHandler.Messages) -> Logger {
        Logger(label: "test") { _ in CapturingLogHandler(captured: messages) }
    }

    static var silent: Logger {
        Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    }
}

extension ReplyParser {
    struct NoMemory: Error {}

    static func make(_ options: ConnectionOptions = ConnectionOptions()) throws -> ReplyParser {
        guard let parser = ReplyParser(options: options) else { throw NoMemory() }
        return parser
    }

    /// Parses all of the input at once.
    static func parse(
        _ input: [UInt8], options: ConnectionOptions = ConnectionOptions()
    ) throws -> (replies: [RedisReply], failure: RedisError?) {
        try parse([input[...]], options: options)
    }

    /// Parses pieces one after the other, up to the first failure.
    static func parse(
        _ pieces: [ArraySlice<UInt8>], options: ConnectionOptions = ConnectionOptions()
    ) throws -> (replies: [RedisReply], failure: RedisError?) {
        var parser = try make(options)
        var replies: [RedisReply] = []
        for piece in pieces {
            if let failure = piece.withUnsafeBytes({ parser.parse($0, into: &replies) }) { return (replies, failure) }
        }
        return (replies, nil)
    }
}
