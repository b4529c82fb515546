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
        let log = (0..<reply.value.count).map { reply.value[$0].bytes ?? [] }
        guard let first = log.first else { return .absent }
        do {
            let started: Started
            switch try LogCodec.decode(head: first) {
            case .started(let fact, _): started = fact
            case .tombstone(let tombstone): return .removed(tombstone)
            }
            let definition = try await definition(started.definition, started.version)
            var timeline: [TimelineEntry] = []
            let replayed = try SagaLog.replay(log, of: id, definition: { _, _ in definition }) {
                timeline += TimelineEntry.entries(of: $0, $1, $2)
            }
            switch replayed {
            case .saga(let saga): return .saga(SagaView(saga: saga, timeline: timeline))
            case .absent: return .absent
            case .tombstone(let tombstone): return .removed(tombstone)
            case .unknownDefinition(let name, let version):
                throw ClientError.unreadable("saga '\(id)': its definition \(name)@\(version) is not registered")
            }
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
