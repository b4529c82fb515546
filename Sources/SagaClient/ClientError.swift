import RedisTransport

/// Why a call to the coordinator's data failed. One line, fit for a user.
public enum ClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Redis does not answer; nothing is known of a change that was under way.
    case unreachable(String)
    /// No orchestrator has initialised the namespace.
    case noNamespace(String)
    /// What was asked for cannot be, or Redis refuses it. Nothing was sent or changed.
    case refused(String)
    /// Redis' memory is nearly used up, so no sagas are begun. Nothing was sent; try again later.
    case overloaded(String)
    /// Orders were given, and no orchestrator has answered in time. They stand, and will be carried out.
    case unanswered(String)
    /// What is stored cannot be read by this version.
    case unreadable(String)

    public var description: String {
        switch self {
        case .unreachable(let reason): "Redis is out of reach: \(reason)"
        case .noNamespace(let name):
            "no orchestrator has initialised namespace '\(name)' yet: start one with 'skald orchestrator'"
        case .overloaded(let reason): "overloaded: \(reason): try again later"
        case .refused(let reason), .unanswered(let reason), .unreadable(let reason): reason
        }
    }

    init(_ error: RedisError) {
        switch error.code {
        case .connectFailed, .tlsFailed, .connectionClosed, .timeout, .loading, .busy, .cancelled, .masterDown,
            .clusterDown, .tryAgain:
            self = .unreachable(error.message)
        case .moved, .ask:
            self = .refused("the server is a node of a Redis Cluster: use redis-cluster:// (\(error.message))")
        case .outOfMemory: self = .overloaded("Redis has no memory left")
        default: self = .refused("Redis refuses: \(error.message)")
        }
    }
}

/// Runs a Redis call, and turns its error into the client's where the layer changes.
func asking<Result>(_ body: () async throws(RedisError) -> Result) async throws(ClientError) -> Result {
    do throws(RedisError) {
        return try await body()
    } catch {
        throw ClientError(error)
    }
}
