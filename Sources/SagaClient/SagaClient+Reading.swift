import RedisTransport
import SagaCore
import SagaRedis
public import SagaWire

extension SagaClient {
    /// A saga with its whole timeline; nil where there is none with this id, or none any more.
    ///
    /// Redis: O(entries of its log).
    public func saga(_ id: String) async throws(ClientError) -> SagaView? {
        guard case .saga(let view) = try await lookUp(id) else { return nil }
        return view
    }

    /// What is stored under a saga's id.
    ///
    /// Redis: O(entries of its log).
    public func lookUp(_ id: String) async throws(ClientError) -> StoredSaga {
        guard Names.isSagaID(id) else { throw .refused("'\(id)' is no saga id") }
        let keys = try await keys()
        let command = RedisCommand("LRANGE", keys.log(keys.partition(of: id), saga: id), "0", "-1")
        let reply = try await asking { () async throws(RedisError) in try await client.send(command) }
        return try await view(of: id, reply)
    }

    private func view(of id: String, _ reply: RedisReply) async throws(ClientError) -> StoredSaga {
        var timeline: [TimelineEntry] = []
        let replayed = try await replay(id, reply) { timeline += TimelineEntry.entries(of: $0, $1, $2) }
        switch replayed {
        case .saga(let saga): return .saga(SagaView(saga: saga, timeline: timeline, payloadKeys: payloadKeys))
        case .tombstone(let tombstone): return .removed(tombstone)
        case .absent, .unknownDefinition: return .absent
        }
    }

    /// Folds a stored log; a definition that is not registered is an error.
    ///
    /// - Parameter observe: Called for each entry with its directives and the saga after it.
    func replay(
        _ id: String, _ reply: RedisReply, observe: (LogEntry, [Directive], Saga) -> Void = { _, _, _ in }
    ) async throws(ClientError) -> SagaLog.Replayed {
        let log = (0..<reply.value.count).map { reply.value[$0].bytes ?? [] }
        guard let first = log.first else { return .absent }
        do {
            let started: Started
            switch try LogCodec.decode(head: first) {
            case .started(let fact, _): started = fact
            case .tombstone(let tombstone): return .tombstone(tombstone)
            }
            let definition = try await definition(started.definition, started.version)
            let replayed = try SagaLog.replay(log, of: id, definition: { _, _ in definition }, observe: observe)
            if case .unknownDefinition(let name, let version) = replayed {
                throw ClientError.unreadable("saga '\(id)': its definition \(name)@\(version) is not registered")
            }
            return replayed
        } catch let error as ClientError {
            throw error
        } catch {
            throw .unreadable("the log of saga '\(id)' cannot be read: \(error)")
        }
    }
}

/// What can be stored under a saga's id.
public enum StoredSaga: Sendable {
    case saga(SagaView)
    /// It ended, and was removed when its retention was over.
    case removed(Tombstone)
    case absent
}
