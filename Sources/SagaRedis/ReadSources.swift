import RedisTransport
import Synchronization

/// Which server each partition was read from last, where a partition's server can be another one from one moment to the
/// next.
///
/// What was read from one server must not be committed on another: a position among the entries of a former master can
/// lie behind entries of its successor that nobody has read.
final class ReadSources: Sendable {
    private let servers = Mutex<[Int: RedisEndpoint.Address]>([:])

    func note(_ partitions: some Sequence<Int>, from server: RedisEndpoint.Address?) {
        servers.withLock { servers in
            for partition in partitions { servers[partition] = server }
        }
    }

    /// The server that the partition was read from, if that is another one; then it is forgotten, since whoever hears of
    /// it reads everything anew.
    func takeConflict(_ partition: Int, with server: RedisEndpoint.Address?) -> RedisEndpoint.Address? {
        servers.withLock { servers in
            guard let source = servers[partition], let server, source != server else { return nil }
            servers[partition] = nil
            return source
        }
    }
}

extension RedisEndpoint.Address {
    /// Whether there are several servers of which any may become the one to write to.
    var hasSuccessors: Bool {
        switch self {
        case .tcp, .unix: false
        case .sentinel, .cluster: true
        }
    }
}
