import Foundation
import LocalRedis
import Logging
import RedisTransport
import SagaCore
import SagaParticipant
import SagaRedis
import SagaTesting
import SagaWire
import ServiceLifecycle
import Testing

/// A command that ends the process that performs it, each time.
@Suite("Poison")
struct PoisonTests {
    private static let others = (0..<8).map { "other-\($0)" }

    @Test("A command that kills its process is given up after five deaths, and no other one with it")
    func killer() async throws {
        try await withLocalRedis { server in
            let namespace = try await RedisNamespace(at: server.endpoint, partitions: 1)
            let scenario = Scenario(namespace)
            try await scenario.register(Self.draft)
            try await scenario.run(participants: false) {
                for saga in Self.others.prefix(4) { try await scenario.start(saga) }
                try await scenario.start("killer")
                for saga in Self.others.dropFirst(4) { try await scenario.start(saga) }
                try await eventually("all are sent") {
                    try await namespace.commands(of: "stock", in: 0).count == Self.others.count + 1
                }
                for _ in 0..<5 { await Self.die(port: server.port) }
                try await running(stock(port: server.port)) { _ in
                    try await eventually("all end") { try await scenario.endedCount() == Self.others.count + 1 }
                }
            }
            for saga in Self.others { #expect(try await scenario.end(of: saga) == .completed) }
            #expect(try await scenario.end(of: "killer") == .compensated)
            // The policy allowed one attempt, and its answer says that nothing is known of the effect.
            let killed = try #require(try await scenario.saga("killer"))
            #expect(killed.steps[0].action.status != .failed && killed.steps[0].compensation.status == .succeeded)
            let letters = try await namespace.deadLetters(of: 0)
            #expect(letters.map { $0["entry.saga"] } == ["killer"])
            #expect(letters.first?["reason"] == "poison: delivered 5 times and never answered")
            await namespace.close()
        }
    }

    /// A process that performs commands until one is the end of it.
    private static func die(port: Int) async {
        await #expect(processExitsWith: .signal(SIGKILL)) { [port] in
            try await ServiceGroup(services: [stock(port: port)], logger: Logger(label: "test")).run()
        }
    }

    private static var draft: DefinitionDraft {
        DefinitionDraft(
            name: "order", version: 1,
            steps: [
                StepDraft(
                    name: "reserve", service: "stock", action: "reserve", compensation: .operation("release"),
                    timeout: 120_000, retry: RetryPolicyDraft(attempts: 1))
            ])
    }

    @Test("A process that loses its connection again and again, and lives, is not taken for one that dies")
    func lostReads() async throws {
        try await Namespace.with(partitions: 1) { namespace in
            let entries = try await namespace.send([.test(.action)])
            try await namespace.takeAndDie(consumer: "stock-1")
            for _ in 0..<3 {
                try await running(counting(namespace, hooks: RecoveryTests.Faults(.max).hooks)) { participant in
                    try await eventually("some sessions") { participant.counts.sessions > 4 }
                }
            }
            let pending = try await namespace.client.send(
                RedisCommand("XPENDING", namespace.stream(0), Namespace.service, "-", "+", "1")
            ).value[0]
            #expect(pending[0].string == entries[0])
            // It was read far more often.
            #expect(pending[3].integer ?? 0 <= 2)
            try await running(counting(namespace)) { _ in
                let reply = try await namespace.awaitReply()
                #expect(reply?.outcome == .succeeded)
            }
            #expect(try await namespace.dead().isEmpty)
        }
    }
}

/// A service that does not survive a saga named `killer`.
private func stock(port: Int) -> Participant<MemoryBarrier<[String: Int]>> {
    var options = ParticipantOptions.test()
    options.consumer = "stock-1"
    return Participant(
        service: "stock", redis: RedisEndpoint(address: .tcp(host: "127.0.0.1", port: port)), namespace: "test",
        barrier: MemoryBarrier([:]), options: options, logger: Logger(label: "test")
    ) { service in
        service.raw("reserve") { context, transaction in
            if context.saga == "killer" { kill(getpid(), SIGKILL) }
            transaction.state[context.key, default: 0] += 1
            return []
        }
        service.raw("release") { context, transaction in [] }
    }
}
