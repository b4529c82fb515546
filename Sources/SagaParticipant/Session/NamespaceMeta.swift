import RedisTransport
import SagaRedis

/// What the first orchestrator wrote down about a namespace.
enum NamespaceMeta {
    /// The protocol that this participant speaks.
    static let protocolVersion = "1"

    /// The namespace's keys; nil where no orchestrator has made the namespace yet.
    static func read(_ namespace: String, through router: RedisRouter) async throws -> KeySpace? {
        let reply = try await router.send(
            RedisCommand("HMGET", KeySpace.meta(of: namespace), "protocol", "partitions"))
        return try keySpace(namespace, protocol: reply.value[0].string, partitions: reply.value[1].string)
    }

    static func keySpace(_ namespace: String, protocol version: String?, partitions: String?) throws -> KeySpace? {
        guard version != nil || partitions != nil else { return nil }
        guard version == protocolVersion else {
            throw ParticipantError.unsupportedProtocol(namespace: namespace, found: version ?? "none")
        }
        guard let count = partitions.flatMap({ Int($0) }), (1...16_384).contains(count) else {
            throw ParticipantError.invalidNamespace(
                namespace: namespace, reason: "partitions is \(partitions ?? "missing")")
        }
        return KeySpace(namespace: namespace, partitions: count)
    }
}
