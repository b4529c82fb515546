import GRDB
import LocalRedis
import RedisTransport
import SagaCore
import SagaParticipant
import SagaParticipantSQLite
import SagaRedis
import SagaWire
import SagaTesting
import Testing

@Suite("A participant on Redis")
struct ParticipantTests {
    struct Order: Codable {
        var item: String
        var count: Int
    }

    struct Reservation: Codable {
        var left: Int
    }

    @Test("Typed handlers on SQLite: an effect, a refusal and a compensation, each answered and acknowledged")
    func roundTrip() async throws {
        try await Namespace.with { namespace in
            let database = try temporaryDatabase()
            try await database.write { db in
                try db.execute(sql: "CREATE TABLE stock (item TEXT PRIMARY KEY, count INTEGER NOT NULL)")
                try db.execute(sql: "INSERT INTO stock VALUES ('hat', 5)")
            }
            let participant = Participant(
                service: Namespace.service, redis: namespace.server.endpoint, namespace: Namespace.name,
                barrier: try SQLiteBarrier(database), options: .test(), logger: LogRecorder().logger
            ) { service in
                service.on("reserve") { (order: Order, step, db) in
                    let left = try Int.fetchOne(
                        db, sql: "UPDATE stock SET count = count - ? WHERE item = ? RETURNING count",
                        arguments: [order.count, order.item])
                    guard let left, left >= 0 else { throw Refusal("out-of-stock", "too few") }
                    return Reservation(left: left)
                }
                service.on("release") { (order: Order, step, db) in
                    let reservation: Reservation? = try step.actionResult()
                    #expect(reservation?.left == 2)
                    try db.execute(
                        sql: "UPDATE stock SET count = count + ? WHERE item = ?", arguments: [order.count, order.item])
                }
            }
            try await running(participant) { _ in
                var undo = Command.test(.compensation, saga: "a", known: true, input: #"{"item":"hat","count":3}"#)
                undo.results = [.init(step: "reserve", payload: Array(#"{"left":2}"#.utf8))]
                try await namespace.send([.test(.action, saga: "a", input: #"{"item":"hat","count":3}"#)])
                let first = try await namespace.awaitReply()
                #expect(first?.outcome == .succeeded)
                #expect(first?.result.map { String(decoding: $0, as: UTF8.self) } == #"{"left":2}"#)
                try await namespace.send([.test(.action, saga: "b", input: #"{"item":"hat","count":4}"#)])
                #expect(try await namespace.awaitReplies(2).first { $0.saga == "b" }?.code == "out-of-stock")
                try await namespace.send([undo, .test(.action, saga: "c", input: "[1]")])
                let replies = try await namespace.awaitReplies(4)
                #expect(replies.first { $0.id == undo.id }?.outcome == .succeeded)
                #expect(replies.first { $0.saga == "c" }?.code == "invalid-input")
            }
            #expect(try await namespace.pending() == 0)
            #expect(try await database.read { try Int.fetchOne($0, sql: "SELECT count FROM stock") } == 5)
        }
    }

    @Test(
        "Handlers see encrypted payloads plain; what they return goes out encrypted; a missing key is passing trouble")
    func encryption() async throws {
        let keys = try PayloadKeys(parsing: PayloadKeys.newLine(id: "new"), name: "keys")
        let others = try PayloadKeys(parsing: PayloadKeys.newLine(id: "other"), name: "keys")
        try await Namespace.with { namespace in
            var options = ParticipantOptions.test()
            options.payloadKeys = keys
            let participant = Participant(
                service: Namespace.service, redis: namespace.server.endpoint, namespace: Namespace.name,
                barrier: MemoryBarrier(0), options: options, logger: LogRecorder().logger
            ) { service in
                service.raw("reserve") { context, _ in context.input }
                service.raw("release") { context, _ in context.actionResult }
            }
            try await running(participant) { _ in
                let plain = Array("secret".utf8)
                var action = Command.test(.action, saga: "a")
                action.input = try keys.seal(plain, of: "a")
                var strange = Command.test(.action, saga: "b")
                strange.input = try others.seal(plain, of: "b")
                try await namespace.send([action, strange])
                let replies = Dictionary(
                    uniqueKeysWithValues: try await namespace.awaitReplies(2).map { ($0.saga, $0) })
                let sealed = try #require(replies["a"]?.result)
                #expect(PayloadKeys.isSealed(sealed))
                #expect(try keys.open(sealed, of: "a") == plain)
                let refused = replies["b"]
                #expect(refused?.outcome == .retry)
                #expect(refused?.code == "payload-key")
                #expect(refused?.error?.contains("key 'other'") == true)

                var undo = Command.test(.compensation, saga: "a", known: true)
                undo.input = action.input
                undo.results = [.init(step: "reserve", payload: sealed)]
                try await namespace.send([undo])
                let undone = try await namespace.awaitReplies(3).first { $0.id == undo.id }
                let result = try #require(undone?.result)
                #expect(try keys.open(result, of: "a") == plain)
            }
        }
    }

    @Test("A batch of one partition is answered by one entry")
    func batchAnswer() async throws {
        try await Namespace.with(partitions: 1) { namespace in
            let commands = (0..<100).map { Command.test(.action, saga: "saga-\($0)") }
            try await namespace.send(commands)
            try await running(counting(namespace)) { _ in
                let replies = try await namespace.awaitReplies(100)
                #expect(replies.map(\.id) == commands.map(\.id))
                #expect(replies.allSatisfy { $0.result.map { String(decoding: $0, as: UTF8.self) } == $0.saga })
                #expect(Set(try await namespace.replies().map(\.entry)).count == 1)
            }
            #expect(try await namespace.pending() == 0)
        }
    }

    @Test("Large answers are spread over entries of bounded size")
    func largeAnswers() async throws {
        try await Namespace.with(partitions: 1) { namespace in
            try await namespace.send((0..<40).map { .test(.action, saga: "saga-\($0)", operation: "large") })
            let participant = counting(namespace) { service in
                service.raw("large") { _, _ in [UInt8](repeating: 120, count: 20_000) }
            }
            try await running(participant) { _ in
                let replies = try await namespace.awaitReplies(40)
                #expect(replies.allSatisfy { $0.result?.count == 20_000 })
                let entries = Dictionary(grouping: try await namespace.replies(), by: \.entry)
                #expect(entries.count >= 4)
                #expect(entries.values.allSatisfy { $0.count * 20_000 <= 262_144 })
            }
        }
    }

    @Test("Commands of all partitions are answered on their own partition")
    func manyPartitions() async throws {
        try await Namespace.with(partitions: 16) { namespace in
            try await running(counting(namespace)) { participant in
                let commands = (0..<400).map { Command.test(.action, saga: "saga-\($0)") }
                for start in stride(from: 0, to: 400, by: 100) {
                    try await namespace.send(Array(commands[start..<start + 100]))
                }
                _ = try await namespace.awaitReplies(400)
                for partition in 0..<16 {
                    for entry in try await namespace.range(namespace.keys.reply(partition)) {
                        let saga = try #require(entry.values["saga"])
                        #expect(namespace.keys.partition(of: saga) == partition)
                    }
                }
                try await eventually("the confirmations") { participant.counts.confirmed == 400 }
                #expect(participant.counts.succeeded == 400)
            }
        }
    }

    @Test("A namespace that no orchestrator has opened is waited for, and said so once")
    func waitsForNamespace() async throws {
        try await withLocalRedis { server in
            let namespace = Namespace(server)
            let log = LogRecorder()
            try await running(counting(namespace, logger: log.logger)) { _ in
                try await eventually("the notice") {
                    log.messages.contains { $0.contains("waiting for the namespace") }
                }
                try await namespace.send([.test(.action)])
                try await namespace.open()
                #expect(try await namespace.awaitReply()?.outcome == .succeeded)
            }
            #expect(log.messages.filter { $0.contains("waiting for the namespace") }.count == 1)
        }
    }

    @Test("A protocol that it does not know ends it with an error")
    func unknownProtocol() async throws {
        try await Namespace.with { namespace in
            try await namespace.open(protocol: "2")
            await #expect(throws: ParticipantError.unsupportedProtocol(namespace: "test", found: "2")) {
                try await counting(namespace).run()
            }
        }
    }

    @Test("An attempt whose deadline has passed by the server's clock is not begun")
    func expiredDeadline() async throws {
        try await Namespace.with { namespace in
            let barrier = MemoryBarrier([String: Int]())
            try await running(counting(namespace, barrier: barrier)) { _ in
                let time = try await namespace.client.send(RedisCommand("TIME")).value[0].string.flatMap(Int64.init)
                let now = try #require(time) * 1_000
                try await namespace.send([
                    .test(.action, saga: "late", deadline: now - 5_000),
                    .test(.action, saga: "due", deadline: now + 60_000),
                ])
                let replies = try await namespace.awaitReplies(2)
                #expect(replies.first { $0.saga == "late" }?.outcome == .retry)
                #expect(replies.first { $0.saga == "late" }?.code == "deadline-passed")
                #expect(replies.first { $0.saga == "due" }?.outcome == .succeeded)
            }
            #expect(barrier.withState { $0.count } == 1)
        }
    }

    @Test("An operation without a handler is answered retry, and said so once")
    func unknownOperation() async throws {
        try await Namespace.with { namespace in
            let log = LogRecorder()
            try await running(counting(namespace, logger: log.logger)) { _ in
                try await namespace.send((0..<5).map { .test(.action, saga: "saga-\($0)", operation: "bogus") })
                let replies = try await namespace.awaitReplies(5)
                #expect(replies.allSatisfy { $0.outcome == .retry && $0.code == "unknown-operation" })
            }
            #expect(log.messages.filter { $0.contains("no handler") }.count == 1)
        }
    }

    @Test("What is no command goes to the dead letters, with the reason and its fields, and nothing waits for it")
    func undecodable() async throws {
        try await Namespace.with(partitions: 1) { namespace in
            let bad = try await namespace.client.send(
                RedisCommand(
                    "XADD", namespace.stream(0), "*", "saga", "s-1", "phase", "sideways", "input",
                    String(repeating: "x", count: 5_000))
            ).value.string
            var forged = Command.test(.compensation, saga: "s-2")
            forged.key = "s-3/reserve/compensation"
            try await namespace.send([forged, .test(.action, saga: "good")])
            let options = ParticipantOptions.test { $0.commandBytes = 10_000 }
            try await running(counting(namespace, options: options)) { participant in
                try await namespace.send([.test(.action, saga: "large", input: String(repeating: "1", count: 20_000))])
                #expect(try await namespace.awaitReply()?.saga == "good")
                try await eventually("three letters") { try await namespace.dead().count == 3 }
                try await eventually("their confirmation") { participant.counts.dead == 3 }
            }
            let letters = try await namespace.dead()
            let first = try #require(letters.first { $0["saga"] == "s-1" })
            #expect(first["source"] == namespace.stream(0))
            #expect(first["id"] == bad)
            #expect(first["message"] == "0")
            #expect(first["reason"]?.hasPrefix("malformed: ") == true)
            #expect(first["entry.phase"] == "sideways")
            #expect(first["entry.input"] == String(repeating: "x", count: 4_096) + "… (cut from 5000 bytes)")
            #expect(Int(first["at"] ?? "") != nil)
            #expect(letters.first { $0["saga"] == "s-2" }?["reason"]?.contains("key") == true)
            #expect(letters.first { $0["saga"] == "large" }?["reason"]?.hasPrefix("oversized: ") == true)
            #expect(try await namespace.pending() == 0)
        }
    }
}
