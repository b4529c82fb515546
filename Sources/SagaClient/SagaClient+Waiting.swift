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
    ///
    /// The end of the saga with this id: where it exists already, the start changes nothing, whatever it asks for.
    public func startAndWait(
        _ message: StartMessage, timeout: Duration
    ) async throws(ClientError) -> WaitOutcome {
        let keys = try await keys(waiting: true)
        let partition = keys.partition(of: message.saga)
        return try await OutcomeWatch.with(keys, partition: partition, client: self) { watch throws(ClientError) in
            try await start(message)
            return try await wait(for: message.saga, &watch, until: .now + timeout)
        }
    }

    /// Waits until a saga has ended or is stuck.
    ///
    /// A saga whose start is not read yet is waited for; one that nobody started is told at once.
    public func wait(for saga: String, timeout: Duration) async throws(ClientError) -> WaitOutcome {
        guard Names.isSagaID(saga) else { throw .refused("'\(saga)' is no saga id") }
        let keys = try await keys(waiting: true)
        let partition = keys.partition(of: saga)
        let end = ContinuousClock.now + timeout
        return try await OutcomeWatch.with(keys, partition: partition, client: self) { watch throws(ClientError) in
            if try await self.saga(saga) == nil {
                guard try await isBegun(saga, in: partition, keys, until: end) else {
                    return ContinuousClock.now < end ? .absent : .timedOut
                }
            }
            return try await wait(for: saga, &watch, until: end)
        }
    }

    /// Reads the saga once, then follows the outcome stream from where it was before.
    private func wait(
        for saga: String, _ watch: inout OutcomeWatch, until end: ContinuousClock.Instant
    ) async throws(ClientError) -> WaitOutcome {
        if let outcome = try await ending(of: saga) { return outcome }
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
            guard watch.takeBreak() else { continue }
            do throws(ClientError) {
                if let outcome = try await ending(of: saga) { return outcome }
            } catch {
                // Still broken: the caller's time decides how long to go on.
                guard case .unreachable = error else { throw error }
            }
        }
        return .timedOut
    }

    private func ending(of saga: String) async throws(ClientError) -> WaitOutcome? {
        guard let view = try await self.saga(saga), let status = view.end else { return nil }
        return .ended(status, error: view.saga.error)
    }

    /// Waits until a saga that is not there has been begun, as long as its start may be unread: until all that the intake
    /// holds now is read. A caller that may not look there waits a second.
    private func isBegun(
        _ saga: String, in partition: Int, _ keys: KeySpace, until end: ContinuousClock.Instant
    ) async throws(ClientError) -> Bool {
        let last = RedisCommand("XREVRANGE", keys.intake(partition), "+", "-", "COUNT", "1")
        let position = RedisCommand("HGET", keys.state(partition), "intake")
        let patience = ContinuousClock.now + .seconds(1)
        let newest = try await unlessForbidden(last).map { StreamID($0[0][0].string) }
        while ContinuousClock.now < end {
            let mayBeUnread =
                if let newest, let read = try await unlessForbidden(position) {
                    StreamID(read.string) < newest
                } else {
                    ContinuousClock.now < patience
                }
            // After the look at the position: it may have been begun in between.
            if try await self.saga(saga) != nil { return true }
            guard mayBeUnread else { return false }
            do {
                try await Task.sleep(for: .milliseconds(50))
            } catch {
                throw .unreachable("cancelled")
            }
        }
        return false
    }

    /// The reply; nil where this user has no right to ask.
    private func unlessForbidden(_ command: RedisCommand) async throws(ClientError) -> RedisValue? {
        do throws(RedisError) {
            return try await client.send(command).value
        } catch {
            guard error.code == .noPermission else { throw ClientError(error) }
            return nil
        }
    }

    /// Gives an order, and waits for the coordinator's answer.
    ///
    /// - Returns: Why it was refused, or nil where it was accepted.
    /// - Throws: ``ClientError/unanswered(_:)`` where nobody answered in time; the order stands.
    public func order(_ message: ControlMessage, timeout: Duration = .seconds(30)) async throws(ClientError) -> String?
    {
        var message = message
        let id = message.id ?? "order-" + String(UInt64.random(in: .min ... .max), radix: 16)
        message.id = id
        if let result = message.result { message.result = try sealed(result, of: message.saga) }
        let fields = message.fields
        try check(fields, for: .control)
        let keys = try await keys()
        let partition = keys.partition(of: message.saga)
        return try await OutcomeWatch.with(keys, partition: partition, client: self) { watch throws(ClientError) in
            try await add([fields], to: keys.control(partition))
            let end = ContinuousClock.now + timeout
            while ContinuousClock.now < end {
                for case .answer(let answer) in try await watch.next(until: end) where answer.control == id {
                    return answer.error
                }
            }
            throw .unanswered(
                "no orchestrator has answered within \(timeout): the order stands, and is carried out when one runs")
        }
    }
}

/// An entry's id, in the stream's order; what is no id comes before all.
struct StreamID: Comparable {
    var milliseconds: UInt64 = 0
    var sequence: UInt64 = 0

    init(_ text: String?) {
        let parts = (text ?? "").split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = UInt64(parts[0]), let sequence = UInt64(parts[1]) else { return }
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    static func < (one: StreamID, other: StreamID) -> Bool {
        (one.milliseconds, one.sequence) < (other.milliseconds, other.sequence)
    }
}
