import Foundation

/// What the environment says where the command line does not.
struct Environment {
    /// Where Redis is, among others: `RedisEndpoint` reads it from them.
    var variables: [String: String]
    var namespace: String

    static func read() -> Environment {
        let variables = ProcessInfo.processInfo.environment
        return Environment(
            variables: variables,
            namespace: variables["SKALD_NAMESPACE"] ?? "skald")
    }
}
