/// What becomes of one call to a cluster after each error: where it goes next, when, and when it is given up.
///
/// It does no I/O. Only what is known to have changed nothing is sent again.
package struct CallRoute: Sendable {
    package enum Step: Sendable, Hashable {
        /// Send it to this node once, behind ASKING.
        case ask(RedisNode)
        /// Send it to whoever serves its slot then.
        case again(after: Duration)
        case fail(RedisError)
    }

    /// Moves that are followed at once: more of them in a row is a map that goes in circles.
    private static let promptMoves = 3
    private static let firstPause = Duration.milliseconds(20)
    private static let longestPause = Duration.milliseconds(500)

    private let patience: Duration
    private var moves = 0
    private var asks = 0
    private var pauses = 0

    /// - Parameter patience: How long trouble that passes is borne with.
    package init(patience: Duration) {
        self.patience = patience
    }

    /// - Parameters:
    ///   - node: The node that was called.
    ///   - elapsed: Time since the call began.
    ///   - jitter: Random, in 0 ..< 1.
    package mutating func failed(
        _ error: RedisError, from node: RedisNode?, elapsed: Duration, jitter: Double
    ) -> Step {
        guard error.effect == .notApplied else { return .fail(error) }
        switch error.code {
        case .moved:
            moves += 1
            return moves <= Self.promptMoves ? .again(after: .zero) : pause(error, elapsed, jitter)
        case .ask(_, let address):
            asks += 1
            guard asks <= Self.promptMoves, let target = RedisNode(redirect: address, from: node) else {
                return pause(error, elapsed, jitter)
            }
            return .ask(target)
        case .tryAgain, .clusterDown, .masterDown, .loading, .connectionClosed, .connectFailed, .unblocked, .readOnly:
            return pause(error, elapsed, jitter)
        default:
            return .fail(error)
        }
    }

    private mutating func pause(_ error: RedisError, _ elapsed: Duration, _ jitter: Double) -> Step {
        guard elapsed < patience else { return .fail(error.afterMoves) }
        let full = min(Self.firstPause * (1 << min(pauses, 10)), Self.longestPause)
        pauses += 1
        asks = 0
        return .again(after: full / 2 + full / 2 * jitter)
    }
}

extension RedisError {
    /// A redirection that the caller cannot follow, as something that passes.
    var afterMoves: RedisError {
        switch code {
        case .moved(let slot, let address):
            RedisError(
                code: .tryAgain, message: "slot \(slot) is served by another node of the cluster now (\(address))",
                effect: .notApplied)
        case .ask(let slot, let address):
            RedisError(
                code: .tryAgain, message: "slot \(slot) is on its way to another node of the cluster (\(address))",
                effect: .notApplied)
        default: self
        }
    }
}
