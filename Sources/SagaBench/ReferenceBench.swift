public import Logging
import RedisTransport
import SagaCore
import SagaRedis
import SagaWire

/// What the same messages cost when they are only moved: the yardstick for Skald's own figures.
///
/// The usual way of Redis queues: consumer groups on every stream, XACK and XDEL of each entry, the saga's place in a
/// hash. Batches and transactions as large as Skald's, the same transport, but no log, no timers, no fencing, no checks
/// and no logic. Starts, commands, replies and ends are the messages that Skald sends.
public struct ReferenceBench: Sendable {
    let options: BenchOptions
    let logger: Logger

    public init(_ options: BenchOptions, logger: Logger) {
        self.options = options
        self.logger = logger
    }

    /// Runs one measurement on keys of its own, which are removed afterwards.
    public func run() async throws -> BenchResult {
        try options.checkTopology()
        var options = options
        // One partition: a bare mover has nothing to share out.
        options.partitions = 1
        let keys = KeySpace(
            namespace: BenchOptions.randomNamespace("reference"), partitions: 1)
        let mover = ReferenceMover(
            keys: keys, options: options, client: options.makeClient(logger), reader: options.makeClient(logger))
        try await mover.prepare()
        let client = options.makeClient(logger)
        let starter = SagaStarter(
            keys: keys, definition: try options.definition(), options: options, client: client,
            reader: options.makeClient(logger))
        var services: [ReferenceService] = []
        for number in 1...options.steps {
            let service = ReferenceService(
                name: "service-\(number)", keys: keys, result: options.payload, client: options.makeClient(logger),
                reader: options.makeClient(logger))
            try await service.prepare()
            services.append(service)
        }
        let result = try await withThrowingTaskGroup(of: BenchResult?.self) { group in
            for service in services {
                group.addTask {
                    try await service.run()
                    return nil
                }
            }
            group.addTask {
                try await mover.run()
                return nil
            }
            group.addTask { [options] in try await Measurement(options: options, client: client).run(starter) }
            return try await group.firstResult()
        }
        try await removeNamespace(keys.namespace, client)
        return result
    }
}

/// Moves sagas on: a start becomes the first command, a reply the next one or the end.
struct ReferenceMover: Sendable {
    let keys: KeySpace
    let options: BenchOptions
    let client: RedisRouter
    let reader: RedisRouter
    private static let group = "mover"

    func prepare() async throws {
        for stream in [keys.intake(0), keys.reply(0)] {
            let create = RedisCommand("XGROUP", "CREATE", stream, Self.group, "0", "MKSTREAM")
            _ = try await client.send(create)
        }
    }

    func run() async throws {
        let streams = [keys.reply(0), keys.intake(0)]
        var read = RedisCommand("XREADGROUP", "GROUP", Self.group, "bench", "COUNT", "256", "BLOCK", "200", "STREAMS")
        for stream in streams { read.append(stream) }
        for _ in streams { read.append(">") }
        var views: [FieldView] = []
        while !Task.isCancelled {
            let reply = try await reader.blocking(read, for: .milliseconds(200))
            let moves = (0..<reply.value.count).map { index in
                move(reply.value[index][1], from: reply.value[index][0].string ?? "", &views)
            }
            withExtendedLifetime(reply) {}
            for move in moves { _ = try await move.get() }
        }
    }

    private func move(_ entries: RedisValue, from stream: String, _ views: inout [FieldView]) -> PendingReply {
        let inbox: InboxStream = stream == keys.intake(0) ? .intake : .reply
        var commands: [RedisCommand] = []
        var acknowledge = RedisCommand("XACK", stream, Self.group)
        var delete = RedisCommand("XDEL", stream)
        for index in 0..<entries.count {
            let entry = entries[index]
            guard let id = entry[0].string else { continue }
            acknowledge.append(id)
            delete.append(id)
            let messages = entry[1].withFieldViews(reusing: &views) { InboxMessage.decode(entry: $0, of: inbox) }
            for message in messages {
                guard case .success(let content) = message.content else { continue }
                switch content {
                case .start(let start): commands += advance(start.saga, to: 1, input: start.input)
                case .reply(let reply):
                    let step = (Int(reply.id.step.dropFirst("step-".count)) ?? 0) + 1
                    commands += advance(reply.saga, to: step, input: options.payload)
                default: break
                }
            }
        }
        return client.submitTransaction(commands + [acknowledge, delete])
    }

    /// Notes the saga's place, and sends its next command or its end.
    private func advance(_ saga: String, to step: Int, input: [UInt8]) -> [RedisCommand] {
        let state = RedisCommand("HSET", keys.log(0, saga: saga), "step", String(step))
        guard step <= options.steps else {
            var end = RedisCommand("XADD", keys.outcome(0), "*")
            end.append(
                OutcomeEntry(saga: saga, definition: "bench", version: 1, status: .completed, error: nil, at: 0).fields)
            return [state, end]
        }
        var send = RedisCommand("XADD", keys.command(0, service: "service-\(step)"), "*")
        send.append(
            Command(
                saga: saga, definition: "bench", version: 1, step: "step-\(step)", phase: .action, operation: "act",
                attempt: 1, era: 1_700_000_000_000, token: "0123456789abcdef0123456789abcdef", input: input,
                deadline: 1_700_000_000_000
            ).fields)
        return [state, send]
    }
}

/// A service of the reference: answers one entry a command, acknowledges and deletes.
struct ReferenceService: Sendable {
    let name: String
    let keys: KeySpace
    let result: [UInt8]
    let client: RedisRouter
    let reader: RedisRouter

    private var stream: String { keys.command(0, service: name) }

    func prepare() async throws {
        _ = try await client.send(RedisCommand("XGROUP", "CREATE", stream, name, "0", "MKSTREAM"))
    }

    func run() async throws {
        let read = RedisCommand(
            "XREADGROUP", "GROUP", name, "bench", "COUNT", "256", "BLOCK", "200", "STREAMS", stream, ">")
        var views: [FieldView] = []
        while !Task.isCancelled {
            let reply = try await reader.blocking(read, for: .milliseconds(200))
            let entries = reply.value[0][1]
            guard entries.count > 0 else { continue }
            var commands: [RedisCommand] = []
            var acknowledge = RedisCommand("XACK", stream, name)
            var delete = RedisCommand("XDEL", stream)
            for index in 0..<entries.count {
                guard let id = entries[index][0].string,
                    let command = try? entries[index][1].withFieldViews(
                        reusing: &views, { views throws(DeadReason) in try Command.decode(views) })
                else { continue }
                var answer = RedisCommand("XADD", keys.reply(0), "*")
                answer.append(ReplyMessage(id: command.id, outcome: .succeeded, result: result).fields)
                commands.append(answer)
                acknowledge.append(id)
                delete.append(id)
            }
            let answer = client.submitTransaction(commands + [acknowledge, delete])
            withExtendedLifetime(reply) {}
            _ = try await answer.get()
        }
    }
}
