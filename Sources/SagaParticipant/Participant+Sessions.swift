import Logging
import RedisTransport
import SagaRedis
import ServiceLifecycle
import Synchronization

extension Participant {
    /// One session after the other, until a graceful shutdown.
    func sessions() async throws {
        var pauses = Pauses()
        var lastReason: String?
        while !Task.isShuttingDownGracefully {
            let confirmed = counts.confirmed
            let begin = ContinuousClock.now
            do {
                var session = try await open()
                core.counts.withLock { $0.sessions += 1 }
                if lastReason != nil { core.logger.info("reading commands again") }
                lastReason = nil
                try await session.run()
                return
            } catch let error as ParticipantError {
                throw error
            } catch {
                try Task.checkCancellation()
                if Task.isShuttingDownGracefully { return }
                let reason = "\(error)"
                if reason != lastReason { report(error) }
                lastReason = reason
            }
            // A session that did something begins anew with short pauses.
            if counts.confirmed > confirmed || begin.duration(to: .now) > .seconds(10) { pauses = Pauses() }
            do {
                try await rest(pauses.next())
            } catch {
                try Task.checkCancellation()
                return
            }
        }
    }

    /// Says why a session ended. Losing the connection is the client's to say.
    private func report(_ error: any Error) {
        guard let error = error as? RedisError else {
            core.logger.warning("reading commands was interrupted", metadata: ["reason": "\(error)"])
            return
        }
        switch error.code {
        case .connectionClosed, .connectFailed, .timeout, .cancelled:
            core.logger.debug("reading commands was interrupted", metadata: ["reason": "\(error)"])
        case .noGroup, .unblocked:
            core.logger.warning(
                "a consumer group is gone; making it anew, from the beginning of its stream",
                metadata: ["reason": "\(error)"])
        default:
            core.logger.warning("reading commands was interrupted", metadata: ["reason": "\(error)"])
        }
    }

    /// Connects, and waits for the namespace.
    private func open() async throws -> ParticipantSession<Store> {
        let (core, reader, writer) = (core, reader, writer)
        let (keys, reading, writing) = try await cancelWhenGracefulShutdown {
            var pauses = Pauses()
            var isAnnounced = false
            while true {
                let connection = try await writer.connection()
                if let keys = try await NamespaceMeta.read(core.namespace, on: connection) {
                    try await core.clock.measure(on: connection)
                    return (keys, try await reader.connection(), connection)
                }
                if !isAnnounced {
                    core.logger.notice(
                        "waiting for the namespace: no orchestrator has opened it yet",
                        metadata: ["namespace": "\(core.namespace)"])
                    isAnnounced = true
                }
                try await Task.sleep(for: pauses.next())
            }
        }
        return ParticipantSession(core: core, keys: keys, reader: reading, writer: writing)
    }

    /// Sleeps, but not into a graceful shutdown.
    private func rest(_ pause: Duration) async throws {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: pause) }
    }
}

/// Pauses between attempts: doubling from 50 ms to 2 s, with jitter.
struct Pauses {
    private var base = 0.05

    mutating func next() -> Duration {
        defer { base = min(base * 2, 2) }
        return .seconds(base * Double.random(in: 0.75...1.25))
    }
}
