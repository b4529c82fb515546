import LocalRedis
import RedisTransport
import SagaClient
import SagaCore
import SagaTesting
import SagaWire
import Testing

/// What the tests of one namespace have at hand.
struct Fixture: Sendable {
    let namespace: RedisNamespace
    let server: LocalRedisServer
    let scenario: Scenario
    let client: SagaClient

    var keys: [String] {
        get async throws {
            let reply = try await namespace.client.send(RedisCommand("KEYS", "*")).value
            return (0..<reply.count).compactMap { reply[$0].string }.sorted()
        }
    }

    /// Sends commands that the scenario has no words for.
    func send(_ command: RedisCommand) async throws -> RedisValue { try await namespace.client.send(command).value }
}

/// Calls `body` with a namespace that holds the definition `order`, and no orchestrator.
///
/// A saga's id decides how it goes: `bad…` is refused at its last step, `stuck…` can't be undone then, others complete.
func withFixture(partitions: Int = 2, _ body: (Fixture) async throws -> Void) async throws {
    try await withRedisNamespace(partitions: partitions) { namespace, server in
        let client = SagaClient(endpoint: server.endpoint, namespace: "test", logger: quietLogger)
        let fixture = Fixture(
            namespace: namespace, server: server, scenario: Scenario(namespace), client: client)
        fixture.scenario.participants.setPlan { command in
            switch command.phase {
            case .action:
                let isRefused = command.saga.hasPrefix("bad") || command.saga.hasPrefix("stuck")
                return Behaviour(command.step == "charge" && isRefused ? .failed : .succeeded, result: Array("7".utf8))
            case .compensation: return Behaviour(command.saga.hasPrefix("stuck") ? .failed : .succeeded)
            }
        }
        try await fixture.scenario.register(order)
        try await body(fixture)
        await client.close()
    }
}

let order = DefinitionDraft(
    name: "order", version: 1,
    steps: ["reserve", "charge"].map { name in
        StepDraft(
            name: name, service: "\(name)-service", action: name, compensation: .operation("undo-\(name)"),
            timeout: 5_000, compensationRetry: RetryPolicyDraft(initial: 10, max: 100))
    })

/// A saga of it ends when somebody lets it.
let waiting = DefinitionDraft(name: "waiting", version: 1, steps: [StepDraft(name: "go", signal: "go")])

func start(_ saga: String, _ definition: String = "order", input: String = "{}") -> StartMessage {
    StartMessage(saga: saga, definition: definition, input: Array(input.utf8))
}

/// The error that a call must end with.
func error(of call: () async throws(ClientError) -> some Any) async -> ClientError? {
    do throws(ClientError) {
        _ = try await call()
        return nil
    } catch {
        return error
    }
}
