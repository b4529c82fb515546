/// Why a local server could not be started: one line.
public struct LocalRedisError: Error, Sendable, CustomStringConvertible {
    public let message: String
    let isPortTaken: Bool

    init(message: String, isPortTaken: Bool = false) {
        self.message = message
        self.isPortTaken = isPortTaken
    }

    public var description: String { message }

    static func ended(log: String) -> LocalRedisError {
        LocalRedisError(
            message: log.isEmpty ? "redis-server ended at once" : "redis-server ended at once: \(log)",
            isPortTaken: log.contains("Address already in use"))
    }

    static func system(_ what: String, _ number: Int32) -> LocalRedisError {
        LocalRedisError(message: "\(what): \(ErrorText.of(number))")
    }
}
