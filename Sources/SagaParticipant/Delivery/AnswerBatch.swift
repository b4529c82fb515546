import RedisTransport
import SagaCore
import SagaRedis
import SagaWire

/// The answers to a batch of commands: for each partition one transaction, of few large entries.
struct AnswerBatch {
    /// The most replies of one entry.
    static let entryReplies = 128
    /// The most bytes of an entry of several replies.
    static let entryBytes = 262_144

    fileprivate struct Part {
        /// XADDs to the reply stream; the last one may take more.
        var replies: [RedisCommand] = []
        var repliesInLast = 0
        /// XADDs to the dead letters.
        var letters: [RedisCommand] = []
        var entries: [String] = []
    }

    private let keys: KeySpace
    private let service: String
    private var parts: [Part]
    /// What the answers say.
    private(set) var counts = ParticipantCounts()

    init(keys: KeySpace, service: String) {
        self.keys = keys
        self.service = service
        parts = Array(repeating: Part(), count: keys.partitions)
    }

    /// Answers a command, and acknowledges it.
    mutating func add(_ reply: ReplyMessage, to id: EntryID) {
        counts.add(reply.outcome)
        parts[id.partition].append(reply.fields, key: keys.reply(id.partition))
        parts[id.partition].entries.append(id.entry)
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
            var acknowledgement = RedisCommand("XACK", keys.command(partition, service: service), service)
            for entry in part.entries { acknowledgement.append(entry) }
            return (part.replies + part.letters + [acknowledgement], part.entries.count)
        }
    }
}

extension AnswerBatch.Part {
    fileprivate mutating func append(_ reply: Fields, key: @autoclosure () -> String) {
        let isFull =
            repliesInLast >= AnswerBatch.entryReplies
            || replies.last.map { $0.byteCount + reply.bytes.count > AnswerBatch.entryBytes } ?? true
        if isFull {
            replies.append(RedisCommand("XADD", key(), "*"))
            repliesInLast = 0
        }
        replies[replies.count - 1].append(reply)
        repliesInLast += 1
    }
}
