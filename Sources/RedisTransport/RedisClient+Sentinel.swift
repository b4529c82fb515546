import Logging
import NIOCore

// Following the master that sentinels name.
extension RedisClient {
    /// How often sentinels are asked while there is a connection.
    private static let checkInterval = TimeAmount.seconds(1)

    /// Leaves the connection when its server shows that it is no master any more, or when the sentinels name another one.
    func followMaster(from connection: RedisConnection) {
        guard case .sentinel = endpoint.address else { return }
        connection.core.endWithDemotion()
        scheduleCheck(of: connection.core, at: connection.address)
    }

    private func scheduleCheck(of core: ConnectionCore, at address: RedisEndpoint.Address?) {
        // Clients that lost one master need not ask in step.
        let interval = Int64(Double(Self.checkInterval.nanoseconds) * Double.random(in: 0.8..<1.2))
        eventLoop.scheduleTask(in: .nanoseconds(interval)) { [weak self, weak core] in
            guard let self, let core, core.closeReason == nil else { return }
            check(core, at: address)
        }
    }

    private func check(_ core: ConnectionCore, at address: RedisEndpoint.Address?) {
        guard case .sentinel(let sentinels, let master) = endpoint.address, case .tcp(let host, let port) = address
        else { return }
        let known = RedisNode(host: host, port: port)
        MasterFinder.find(
            endpoint, options: options, sentinels: sentinels, master: master, known: known, on: eventLoop
        ) { [weak self, weak core] result in
            guard let self, let core else { return }
            switch result {
            case .found(let successor):
                core.close(
                    RedisError(
                        code: .connectionClosed,
                        message: "the sentinels name another master instead of \(known): \(successor.name)",
                        effect: .indeterminate))
            case .unchanged, .failed:
                // Sentinels that do not answer are no reason to leave a server that does.
                scheduleCheck(of: core, at: address)
            }
        }
    }
}

extension RedisConnection {
    fileprivate var name: String {
        guard case .tcp(let host, let port) = address else { return "a server" }
        return "\(RedisNode(host: host, port: port))"
    }
}
