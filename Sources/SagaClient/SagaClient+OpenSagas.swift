import Logging
import RedisTransport
import SagaCore
import SagaRedis
import SagaWire

extension SagaClient {
    /// Finds every step that fails: the last of its attempts has failed, or it is stuck. A saga whose log cannot be read
    /// is left out, and said in the log.
    ///
    /// Looks at all open sagas; a few pages of them are in memory at most.
    /// Redis: O(open sagas + entries of their logs).
    ///
    /// - Parameters:
    ///   - definition: Only steps of sagas of this definition.
    ///   - service: Only steps that this service executes.
    ///   - each: Told of each, in no particular order.
    public func failing(
        definition: String? = nil, service: String? = nil, each: (FailingStep) async -> Void
    ) async throws(ClientError) {
        let keys = try await keys()
        try await walkOpen(keys) { walk, found, _ throws(ClientError) in
            let ids = try await walk.next(keys, self.client)
            for (id, log) in zip(ids, try await self.logs(of: ids, in: walk.partition, keys)) {
                var trace = FailureTrace()
                do throws(ClientError) {
                    guard let saga = try await self.replayOpen(id, log, observe: { trace.observe($0, $2) }),
                        definition.map({ $0 == saga.definition.name }) ?? true
                    else { continue }
                    found += trace.failing(saga).filter { step in service.map { $0 == step.service } ?? true }
                } catch {
                    guard case .unreadable(let reason) = error else { throw error }
                    self.logger.error("a saga is left out", metadata: ["saga_id": "\(id)", "reason": "\(reason)"])
                }
            }
            return ids.count
        } each: { step in
            await each(step)
        }
    }

    /// How many sagas of each registered version, `name@version`, are not ended: one that has none can be retired.
    ///
    /// Reads the first entry of each open saga's log. Sagas that end or begin meanwhile may be counted or not.
    /// Redis: O(open sagas).
    ///
    /// - Returns: nil where this user may not look at open sagas.
    public func openCounts() async throws(ClientError) -> [String: Int]? {
        let keys: KeySpace
        do throws(ClientError) {
            keys = try await self.keys()
        } catch {
            // Definitions can be registered before anything runs.
            guard case .noNamespace = error else { throw error }
            return [:]
        }
        do throws(RedisError) {
            _ = try await client.send(RedisCommand("ZSCAN", keys.open(0), "0", "COUNT", "1"))
        } catch {
            guard error.code == .noPermission else { throw ClientError(error) }
            return nil
        }
        var counts: [String: Int] = [:]
        try await walkOpen(keys) { walk, found, _ throws(ClientError) in
            let ids = try await walk.next(keys, self.client)
            let firsts = ids.map { RedisCommand("LRANGE", keys.log(walk.partition, saga: $0), "0", "0") }
            for (id, result) in zip(ids, await self.client.pipeline(firsts)) {
                let reply = try await asking { () throws(RedisError) in try result.get() }
                guard let first = reply.value[0].bytes else { continue }
                do throws(ClientError) {
                    let started = try self.start(in: first, of: id)
                    found.append("\(started.definition)@\(started.version)")
                } catch {
                    self.logger.error("a saga is left out", metadata: ["saga_id": "\(id)", "reason": "\(error)"])
                }
            }
            return ids.count
        } each: { (definition: String) in
            counts[definition, default: 0] += 1
        }
        return counts
    }
}
