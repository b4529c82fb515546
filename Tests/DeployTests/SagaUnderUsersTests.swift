import Foundation
import Logging
import RedisTransport
import SagaCore
import SagaOrchestrator
import SagaParticipant
import SagaRedis
import SagaWire
import Testing

/// Sagas run with every part connected as its own user, and nobody is refused anything.
@Suite struct SagaUnderUsersTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test(arguments: ["skald", "other-shop"])
    func theUsersRightsAreEnoughForTheShopsSagas(_ namespace: String) async throws {
        try await DeployedServer.with(namespace: namespace) { deployed in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let orchestrator = Orchestrator(
                    store: try Self.store(deployed, namespace, as: "skald-orchestrator"),
                    options: OrchestratorOptions(name: "test"), logger: Self.logger)
                group.addTask { try await orchestrator.run() }
                for service in ["orders", "inventory", "payments"] {
                    let participant = try Self.participant(service, deployed, namespace)
                    group.addTask { try await participant.run() }
                }
                let starter = try await Starter(deployed, namespace)
                let file = try DefinitionFile(
                    parsing: Array(Repository.text(of: "deploy/shop/order.yaml").utf8), name: "order.yaml")
                let order = try #require(file.definitions.first)
                let asOperator = try Self.store(deployed, namespace, as: "skald-operator")
                #expect(try await asOperator.register(id: order.id, canonical: order.canonicalJSON))

                #expect(try await starter.end(of: "good", input: "{}") == .completed)
                #expect(try await starter.end(of: "bad", input: "refuse") == .compensated)
                await asOperator.close()
                await starter.close()
                group.cancelAll()
                // A cancelled participant says so by throwing; what else could be thrown shows in the ends above.
                while !group.isEmpty { _ = try? await group.next() }
            }
            let admin = try await deployed.connectAsAdmin()
            let refused = try await admin.send(RedisCommand("ACL", "LOG")).value
            #expect(refused.count == 0, "\(Self.text(of: refused))")
            await admin.close()
        }
    }

    private static func store(
        _ deployed: DeployedServer, _ namespace: String, as user: String
    ) throws -> RedisSagaStore {
        RedisSagaStore(endpoint: try deployed.endpoint(of: user), namespace: namespace, logger: logger)
    }

    /// A service of the shop whose handlers do nothing, and refuse to charge where the input says so.
    private static func participant(
        _ service: String, _ deployed: DeployedServer, _ namespace: String
    ) throws -> Participant<MemoryBarrier<Int>> {
        var options = ParticipantOptions()
        // So that it claims, too.
        options.claimAfter = .milliseconds(100)
        return Participant(
            service: service, redis: try deployed.endpoint(of: "shop-\(service)"), namespace: namespace,
            barrier: MemoryBarrier(0), options: options, logger: logger
        ) { handlers in
            handlers.otherwise { context, _ in
                if context.command.operation == "charge", context.input == Array("refuse".utf8) {
                    throw Refusal("refused", "as asked")
                }
                return Array("{}".utf8)
            }
        }
    }

    private static func text(of log: RedisValue) -> String {
        (0..<log.count).map { entry in
            (0..<log[entry].count).map { log[entry][$0].string ?? "\(log[entry][$0].integer ?? 0)" }.joined(
                separator: " ")
        }.joined(separator: "\n")
    }
}

/// Starts sagas and waits for their ends, over the bare protocol.
private struct Starter {
    private let connection: RedisConnection
    private let keys: KeySpace

    init(_ deployed: DeployedServer, _ namespace: String) async throws {
        connection = try await deployed.connect(as: "skald-starter")
        let meta = KeySpace.meta(of: namespace)
        var partitions: Int?
        while partitions == nil {
            // The orchestrator is about to open the namespace.
            partitions = try await connection.send(RedisCommand("HMGET", meta, "partitions")).value[0].string
                .flatMap(Int.init)
            await Task.yield()
        }
        keys = KeySpace(namespace: namespace, partitions: try #require(partitions))
    }

    func end(of saga: String, input: String) async throws -> OutcomeEntry.Status {
        let partition = keys.partition(of: saga)
        let message = StartMessage(saga: saga, definition: "order", input: Array(input.utf8))
        var start = RedisCommand("XADD", keys.intake(partition), "*")
        start.append(message.fields)
        _ = try await connection.send(start)
        var position = "0"
        for _ in 0..<20 {
            let read = RedisCommand(
                "XREAD", "COUNT", "1", "BLOCK", "1000", "STREAMS", keys.outcome(partition), position)
            let reply = try await connection.blocking(read, for: .seconds(1))
            let entry = reply.value[0][1][0]
            position = entry[0].string ?? position
            var views: [FieldView] = []
            let outcome = entry[1].withFieldViews(reusing: &views) { Outcome.decode($0) }
            withExtendedLifetime(reply) {}
            if case .end(let end) = outcome, end.saga == saga { return end.status }
        }
        throw NoEnd(saga: saga)
    }

    func close() async { await connection.close() }

    struct NoEnd: Error { var saga: String }
}
