package import RedisTransport
import SagaCore
import SagaStore
package import SagaWire

/// A commit as the keys and arguments of `partition_commit.lua`, in the order of its header.
struct CommitEncoder {
    let keyNames: [String]
    private let commit: PartitionCommit
    /// Commands, then events: each with the index in KEYS, from 1, of its stream.
    private let entries: [(stream: Int, fields: Fields)]
    /// Commands that others replace.
    private let replaced: [(stream: Int, service: String, id: StreamID)]
    /// Likewise of each index.
    private let indexes: [SagaIndex: Int]

    /// Index in KEYS, from 1, of the inbound streams.
    private static let inbox: [InboxStream: Int] = [.reply: 6, .control: 7, .intake: 8]
    /// Likewise of topics that are written to, or that dead letters are about.
    private let topics: [String: Int]

    init(_ commit: PartitionCommit, keys: KeySpace) {
        self.commit = commit
        let partition = commit.fence.partition
        var names = [
            keys.state(partition), keys.open(partition), keys.ended(partition), keys.outcome(partition),
            keys.dead(partition), keys.reply(partition), keys.control(partition), keys.intake(partition),
        ]
        names.reserveCapacity(names.count + commit.changes.count + 8)
        for change in commit.changes { names.append(keys.log(partition, saga: change.saga)) }
        var indexes: [SagaIndex: Int] = [:]
        for change in commit.changes {
            for index in change.indexes where indexes[index.index] == nil {
                names.append(keys.index(partition, index.index))
                indexes[index.index] = names.count
            }
        }
        var entries: [(stream: Int, fields: Fields)] = []
        entries.reserveCapacity(commit.commands.count + commit.events.count)
        var services: [String: Int] = [:]
        var replaced: [(stream: Int, service: String, id: StreamID)] = []
        for command in commit.commands {
            if services[command.service] == nil {
                names.append(keys.command(partition, service: command.service))
                services[command.service] = names.count
            }
            entries.append((services[command.service] ?? 0, command.fields))
            if let id = command.replaced { replaced.append((services[command.service] ?? 0, command.service, id)) }
        }
        var topics: [String: Int] = [:]
        for event in commit.events {
            if topics[event.topic] == nil {
                names.append(keys.event(partition, topic: event.topic))
                topics[event.topic] = names.count
            }
            entries.append((topics[event.topic] ?? 0, event.fields))
        }
        for case .event(let topic) in commit.dead.lazy.map(\.stream) where topics[topic] == nil {
            names.append(keys.event(partition, topic: topic))
            topics[topic] = names.count
        }
        self.topics = topics
        keyNames = names
        self.entries = entries
        self.replaced = replaced
        self.indexes = indexes
    }

    func encode(into command: inout RedisCommand) {
        command.append(commit.fence.owner)
        command.append(commit.fence.epoch)
        command.append(commit.fence.sequence)
        command.append(commit.positions.reply)
        command.append(commit.positions.control)
        command.append(commit.positions.intake)
        command.append(commit.verifiedEra.map(String.init) ?? "")
        command.append(commit.changes.count)
        command.append(entries.count)
        command.append(commit.outcomes.count)
        command.append(commit.dead.count)
        command.append(indexes.count)
        command.append(replaced.count)
        for (stream, service, id) in replaced {
            command.append(stream)
            command.append(service)
            command.append("\(id)")
        }
        for change in commit.changes { encode(change, into: &command) }
        for entry in entries {
            command.append(entry.stream)
            command.append(entry.fields.count * 2)
            command.append(entry.fields)
        }
        for fields in commit.outcomes {
            command.append(fields.count * 2)
            command.append(fields)
        }
        for mark in commit.dead {
            command.append(mark.stream.topic.flatMap { topics[$0] } ?? Self.inbox[mark.stream] ?? 0)
            command.append(mark.entry)
            command.append(mark.position)
            command.append(mark.reason.description)
            command.append(mark.saga ?? "")
        }
        for (topic, position) in commit.movedEvents {
            command.append(InboxStream.event(topic).name)
            command.append(position)
        }
    }

    private func encode(_ change: SagaChange, into command: inout RedisCommand) {
        command.append(change.saga)
        command.append(change.firstIndex)
        switch change.alarm {
        case .keep:
            command.append("keep")
            command.append("")
        case .never:
            command.append("never")
            command.append("")
        case .gone:
            command.append("gone")
            command.append("")
        case .at(let instant):
            command.append("at")
            command.append(instant)
        case .ended(let instant):
            command.append("ended")
            command.append(instant)
        case .rested:
            command.append("rested")
            command.append("")
        }
        command.append(change.entries.count)
        command.append(change.indexes.count)
        for entry in change.entries { command.append(entry) }
        for index in change.indexes {
            command.append(indexes[index.index] ?? 0)
            if let startedAt = index.startedAt { command.append(startedAt) } else { command.append("") }
        }
    }
}

extension RedisCommand {
    /// Appends a message's names and values as arguments.
    package mutating func append(_ fields: Fields) {
        var start = 0
        for end in fields.ends {
            append(fields.bytes[start..<end])
            start = end
        }
    }
}
