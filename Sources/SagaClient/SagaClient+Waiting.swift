import RedisTransport
public import SagaCore
import SagaRedis
public import SagaWire

/// How waiting for a saga ended.
public enum WaitOutcome: Sendable, Hashable {
    case ended(Saga.Status, error: String?)
    /// The start went to the dead letters.
    case refused(String)
    case timedOut
    /// There is no such saga.
    case absent
}

extension SagaClient {
    /// Starts a saga and waits for its end.
    public func startAndWait(
        _ message: StartMessage, timeout: Duration
    ) async throws(ClientError) -> WaitOutcome {
        let keys = try await keys()
        let watch = try await OutcomeWatch(keys, partition: keys.partition(of: message.saga), client: self)
        try await start(message)
        return try await wait(for: message.saga, watch, timeout: timeout, mayBeUnread: true)
    }

    /// Waits until a saga has ended or is stuck.
    public func wait(for saga: String, timeout: Duration) async throws(ClientError) -> WaitOutcome {
        let keys = try await keys()
        let watch = try await OutcomeWatch(keys, partition: keys.partition(of: saga), client: self)
        return try await wait(for: saga, watch, timeout: timeout, mayBeUnread: false)
    }

    /// Reads the saga once, then follows the outcome stream from where it was before.
    private func wait(
        for saga: String, _ watch: OutcomeWatch, timeout: Duration, mayBeUnread: Bool
    ) async throws(ClientError) -> WaitOutcome {
        let end = ContinuousClock.now + timeout
        var watch = watch
        if let view = try await self.saga(saga) {
            if let status = view.end { return .ended(status, error: view.saga.error) }
        } else if !mayBeUnread {
            // Its start may be in the intake, not read yet.
            guard try await isStarted(saga, until: min(end, .now + .seconds(1))) else { return .absent }
        }
        while ContinuousClock.now < end {
            for outcome in try await watch.next(until: end) {
                guard case .end(let entry) = outcome, entry.saga == saga else { continue }
                switch entry.status {
                case .completed: return .ended(.completed, error: nil)
                case .compensated: return .ended(.compensated, error: entry.error)
                case .stuck: return .ended(.stuck, error: entry.error)
                case .refused: return .refused(entry.error ?? "the start was refused")
                }
            }
        }
        return .timedOut
    }

    private func isStarted(_ saga: String, until end: ContinuousClock.Instant) async throws(ClientError) -> Bool {
        while try await self.saga(saga) == nil {
            guard ContinuousClock.now < end else { return false }
            do {
                try await Task.sleep(for: .milliseconds(50))
            } catch {
                return false
            }
        }
        return true
    }

    /// Gives an order, and waits for the coordinator's answer.
    ///
    /// - Returns: Why it was refused, or nil where it was accepted.
    public func order(_ message: ControlMessage, timeout: Duration = .seconds(30)) async throws(ClientError) -> String?
    {
        let keys = try await keys()
        let partition = keys.partition(of: message.saga)
        var message = message
        let id = message.id ?? "order-" + String(UInt64.random(in: .min ... .max), radix: 16)
        message.id = id
        var watch = try await OutcomeWatch(keys, partition: partition, client: self)
        try await add([message.fields], to: keys.control(partition))
        let end = ContinuousClock.now + timeout
        while ContinuousClock.now < end {
            for case .answer(let answer) in try await watch.next(until: end) where answer.control == id {
                return answer.error
            }
        }
        throw .unreachable("no orchestrator has answered within \(timeout): is one running?")
    }
}

/// Follows a partition's outcomes from a point on, over a connection of its own, which is made anew where it breaks.
struct OutcomeWatch {
    private let key: String
    private let reader: RedisClient
    private var position: String

    /// Notes where the stream ends now.
    init(_ keys: KeySpace, partition: Int, client: SagaClient) async throws(ClientError) {
        key = keys.outcome(partition)
        reader = RedisClient(endpoint: client.endpoint, logger: client.logger)
        let last = RedisCommand("XREVRANGE", key, "+", "-", "COUNT", "1")
        let reply = try await asking { () async throws(RedisError) in try await client.client.send(last) }
        position = reply.value[0][0].string ?? "0-0"
    }

    /// What came next, at most until `end`; nothing where a slice of time passed without news, or the connection broke:
    /// the position stays, so nothing is missed.
    mutating func next(until end: ContinuousClock.Instant) async throws(ClientError) -> [Outcome] {
        let slice = max(.milliseconds(1), min(.seconds(2), end - .now))
        var read = RedisCommand("XREAD", "COUNT", "256", "BLOCK")
        read.append(max(1, slice.milliseconds))
        read.append("STREAMS")
        read.append(key)
        read.append(position)
        let reply: RedisReply
        do throws(RedisError) {
            reply = try await reader.blocking(read, for: slice)
        } catch {
            guard error.isTransient else { throw ClientError(error) }
            // Ends with the caller's own time.
            try? await Task.sleep(for: .milliseconds(100))
            if Task.isCancelled { throw .unreachable("cancelled") }
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
