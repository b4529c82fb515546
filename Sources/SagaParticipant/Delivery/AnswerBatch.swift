import RedisTransport
import SagaCore
import SagaRedis
import SagaWire

/// The answers to a batch of commands: for each partition one transaction, of few large entries.
struct AnswerBatch {
    /// The most replies of one entry.
    static let entryReplies = 128
    /// The most bytes of an entry of several replies, and of what each echoes.
    static let entryBytes = 262_144
    static let echoBytes = 1_024

    fileprivate struct Part {
        /// Full entries for the reply stream, and the one that takes more.
        var replies: [Fields] = []
        var last = Fields()
        var repliesInLast = 0
        /// XADDs to the dead letters.
        var letters: [RedisCommand] = []
        var entries: [String] = []
    }

    private let keys: KeySpace
    private let service: String
    private let payloadKeys: PayloadKeys?
    private var parts: [Part]
    /// What the answers say.
    private(set) var counts = ParticipantCounts()

    init(keys: KeySpace, service: String, payloadKeys: PayloadKeys?) {
        self.payloadKeys = payloadKeys
        self.keys = keys
        self.service = service
        parts = Array(repeating: Part(), count: keys.partitions)
    }

    /// Answers a command, and acknowledges it.
    mutating func add(_ reply: ReplyMessage, to id: EntryID) {
        let reply = sealed(reply)
        counts.add(reply.outcome)
        parts[id.partition].append(reply)
        parts[id.partition].entries.append(id.entry)
    }

    private func sealed(_ reply: ReplyMessage) -> ReplyMessage {
        guard let payloadKeys, let result = reply.result else { return reply }
        var reply = reply
        do throws(PayloadKeyError) {
            reply.result = try payloadKeys.seal(result, of: reply.saga)
        } catch {
            // Nothing that should be secret leaves in plain text.
            reply = ReplyMessage(id: reply.id, outcome: .retry, error: error.description, code: RetryCode.payloadKey)
        }
        return reply
    }

    /// Moves an entry to the dead letters, and answers it where there is somebody to answer.
    mutating func add(_ letter: DeadLetter, with reply: ReplyMessage? = nil, for id: EntryID, at now: Milliseconds) {
        counts.dead += 1
        var command = RedisCommand("XADD", keys.dead(id.partition), "*")
        command.append(letter.fields(at: now))
        parts[id.partition].letters.append(command)
        if let reply {
            add(reply, to: id)
        } else {
            parts[id.partition].entries.append(id.entry)
        }
    }

    /// Acknowledges an entry that is gone.
    mutating func addLost(_ id: EntryID) {
        counts.lost += 1
        parts[id.partition].entries.append(id.entry)
    }

    /// The transactions, in the order of the partitions; the last command of each acknowledges its entries.
    var transactions: [(commands: [RedisCommand], entries: Int)] {
        parts.enumerated().filter { !$0.element.entries.isEmpty }.map { partition, part in
            let key = keys.reply(partition)
            var commands = part.fullAndLast.map { entry in
                var command = RedisCommand("XADD", key, "*")
                command.reserveCapacity(entry.bytes.count + 8 * entry.ends.count)
                command.append(entry)
                return command
            }
            var acknowledgement = RedisCommand("XACK", keys.command(partition, service: service), service)
            for entry in part.entries { acknowledgement.append(entry) }
            commands += part.letters
            commands.append(acknowledgement)
            return (commands, part.entries.count)
        }
    }
}

extension AnswerBatch.Part {
    fileprivate var fullAndLast: [Fields] { repliesInLast > 0 ? replies + [last] : replies }

    fileprivate mutating func append(_ reply: ReplyMessage) {
        let bytes = (reply.result?.count ?? 0) + (reply.error?.utf8.count ?? 0) + AnswerBatch.echoBytes
        let isFull = repliesInLast >= AnswerBatch.entryReplies || last.bytes.count + bytes > AnswerBatch.entryBytes
        if isFull, repliesInLast > 0 {
            replies.append(last)
            last = Fields()
            repliesInLast = 0
        }
        reply.append(to: &last)
        repliesInLast += 1
    }
}
