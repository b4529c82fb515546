import LocalRedis
import RedisTransport
import SagaCore
import SagaOrchestrator
import SagaRedis
import SagaStore
import SagaTesting
import SagaWire
import Testing

/// More than the server, or the orchestrator, can take at once.
@Suite(.serialized) struct OverloadTests {
    /// What is in the streams when the server becomes full is applied all the same; only starts wait.
    @Test func aFullServerStillTakesWhatStartsNothing() async throws {
        try await withRedisNamespace(partitions: 1) { namespace, server in
            let scenario = Scenario(namespace)
            let definition = try await scenario.register(orderDraft(timeout: 600_000))
            let sagas = (0..<50).map { "s\($0)" }
            try await scenario.run(participants: false) {
                for saga in sagas { try await scenario.start(saga) }
                try await eventually("all are sent") {
                    try await namespace.commands(of: "create-service", in: 0).count == sagas.count
                }
            }
            let answering = Task {
                await scenario.participants.run(
                    services: definition.steps.compactMap(\.service), on: namespace)
            }
            try await eventually("all are answered") {
                let replies = try await namespace.inbox(.reply, of: 0)
                return replies.reduce(0) { $0 + $1.names.count { $0 == "type" } } >= sagas.count
            }
            answering.cancel()
            await answering.value
            try await scenario.start("late")
            try await set("1", namespace)
            try await scenario.run(participants: false, configure: { $0.memoryShare = nil }) {
                try await eventually("the next commands are out") {
                    try await namespace.commands(of: "reserve-service", in: 0).count == sagas.count
                }
                #expect(try await scenario.saga("late") == nil)
                let told = RedisCommand("HGET", namespace.keys.meta, "overloaded")
                try await eventually("starters are told") {
                    try await namespace.client.send(told).value.string?.hasPrefix("100 100 ") == true
                }
                #expect(try await namespace.inbox(.intake, of: 0).last?["saga"] == "late")
            }
            try await set("0", namespace)
            try await scenario.run {
                try await eventually("all end") { try await scenario.endedCount() == sagas.count + 1 }
            }
            #expect(try await scenario.audit(sagas + ["late"]) == [])
        }
    }

    private func set(_ limit: String, _ namespace: RedisNamespace) async throws {
        _ = try await namespace.client.send(RedisCommand("CONFIG", "SET", "maxmemory", limit))
    }

    /// Floods of partitions 0 and 1, in the lane that serves the others, too.
    @Test func floodsHoldNobodyUp() async throws {
        try await withRedisNamespace(partitions: 3) { namespace, _ in
            let scenario = Scenario(namespace)
            try await scenario.register(orderDraft(timeout: 600_000))
            func named(_ name: String, in partition: Int) -> String {
                (0...).lazy.map { "\(name)\($0)" }.first { scenario.partition(of: $0) == partition } ?? name
            }
            let (begun, other) = (named("begun", in: 0), named("other", in: 2))
            // Its first command is taken when the flood is there.
            try await scenario.run(participants: false) {
                try await scenario.start(begun)
                try await eventually("it is begun") { try await scenario.saga(begun) != nil }
            }
            var starts = Fields()
            var forged = Fields()
            for index in 0..<50 {
                starts.append(contentsOf: StartMessage(saga: "x\(index)", definition: "order", input: [0x31]).fields)
                let id = AttemptID(saga: begun, step: "create", phase: .action, attempt: 1, era: 1, token: "forged")
                forged.append(contentsOf: ReplyMessage(id: id, outcome: .succeeded).fields)
            }
            for (fields, key) in [(starts, namespace.keys.intake(0)), (forged, namespace.keys.reply(1))] {
                var command = RedisCommand("XADD", key, "*")
                command.append(fields)
                for _ in 0..<4 {
                    for result in await namespace.client.pipeline(Array(repeating: command, count: 500)) {
                        _ = try result.get()
                    }
                }
            }
            try await scenario.run(configure: { ($0.lanes, $0.readCount, $0.commitEntries) = (1, 16, 256) }) {
                try await scenario.start(other)
                try await eventually("the other one ends") { try await scenario.end(of: other) == .completed }
                try await eventually("what was begun ends") { try await scenario.end(of: begun) == .completed }
                let state = RedisCommand("HGET", namespace.keys.state(0), "intake")
                let last = try await namespace.inbox(.intake, of: 0).last?.id
                let applied = try await namespace.client.send(state).value.string
                #expect(applied != last, "the flood goes on")
            }
        }
    }
}
