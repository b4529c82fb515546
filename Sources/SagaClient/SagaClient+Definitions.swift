import RedisTransport
public import SagaCore
import SagaRedis
import SagaStore
import SagaWire
import Synchronization

extension SagaClient {
    /// Registers a definition; works on a namespace that no orchestrator has initialised yet.
    ///
    /// Returns when the registration is confirmed: a replica has it, where the server has replicas; else the server itself
    /// has answered, which under `appendfsync always` means that it is on the disk. A user who may not ask (`WAIT`) gets no
    /// more than the server's answer.
    ///
    /// Redis: O(1).
    ///
    /// - Parameter timeout: How long a replica may take, in milliseconds.
    /// - Throws: ``ClientError/unanswered(_:)`` where none has confirmed it in time: the definition is registered, and may
    ///   be registered again to wait for it once more.
    /// - Returns: False where the name and version are registered with other content.
    public func register(
        _ definition: Definition, timeout: Milliseconds = 5_000
    ) async throws(ClientError) -> Bool {
        let store = RedisSagaStore(endpoint: endpoint, namespace: namespace, logger: logger)
        defer { definitionCache.withLock { $0[definition.id] = nil } }
        let result: Result<RedisSagaStore.Registration, StoreError>
        do throws(StoreError) {
            result = .success(
                try await store.registerConfirmed(
                    id: definition.id, canonical: definition.canonicalJSON, timeout: timeout))
        } catch {
            result = .failure(error)
        }
        await store.close()
        do throws(StoreError) {
            switch try result.get() {
            case .registered: return true
            case .refused: return false
            case .unconfirmed: break
            }
        } catch {
            throw error.code == .unavailable ? .unreachable(error.message) : .refused(error.message)
        }
        throw .unanswered(
            "\(definition.id) is registered, but no replica has confirmed that within \(timeout) ms: a failover may lose "
                + "it, so apply it again when the replicas are back")
    }

    /// All registered definitions, by name and version.
    public func definitions() async throws(ClientError) -> [Definition] {
        let command = RedisCommand("HVALS", KeySpace.definitions(of: namespace))
        let reply = try await asking { () async throws(RedisError) in try await client.send(command) }.value
        var definitions: [Definition] = []
        for index in 0..<reply.count {
            do {
                definitions.append(try Definition.decode(canonical: reply[index].bytes ?? []))
            } catch {
                throw .unreadable("a registered definition cannot be read: \(error)")
            }
        }
        return definitions.sorted { ($0.name, $0.version) < ($1.name, $1.version) }
    }

    /// Looks up one definition; a registered one never changes, so it is read once.
    func definition(_ name: String, _ version: Int) async throws(ClientError) -> Definition? {
        let id = "\(name)@\(version)"
        if let known = definitionCache.withLock({ $0[id] }) { return known }
        let command = RedisCommand("HGET", KeySpace.definitions(of: namespace), id)
        let reply = try await asking { () async throws(RedisError) in try await client.send(command) }
        guard let canonical = reply.value.bytes else { return nil }
        do {
            let definition = try Definition.decode(canonical: canonical)
            definitionCache.withLock { $0[id] = definition }
            return definition
        } catch {
            throw .unreadable("definition \(id) cannot be read: \(error)")
        }
    }
}
