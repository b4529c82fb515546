import RedisTransport
import SagaCore
import SagaRedis
import SagaStore
import Synchronization

/// What the orchestrators tell starters.
extension SagaClient {
    /// Whether sagas are begun; nil where they are. Asked once a second at most.
    ///
    /// Redis: O(1).
    func overload() async throws(ClientError) -> Overload? {
        let now = ContinuousClock.now
        if let (overload, at) = seenOverload.withLock({ $0 }), now - at < .seconds(1) { return overload }
        let overload = try await readOverload()
        seenOverload.withLock { $0 = (overload, now) }
        return overload
    }

    /// It holds until an instant of the server: an orchestrator that is gone cannot take it back.
    func readOverload() async throws(ClientError) -> Overload? {
        let commands = [RedisCommand("HGET", KeySpace.meta(of: namespace), "overloaded"), RedisCommand("TIME")]
        var values: [RedisValue] = []
        for result in await client.pipeline(commands) {
            values.append(try await asking { () throws(RedisError) in try result.get() }.value)
        }
        let words = (values[0].string ?? "").split(separator: " ")
        guard words.count == 3, let used = Int(words[0]), let allowed = Int(words[1]), let until = Int64(words[2]),
            let seconds = values[1][0].string.flatMap(Int64.init), until / 1_000 >= seconds
        else { return nil }
        return Overload(used: used, allowed: allowed)
    }
}
