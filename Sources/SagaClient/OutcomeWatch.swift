import RedisTransport
import SagaRedis
import SagaWire

/// Follows a partition's outcomes from a point on, over a connection of its own, which is made anew where it breaks.
struct OutcomeWatch {
    private let key: String
    private let reader: RedisRouter
    private var position: String
    /// Whether the connection broke since somebody last looked.
    private var wasBroken = false

    /// Notes where the stream ends now.
    private init(_ keys: KeySpace, partition: Int, client: SagaClient) async throws(ClientError) {
        key = keys.outcome(partition)
        let last = RedisCommand("XREVRANGE", key, "+", "-", "COUNT", "1")
        let reply = try await asking { () async throws(RedisError) in try await client.client.send(last) }
        position = reply.value[0][0].string ?? "0-0"
        var options = client.client.options
        options.name = "skald-wait"
        reader = client.client.sibling(options: options)
    }

    /// Runs `body` with a watch, and closes its connection afterwards.
    static func with<Result>(
        _ keys: KeySpace, partition: Int, client: SagaClient,
        _ body: (inout OutcomeWatch) async throws(ClientError) -> Result
    ) async throws(ClientError) -> Result {
        var watch = try await OutcomeWatch(keys, partition: partition, client: client)
        let reader = watch.reader
        let result: Swift.Result<Result, ClientError>
        do throws(ClientError) {
            result = .success(try await body(&watch))
        } catch {
            result = .failure(error)
        }
        await reader.close()
        return try result.get()
    }

    /// Whether the connection broke since the last call: then what the stream told last may be told no more, where the
    /// server came back without its newest writes.
    mutating func takeBreak() -> Bool {
        defer { wasBroken = false }
        return wasBroken
    }

    /// What came next, at most until `end`; nothing where a slice of time passed without news, or the connection broke:
    /// the position stays, so nothing is missed.
    mutating func next(until end: ContinuousClock.Instant) async throws(ClientError) -> [Outcome] {
        let slice = max(.milliseconds(1), min(.seconds(2), end - .now))
        var read = RedisCommand("XREAD", "COUNT", "256", "BLOCK")
        read.append(max(1, Int64(slice / .milliseconds(1))))
        read.append("STREAMS")
        read.append(key)
        read.append(position)
        let reply: RedisReply
        do throws(RedisError) {
            reply = try await reader.blocking(read, for: slice)
        } catch {
            guard error.isTransient else { throw ClientError(error) }
            wasBroken = true
            do {
                try await Task.sleep(for: .milliseconds(100))
            } catch _ {
                throw .unreachable("cancelled")
            }
            return []
        }
        let entries = reply.value[0][1]
        var views: [FieldView] = []
        var outcomes: [Outcome] = []
        for index in 0..<entries.count {
            position = entries[index][0].string ?? position
            if let outcome = entries[index][1].withFieldViews(reusing: &views, { Outcome.decode($0) }) {
                outcomes.append(outcome)
            }
        }
        withExtendedLifetime(reply) {}
        return outcomes
    }
}
