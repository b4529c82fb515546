/// The search for the server that sentinels name as master: whom to ask next, whom to try, and how it ends.
///
/// It does no I/O: each method says what happened and returns what is to be done. Sentinels are asked one by one. What one
/// of them names is believed when the server itself says that it is a master; a sentinel that missed a failover, or one
/// that is under way, is told from it by that.
package struct MasterSearch: Sendable {
    package enum Action: Sendable, Hashable {
        /// Ask this sentinel; then ``sentinelNamed(_:)`` or ``sentinelFailed(_:)``.
        case ask(RedisNode)
        /// Connect to this server and ask for its role; then ``serverIs(_:)`` or ``serverFailed(_:)``.
        case verify(RedisNode)
        /// The server that was verified last is the master.
        case found(RedisNode)
        /// The server that the caller is connected to is the one that the sentinels name.
        case unchanged
        case fail(RedisError)
    }

    private let master: String
    private let sentinels: [RedisNode]
    /// The server that the caller is connected to.
    private let known: RedisNode?
    private var next = 0
    private var candidate: RedisNode?
    private var tried: Set<RedisNode> = []

    // Why it has failed so far, the most telling first.
    private var serverReason: String?
    private var unknownAt: RedisNode?
    private var refusal: RedisError?
    private var silence: RedisError?

    /// - Parameter sentinels: In the order in which they are to be asked; at least one.
    package init(master: String, sentinels: [RedisNode], known: RedisNode? = nil) {
        self.master = master
        self.sentinels = sentinels
        self.known = known
    }

    package mutating func begin() -> Action { askNext() }

    private mutating func askNext() -> Action {
        guard next < sentinels.count else { return .fail(reason) }
        defer { next += 1 }
        return .ask(sentinels[next])
    }

    package mutating func sentinelFailed(_ error: RedisError) -> Action {
        switch error.code {
        case .noAuth, .wrongPass, .noPermission: refusal = error
        default: silence = error
        }
        return askNext()
    }

    /// - Parameter node: Nil where the sentinel knows no master of that name.
    package mutating func sentinelNamed(_ node: RedisNode?) -> Action {
        guard let node else {
            unknownAt = sentinels[next - 1]
            return askNext()
        }
        if node == known { return .unchanged }
        guard tried.insert(node).inserted else { return askNext() }
        candidate = node
        return .verify(node)
    }

    /// - Parameter role: The first word of its reply to ROLE.
    package mutating func serverIs(_ role: String) -> Action {
        guard let candidate else { return askNext() }
        if role == "master" { return .found(candidate) }
        serverReason =
            "\(candidate), which a sentinel names as master '\(master)', is a \(role): a failover is under way"
        return askNext()
    }

    package mutating func serverFailed(_ error: RedisError) -> Action {
        switch error.code {
        case .noAuth, .wrongPass, .noPermission:
            // Another sentinel will not make the login right.
            return .fail(error)
        default:
            serverReason = "the master '\(master)' that a sentinel names does not serve: \(error.message)"
            return askNext()
        }
    }

    private var reason: RedisError {
        if let serverReason { return .connectFailed(serverReason) }
        if let unknownAt {
            return .connectFailed(
                "the sentinel at \(unknownAt) knows no master named '\(master)': check the name at the URL's end")
        }
        if let refusal {
            return RedisError(
                code: refusal.code,
                message: "the sentinels refuse the login (SKALD_SENTINEL_PASSWORD, or ?sentinel-password= in the URL): "
                    + refusal.message, effect: .notApplied)
        }
        return .connectFailed(
            "no sentinel answers (asked \(sentinels.text)): \(silence?.message ?? "none was named")")
    }
}
