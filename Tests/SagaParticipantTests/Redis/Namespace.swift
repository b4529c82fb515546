import SagaTesting
import LocalRedis
import Logging
import RedisTransport
import SagaCore
import SagaParticipant
import SagaRedis
import SagaWire
import ServiceLifecycle
import Synchronization

/// The coordinator's side of a namespace, by hand: sends commands and reads what comes back.
struct Namespace: Sendable {
    static let name = "test"
    static let service = "stock"

    let server: LocalRedisServer
    let client: RedisClient
    let keys: KeySpace

    init(_ server: LocalRedisServer, partitions: Int = 2) {
        self.server = server
        keys = KeySpace(namespace: Self.name, partitions: partitions)
        client = RedisClient(endpoint: server.endpoint, logger: Logger(label: "test"))
    }

    /// A server of the test's own, with a namespace.
    static func with(
        partitions: Int = 2, appendOnly: LocalRedisServer.Options.AppendOnly = .no,
        _ body: (Namespace) async throws -> Void
    ) async throws {
        try await withLocalRedis(.init(appendOnly: appendOnly)) { server in
            let namespace = Namespace(server, partitions: partitions)
            try await namespace.open()
            try await body(namespace)
            await namespace.client.close()
        }
    }

    func open(protocol version: String = "1") async throws {
        _ = try await client.send(
            RedisCommand("HSET", keys.meta, "partitions", "\(keys.partitions)", "protocol", version))
    }

    func stream(_ partition: Int) -> String { keys.command(partition, service: Self.service) }

    /// Sends commands in one transaction a partition, and returns their entries in the commands' order.
    @discardableResult
    func send(_ commands: [Command]) async throws -> [String] {
        var entries: [Int: String] = [:]
        let byPartition = Dictionary(grouping: commands.indices) { keys.partition(of: commands[$0].saga) }
        for (partition, indices) in byPartition {
            let reply = try await client.transaction(
                indices.map { index in
                    var command = RedisCommand("XADD", stream(partition), "*")
                    command.append(commands[index].fields)
                    return command
                })
            for (position, index) in indices.enumerated() { entries[index] = reply.value[position].string }
        }
        return commands.indices.map { entries[$0] ?? "" }
    }

    /// Reads every reply that has come so far, with the entry that it came in.
    func replies() async throws -> [(entry: String, message: ReplyMessage)] {
        var replies: [(String, ReplyMessage)] = []
        for partition in 0..<keys.partitions {
            for entry in try await range(keys.reply(partition)) {
                for message in entry.fields.withViews({ InboxMessage.decode(entry: $0, of: .reply) }) {
                    guard case .reply(let reply) = try message.content.get() else { continue }
                    replies.append((entry.id, reply))
                }
            }
        }
        return replies
    }

    /// Waits until this many replies have come, and returns them all.
    func awaitReplies(_ count: Int) async throws -> [ReplyMessage] {
        try await eventually("\(count) replies") { try await replies().count >= count }
        return try await replies().map(\.message)
    }

    func awaitReply() async throws -> ReplyMessage? { try await awaitReplies(1).first }

    struct Entry {
        var id: String
        var fields: Fields
        var values: [String: String]
    }

    func range(_ key: String) async throws -> [Entry] {
        let reply = try await client.send(RedisCommand("XRANGE", key, "-", "+"))
        return (0..<reply.value.count).map { index in
            let values = reply.value[index][1]
            var entry = Entry(id: reply.value[index][0].string ?? "", fields: Fields(), values: [:])
            for field in stride(from: 0, to: values.count, by: 2) {
                let name = values[field].string ?? ""
                entry.fields.append("", suffix: name, values[field + 1].bytes ?? [])
                entry.values[name] = values[field + 1].string
            }
            return entry
        }
    }

    func dead() async throws -> [[String: String]] {
        var letters: [[String: String]] = []
        for partition in 0..<keys.partitions { letters += try await range(keys.dead(partition)).map(\.values) }
        return letters
    }

    /// How many commands are pending with any consumer.
    func pending() async throws -> Int {
        var count = 0
        for partition in 0..<keys.partitions {
            let reply = try await client.send(RedisCommand("XPENDING", stream(partition), Self.service))
            count += Int(reply.value[0].integer ?? 0)
        }
        return count
    }

    /// Takes everything that is there as another process would, and dies with it.
    func takeAndDie(consumer: String) async throws {
        for partition in 0..<keys.partitions {
            // It may exist: a refusal is none here.
            _ = await client.pipeline([
                RedisCommand("XGROUP", "CREATE", stream(partition), Self.service, "0", "MKSTREAM")
            ])
            _ = try await client.send(
                RedisCommand(
                    "XREADGROUP", "GROUP", Self.service, consumer, "COUNT", "1000", "STREAMS", stream(partition), ">"))
        }
    }
}

/// Runs a participant while `body` runs, then shuts it down in good order.
func running<Store: Barrier>(
    _ participant: Participant<Store>, _ body: (Participant<Store>) async throws -> Void
) async throws {
    let group = ServiceGroup(services: [participant], logger: Logger(label: "test"))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        try await body(participant)
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
}

/// Keeps what is logged.
final class LogRecorder: Sendable {
    private let lines = Mutex<[String]>([])

    var messages: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(recorder: self) } }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            recorder.lines.withLock { $0.append("\(event.message)") }
        }
    }
}

extension ParticipantOptions {
    /// Short waits, and no claims that a test has not asked for.
    static func test(_ change: (inout ParticipantOptions) -> Void = { _ in }) -> ParticipantOptions {
        var options = ParticipantOptions()
        options.block = .milliseconds(100)
        options.claimAfter = .seconds(3_600)
        change(&options)
        return options
    }
}

/// A participant over an in-memory barrier that counts the effects by key.
func counting(
    _ namespace: Namespace, options: ParticipantOptions = .test(), logger: Logger = Logger(label: "test"),
    barrier: MemoryBarrier<[String: Int]> = MemoryBarrier([:]), hooks: ParticipantHooks = ParticipantHooks(),
    _ register: (inout Handlers<MemoryBarrier<[String: Int]>>) -> Void = { _ in }
) -> Participant<MemoryBarrier<[String: Int]>> {
    Participant(
        service: Namespace.service, redis: namespace.server.endpoint, namespace: Namespace.name, barrier: barrier,
        options: options, logger: logger, hooks: hooks
    ) { service in
        for operation in ["reserve", "release"] {
            service.raw(operation) { context, transaction in
                transaction.state[context.key, default: 0] += 1
                return Array(context.saga.utf8)
            }
        }
        register(&service)
    }
}
