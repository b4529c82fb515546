import NIOCore
import Synchronization

/// Asks nodes for their slot map, one after the other, on one event loop, until one of them has one.
final class SlotMapFinder: Sendable {
    /// The most nodes that are asked.
    private static let most = 8

    private let endpoint: RedisEndpoint
    private let options: ConnectionOptions
    private let eventLoop: any EventLoop
    private let done: @Sendable (Result<SlotMap, RedisError>) -> Void

    private init(
        _ endpoint: RedisEndpoint, _ options: ConnectionOptions, on eventLoop: any EventLoop,
        done: @escaping @Sendable (Result<SlotMap, RedisError>) -> Void
    ) {
        self.endpoint = endpoint
        self.options = options
        self.eventLoop = eventLoop
        self.done = done
    }

    /// Calls `done` once, on the event loop.
    static func find(
        _ endpoint: RedisEndpoint, options: ConnectionOptions, nodes: [RedisNode], on eventLoop: any EventLoop,
        done: @escaping @Sendable (Result<SlotMap, RedisError>) -> Void
    ) {
        var hasty = options
        hasty.connectTimeout = min(options.connectTimeout, MasterFinder.patience)
        SlotMapFinder(endpoint, hasty, on: eventLoop, done: done)
            .ask(nodes.prefix(most), .connectFailed("the cluster has no nodes"))
    }

    private func ask(_ nodes: ArraySlice<RedisNode>, _ last: RedisError) {
        guard let node = nodes.first else {
            return done(.failure(.connectFailed("no node of the cluster tells its slots: \(last.message)")))
        }
        RedisConnection.openServer(endpoint.server(node), options: options, on: eventLoop) { result in
            switch result {
            case .failure(let error): self.failed(error, nodes)
            case .success(let connection):
                let batch = ReplyBatch(count: 2) { outcomes in
                    // The connection is open as long as somebody holds it.
                    withExtendedLifetime(connection) { self.answered(node, outcomes, nodes) }
                }
                connection.core.submit(
                    [RedisCommand("CLUSTER", "SLOTS"), RedisCommand("CLUSTER", "INFO")], to: .batch(batch),
                    timeout: MasterFinder.patience)
            }
        }
    }

    private func answered(_ node: RedisNode, _ outcomes: [Outcome], _ nodes: ArraySlice<RedisNode>) {
        do {
            let replies = try outcomes.map { try $0.get() }
            for reply in replies {
                if let error = reply.value.error { throw Self.told(error, by: node) }
            }
            let epoch = ServerInfo(replies[1])["cluster_current_epoch"].flatMap(Int64.init) ?? 0
            guard let map = SlotMap(replies[0].value, epoch: epoch, from: node) else {
                throw RedisError.connectFailed("\(node) knows nobody who serves slots")
            }
            done(.success(map))
        } catch let error as RedisError {
            failed(error, nodes)
        } catch {
            failed(.connectFailed("\(error)"), nodes)
        }
    }

    private static func told(_ error: RedisError, by node: RedisNode) -> RedisError {
        let text =
            error.message.contains("cluster support disabled")
            ? "\(node) is a server by itself, of no cluster: use redis://" : "\(node): \(error.message)"
        return RedisError(code: error.code, message: text, effect: .notApplied)
    }

    private func failed(_ error: RedisError, _ nodes: ArraySlice<RedisNode>) {
        switch error.code {
        case .noAuth, .wrongPass, .noPermission: done(.failure(error))
        default: ask(nodes.dropFirst(), error)
        }
    }
}
