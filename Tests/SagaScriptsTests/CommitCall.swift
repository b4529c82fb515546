/// The keys and arguments of `partition_commit`, written down by the script's header and apart from the encoder.
struct CommitCall {
    struct Change {
        var saga: String
        var length: Int
        var entries: [String]
        var alarm: String
        var instant: String
        /// Names of indexes, and the instant of the start or nothing.
        var indexes: [(name: String, startedAt: String)]

        init(
            _ saga: String, length: Int = 0, entries: [String] = [], alarm: String = "keep", instant: String = "",
            indexes: [(name: String, startedAt: String)] = []
        ) {
            self.saga = saga
            self.length = length
            self.entries = entries
            self.alarm = alarm
            self.instant = instant
            self.indexes = indexes
        }
    }

    struct Dead {
        var stream: String
        var entry: String
        var message: Int
        var reason: String
        var saga: String

        init(
            _ stream: String, _ entry: String, message: Int = 0, reason: String = "malformed: it is",
            saga: String = ""
        ) {
            self.stream = stream
            self.entry = entry
            self.message = message
            self.reason = reason
            self.saga = saga
        }
    }

    var owner = "o1"
    var epoch = 1
    var sequence = 0
    var positions = ["0-0", "0-0", "0-0"]
    var verified = ""
    var changes: [Change] = []
    var commands: [(service: String, fields: [String])] = []
    /// Services, and the ids of their commands that are replaced.
    var replaced: [(service: String, id: String)] = []
    var outcomes: [[String]] = []
    var dead: [Dead] = []
    /// Topics and the positions in them.
    var events: [(topic: String, position: String)] = []

    private var services: [String] {
        var services: [String] = []
        for command in commands where !services.contains(command.service) { services.append(command.service) }
        return services
    }

    private var indexes: [String] {
        var indexes: [String] = []
        for index in changes.flatMap(\.indexes) where !indexes.contains(index.name) { indexes.append(index.name) }
        return indexes
    }

    var keys: [String] {
        [Key.state, Key.open, Key.ended, Key.outcome, Key.dead, Key.reply, Key.control, Key.intake]
            + changes.map { Key.log($0.saga) } + indexes.map { Key.index($0) } + services.map { Key.command($0) }
            + topics
    }

    /// The event streams that dead letters are about.
    private var topics: [String] {
        var topics: [String] = []
        for letter in dead where letter.stream.contains(":event:") && !topics.contains(letter.stream) {
            topics.append(letter.stream)
        }
        return topics
    }

    var arguments: [String] {
        let streams = Dictionary(
            uniqueKeysWithValues: services.enumerated().map {
                ($0.element, 9 + changes.count + indexes.count + $0.offset)
            })
        let places = Dictionary(
            uniqueKeysWithValues: indexes.enumerated().map { ($0.element, 9 + changes.count + $0.offset) })
        let keys = keys
        var arguments = [owner, "\(epoch)", "\(sequence)"] + positions + [verified]
        arguments += [changes.count, commands.count, outcomes.count, dead.count, indexes.count, replaced.count]
            .map(String.init)
        for one in replaced { arguments += ["\(streams[one.service] ?? 0)", one.service, one.id] }
        for change in changes {
            arguments += [change.saga, "\(change.length)", change.alarm, change.instant, "\(change.entries.count)"]
            arguments += ["\(change.indexes.count)"] + change.entries
            for index in change.indexes { arguments += ["\(places[index.name] ?? 0)", index.startedAt] }
        }
        for command in commands {
            arguments += ["\(streams[command.service] ?? 0)", "\(command.fields.count)"] + command.fields
        }
        for outcome in outcomes { arguments += ["\(outcome.count)"] + outcome }
        for letter in dead {
            arguments += [
                "\((keys.firstIndex(of: letter.stream) ?? -1) + 1)", letter.entry, "\(letter.message)", letter.reason,
                letter.saga,
            ]
        }
        for event in events { arguments += ["event:\(event.topic)", event.position] }
        return arguments
    }
}
