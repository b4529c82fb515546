import Foundation

/// What the environment says where the command line does not.
struct Environment {
    var redis: String
    var namespace: String

    static func read() -> Environment {
        let variables = ProcessInfo.processInfo.environment
        return Environment(
            redis: variables["SKALD_REDIS_URL"] ?? "redis://127.0.0.1:6379",
            namespace: variables["SKALD_NAMESPACE"] ?? "skald")
    }
}
