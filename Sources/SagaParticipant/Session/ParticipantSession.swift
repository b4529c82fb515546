import RedisTransport
import SagaRedis
import SagaWire
import ServiceLifecycle
import Synchronization

/// The life of a participant on one pair of connections: what was left behind, then what is new, until a graceful
/// shutdown or the first error.
///
/// Nothing that is read is forgotten: a command is acknowledged in the same transaction as its answer, so whatever
/// happens before that leaves it pending, and the next session begins with what is pending.
struct ParticipantSession<Store: Barrier> {
    let core: ParticipantCore<Store>
    let keys: KeySpace
    /// Those that it reads: all of them, or in a cluster one.
    let partitions: [Int]
    /// For blocking reads.
    let reader: RedisConnection
    let writer: RedisConnection
    var deliveries: DeliveryReader
    /// Answers on their way.
    var sent: [SentAnswers] = []
    var claims: ClaimRound
    /// Pending with this consumer and not read: commands that may be what kills it. See ``trySuspect()``.
    var suspects: [PendingEntry] = []
    private let readNew: RedisCommand
    private let readNewAtOnce: RedisCommand

    /// The rounds of answers that may be on their way before the next batch is performed.
    static var sentLimit: Int { 2 }

    struct SentAnswers {
        var pending: [PendingReply]
        var transactions: [Int]
        var entries: [EntryID]
        var counts: ParticipantCounts
    }

    init(
        core: ParticipantCore<Store>, keys: KeySpace, partitions: [Int], reader: RedisConnection,
        writer: RedisConnection
    ) {
        self.core = core
        self.keys = keys
        self.partitions = partitions
        self.reader = reader
        self.writer = writer
        deliveries = DeliveryReader(keys: keys, service: core.service, options: core.options)
        claims = ClaimRound(partitions: partitions.count, claimAfter: core.claimAfter)
        let streams = partitions.map { keys.command($0, service: core.service) }
        readNew = Self.read(core, streams, block: core.options.block)
        readNewAtOnce = Self.read(core, streams, block: nil)
    }

    /// Runs until a graceful shutdown: then it takes nothing more, and returns when all that it took is answered.
    mutating func run() async throws {
        do {
            try await makeGroups()
            try await recover()
            while !Task.isShuttingDownGracefully {
                try await checkHealth()
                if claims.isDue { try await claim() }
                if hasSuspectToTry { try await trySuspect() }
                await core.calls.waitForRoom()
                let reply =
                    claims.isUnderWay || hasSuspectToTry
                    ? try await reader.send(readNewAtOnce)
                    : try await reader.blocking(readNew, for: core.options.block)
                // On their way while it read; so a failure is noticed when a read ends, at the latest.
                try await confirm(leaving: 0)
                try await handle(deliveries.read(reply))
            }
            try await confirm(leaving: 0)
        } catch {
            core.noteSurvived(sent.flatMap(\.entries))
            throw error
        }
    }

    /// Makes the consumer groups, at the beginning of their streams: what was sent before there was a group counts.
    private func makeGroups() async throws(RedisError) {
        let commands = partitions.map { partition in
            var command = RedisCommand(
                "XGROUP", "CREATE", keys.command(partition, service: core.service), core.service, "0")
            command.append("MKSTREAM")
            return command
        }
        for result in await writer.pipeline(commands) {
            do {
                _ = try result.get()
            } catch  where error.code == .busyGroup {
                // It exists.
            }
        }
    }

    /// Ends the session where the answers of calls, which it does not wait for, were lost.
    private func checkHealth() async throws(RedisError) {
        if writer.isClosed {
            throw RedisError(
                code: .connectionClosed, message: "the connection for answers was lost", effect: .notApplied)
        }
        if core.calls.takeRecoveryNeeded(of: partitions) {
            throw RedisError(code: .connectionClosed, message: "an answer was lost", effect: .indeterminate)
        }
    }

    private static func read(_ core: ParticipantCore<Store>, _ streams: [String], block: Duration?) -> RedisCommand {
        var command = RedisCommand("XREADGROUP", "GROUP", core.service, core.consumer, "COUNT")
        command.append(core.options.readCount)
        if let block {
            command.append("BLOCK")
            command.append(max(1, Int64(milliseconds: block)))
        }
        command.append("STREAMS")
        for stream in streams { command.append(stream) }
        for _ in streams { command.append(">") }
        return command
    }
}

extension Int64 {
    fileprivate init(milliseconds duration: Duration) {
        self.init(duration / .milliseconds(1))
    }
}
