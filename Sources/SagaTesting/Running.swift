public import LocalRedis
public import RedisTransport
public import SagaOrchestrator

/// Where a scenario is played.
public enum StoreKind: String, Sendable, CaseIterable {
    case memory, redis
}

/// Calls `body` with a fresh namespace, on a store in memory or on a redis-server of its own.
public func withNamespace<Result>(
    on kind: StoreKind, partitions: Int = 2, _ body: (any TestNamespace) async throws -> Result
) async throws -> Result {
    switch kind {
    case .memory: try await body(InMemoryNamespace(partitions: partitions))
    case .redis:
        try await withRedisNamespace(partitions: partitions) { namespace, _ in try await body(namespace) }
    }
}

/// Calls `body` with a fresh namespace on a redis-server of its own, and with that server.
public func withRedisNamespace<Result>(
    partitions: Int = 2, _ options: LocalRedisServer.Options = LocalRedisServer.Options(),
    _ body: (RedisNamespace, LocalRedisServer) async throws -> Result
) async throws -> Result {
    try await withLocalRedis(options) { server in
        let namespace = try await RedisNamespace(at: server.endpoint, partitions: partitions)
        do {
            let result = try await body(namespace, server)
            await namespace.close()
            return result
        } catch {
            await namespace.close()
            throw error
        }
    }
}

/// Calls `body` while an orchestrator runs on a redis-server of its own: for tests of a service's handlers, with its
/// real participants.
///
/// ```swift
/// try await withSkald { skald, redis in
///     try await skald.register(order)
///     // run Participant(service: "inventory", redis: redis, namespace: "test", …) beside
///     try await skald.start("order-1", input: #"{"amount": 3}"#)
///     try await eventually("the order ends") { try await skald.end(of: "order-1") != nil }
/// }
/// ```
public func withSkald<Result: Sendable>(
    partitions: Int = 2, configure: (inout OrchestratorOptions) -> Void = { _ in },
    _ body: @escaping @Sendable (Scenario, RedisEndpoint) async throws -> Result
) async throws -> Result {
    try await withRedisNamespace(partitions: partitions) { namespace, server in
        let scenario = Scenario(namespace)
        let endpoint = server.endpoint
        return try await scenario.run(participants: false, configure: configure) {
            try await body(scenario, endpoint)
        }
    }
}
