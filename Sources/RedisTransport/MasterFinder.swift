import NIOCore
import Synchronization

/// The shell of ``MasterSearch``: connects to sentinels and servers, on one event loop.
final class MasterFinder: Sendable {
    enum Result {
        case found(RedisConnection)
        /// The sentinels name the server that is known.
        case unchanged
        case failed(RedisError)
    }

    /// How long each sentinel, and each server that one of them names, may take: one that is frozen must not use up the
    /// time for the others.
    static let patience = Duration.seconds(1)

    private let endpoint: RedisEndpoint
    private let options: ConnectionOptions
    private let master: String
    private let eventLoop: any EventLoop
    private let search: Mutex<MasterSearch>
    private let done: @Sendable (Result) -> Void

    private init(
        _ endpoint: RedisEndpoint, _ options: ConnectionOptions, _ sentinels: [RedisNode], _ master: String,
        known: RedisNode?, on eventLoop: any EventLoop, done: @escaping @Sendable (Result) -> Void
    ) {
        self.endpoint = endpoint
        self.options = options
        self.master = master
        self.eventLoop = eventLoop
        self.done = done
        search = Mutex(MasterSearch(master: master, sentinels: sentinels.shuffled(), known: known))
    }

    /// Finds the master and connects to it. Calls `done` once, on the event loop.
    ///
    /// - Parameter known: A server to which there is a connection: where the sentinels name that, nothing is connected to.
    static func find(
        _ endpoint: RedisEndpoint, options: ConnectionOptions, sentinels: [RedisNode], master: String,
        known: RedisNode? = nil, on eventLoop: any EventLoop, done: @escaping @Sendable (Result) -> Void
    ) {
        let finder = MasterFinder(endpoint, options, sentinels, master, known: known, on: eventLoop, done: done)
        finder.perform(finder.search.withLock { $0.begin() }, nil)
    }

    private func perform(_ action: MasterSearch.Action, _ connection: RedisConnection?) {
        switch action {
        case .ask(let node): ask(node)
        case .verify(let node): verify(node)
        case .found:
            guard let connection else { return done(.failed(.noConnection)) }
            done(.found(connection))
        case .unchanged: done(.unchanged)
        case .fail(let error): done(.failed(error))
        }
    }

    private func ask(_ node: RedisNode) {
        let question = RedisCommand("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master)
        call(question, at: endpoint.sentinel(node)) { reply, _ in
            let action = self.search.withLock { search in
                switch reply {
                case .success(let reply) where reply.value.isNull:
                    search.sentinelNamed(nil)
                case .success(let reply):
                    if let node = RedisNode(reply.value) {
                        search.sentinelNamed(node)
                    } else {
                        search.sentinelFailed(.connectFailed("\(node) answers like no sentinel"))
                    }
                case .failure(let error): search.sentinelFailed(error)
                }
            }
            self.perform(action, nil)
        }
    }

    private func verify(_ node: RedisNode) {
        call(RedisCommand("ROLE"), at: endpoint.server(node)) { reply, connection in
            let action = self.search.withLock { search in
                switch reply {
                case .success(let reply): search.serverIs(reply.value[0].string ?? "server without a role")
                case .failure(let error): search.serverFailed(error)
                }
            }
            self.perform(action, connection)
        }
    }

    /// Connects, and sends one command. The connection is closed when `next` does not keep it.
    private func call(
        _ command: RedisCommand, at server: RedisEndpoint,
        next: @escaping @Sendable (Swift.Result<RedisReply, RedisError>, RedisConnection?) -> Void
    ) {
        var hasty = options
        hasty.connectTimeout = min(options.connectTimeout, Self.patience)
        RedisConnection.openServer(server, options: hasty, on: eventLoop) { result in
            switch result {
            case .failure(let error): next(.failure(error), nil)
            case .success(let connection):
                let batch = ReplyBatch(count: 1) { outcomes in
                    let outcome = outcomes.first ?? .failure(.noConnection)
                    if let error = outcome.serverError {
                        let told = RedisError(
                            code: error.code, message: "\(server.redacted): \(error.message)", effect: .notApplied)
                        return next(.failure(told), connection)
                    }
                    next(outcome, connection)
                }
                connection.core.submit(CollectionOfOne(command), to: .batch(batch), timeout: Self.patience)
            }
        }
    }
}

extension RedisNode {
    /// Host and port as two strings.
    fileprivate init?(_ value: RedisValue) {
        guard let host = value[0].string, !host.isEmpty, let port = value[1].string.flatMap(Int.init),
            (1...65_535).contains(port)
        else { return nil }
        self.init(host: host, port: port)
    }
}
