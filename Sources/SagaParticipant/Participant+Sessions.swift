import Logging
import RedisTransport
import SagaRedis
import ServiceLifecycle
import Synchronization

extension Participant {
    /// Sessions until a graceful shutdown: one after the other, or in a cluster, where one command reads one partition, as
    /// many side by side as there are partitions.
    func sessions() async throws {
        guard writer.spansNodes else { return try await sessions(over: nil, reader) }
        var pauses = Pauses()
        while !Task.isShuttingDownGracefully {
            do {
                let keys = try await cancelWhenGracefulShutdown { try await self.namespace() }
                return try await withThrowingTaskGroup(of: Void.self) { group in
                    for partition in 0..<keys.partitions {
                        let reader = reader.sibling()
                        group.addTask {
                            // On an error or in good order: its connections are of no use any more.
                            let result = await self.result(over: partition, reader)
                            await reader.close()
                            try result.get()
                        }
                    }
                    try await group.waitForAll()
                }
            } catch let error as RedisError {
                try Task.checkCancellation()
                core.logger.debug("the namespace cannot be read", metadata: ["reason": "\(error)"])
            } catch {
                if Task.isShuttingDownGracefully, error is CancellationError { return }
                throw error
            }
            // Ends early with a graceful shutdown, which the loop looks at.
            try? await rest(pauses.next())
        }
    }

    private func result(over partition: Int, _ reader: RedisRouter) async -> Result<Void, any Error> {
        do {
            return .success(try await sessions(over: partition, reader))
        } catch {
            return .failure(error)
        }
    }

    private func sessions(over partition: Int?, _ reader: RedisRouter) async throws {
        var pauses = Pauses()
        var lastReason: String?
        while !Task.isShuttingDownGracefully {
            let confirmed = counts.confirmed
            let begin = ContinuousClock.now
            do {
                var session = try await open(partition, reader)
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
                if let error = error as? RedisError { writer.note(error) }
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
        case .connectionClosed, .connectFailed, .timeout, .cancelled, .moved, .ask, .tryAgain, .clusterDown:
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
    private func open(_ partition: Int?, _ reader: RedisRouter) async throws -> ParticipantSession<Store> {
        let (core, writer) = (core, writer)
        let (keys, partitions, reading, writing) = try await cancelWhenGracefulShutdown {
            let keys = try await self.namespace()
            let partitions = partition.map { [$0] } ?? Array(0..<keys.partitions)
            let key = keys.command(partitions[0], service: core.service)
            let connection = try await writer.connection(for: key)
            try await core.clock.measure(on: connection)
            return (keys, partitions, try await reader.connection(for: key), connection)
        }
        return ParticipantSession(core: core, keys: keys, partitions: partitions, reader: reading, writer: writing)
    }

    /// The namespace, once an orchestrator has opened it.
    private func namespace() async throws -> KeySpace {
        var pauses = Pauses()
        var isAnnounced = false
        while true {
            if let keys = try await NamespaceMeta.read(core.namespace, through: writer) { return keys }
            if !isAnnounced {
                core.logger.notice(
                    "waiting for the namespace: no orchestrator has opened it yet",
                    metadata: ["namespace": "\(core.namespace)"])
                isAnnounced = true
            }
            try await Task.sleep(for: pauses.next())
        }
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
