import Foundation
import Logging
import RedisTransport
import SagaClient
import SagaCore
import SagaOrchestrator
import SagaParticipant
import SagaRedis
import SagaWire
import TestSupport
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
                try await Self.placeOrders(deployed, namespace)
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

    private static func client(_ deployed: DeployedServer, _ namespace: String, as user: String) throws -> SagaClient {
        SagaClient(endpoint: try deployed.endpoint(of: user), namespace: namespace, logger: logger)
    }

    private static func end(of saga: String, _ input: String, _ starter: SagaClient) async throws -> Saga.Status? {
        let start = StartMessage(saga: saga, definition: "order", input: Array(input.utf8))
        while true {
            do throws(ClientError) {
                let outcome = try await starter.startAndWait(start, timeout: .seconds(30))
                guard case .ended(let status, _) = outcome else { return nil }
                return status
            } catch {
                // The orchestrator is about to open the namespace.
                guard case .noNamespace = error else { throw error }
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Everything that people and starters do, each as the user who may.
    private static func placeOrders(_ deployed: DeployedServer, _ namespace: String) async throws {
        let boss = try client(deployed, namespace, as: "skald-operator")
        let starter = try client(deployed, namespace, as: "skald-starter")
        let viewer = try client(deployed, namespace, as: "skald-viewer")
        let file = try DefinitionFile(
            parsing: Array(Repository.text(of: "deploy/shop/order.yaml").utf8), name: "order.yaml")
        let order = try #require(file.definitions.first)
        #expect(try await boss.register(order))

        #expect(try await end(of: "good", "{}", starter) == .completed)
        #expect(try await end(of: "bad", "refuse", starter) == .compensated)

        #expect(try await viewer.list().sagas.map(\.id).sorted() == ["bad", "good"])
        for filter in [
            SagaFilter(status: .compensated), SagaFilter(status: .running), SagaFilter(labels: ["a": "b"]),
            SagaFilter(status: .running, definition: "order"),
        ] {
            #expect(try await boss.list(filter).sagas.map(\.id) == (filter.status == .compensated ? ["bad"] : []))
        }
        #expect(try await viewer.saga("good")?.saga.status == .completed)
        #expect(try await viewer.definitions() == [order])
        #expect(try await viewer.deadLetters(limit: 10).isEmpty)
        #expect(try await viewer.status().partitions.allSatisfy { $0.owner == "test" })
        #expect(try await boss.order(ControlMessage(saga: "good", operation: .cancel)) != nil, "it has ended")
        var later = StartMessage(saga: "later", definition: "order", input: [])
        later.at = 4_102_444_800_000
        try await starter.start(later)
        while try await viewer.openCounts() != [order.id: 1] { try await Task.sleep(for: .milliseconds(10)) }
        var answers: [SelectedOrder.Answer] = []
        try await boss.order(Order(.cancel), SagaSelection(definition: "order")) { answers.append($0.answer) }
        #expect(answers == [.accepted])
        try await viewer.failing { Issue.record("\($0.saga) fails") }
        #expect(try await boss.status().services.map(\.name) == ["inventory", "orders", "payments"])
        try await removeOne(boss, starter, viewer)
        for client in [boss, starter, viewer] { await client.close() }
    }

    /// A saga whose time is over as soon as it ends.
    private static func removeOne(_ boss: SagaClient, _ starter: SagaClient, _ viewer: SagaClient) async throws {
        let steps = [StepDraft(name: "pause", delay: 1)]
        let brief = try Definition(
            validating: DefinitionDraft(name: "brief", version: 1, retention: 1, steps: steps))
        #expect(try await boss.register(brief))
        try await starter.start(
            StartMessage(saga: "brief-1", definition: "brief", input: [], labels: ["city": "Köln"]))
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            if case .removed(let tombstone) = try await viewer.lookUp("brief-1") {
                return #expect(tombstone.status == .completed)
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("it is not removed")
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
